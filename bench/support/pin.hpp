// Which processor a thread runs on. The first and the last of those that the process may use: on one that has a single
// one they are the same.
#pragma once

#include <sched.h>

#include <cerrno>
#include <system_error>
#include <vector>

namespace sigev_bench {

/// Those that the process may use when this is first called, in order.
inline const std::vector<int>& processors()
{
    static const std::vector<int> all = [] {
        cpu_set_t set;
        if (::sched_getaffinity(0, sizeof set, &set) != 0)
            throw std::system_error(errno, std::generic_category(), "sched_getaffinity");
        std::vector<int> found;
        for (int i = 0; i != CPU_SETSIZE; ++i)
            if (CPU_ISSET(static_cast<unsigned>(i), &set))
                found.push_back(i);
        return found;
    }();
    return all;
}

inline int first_processor() { return processors().front(); }
inline int last_processor() { return processors().back(); }

/// The calling thread, from now on; threads that it makes inherit it.
inline void pin_to(int processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(processor), &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0)
        throw std::system_error(errno, std::generic_category(), "sched_setaffinity");
}

/// As long as it lives the calling thread, and what it makes, has all of them; afterwards it is where it was.
class on_all_processors {
public:
    on_all_processors()
    {
        cpu_set_t all;
        CPU_ZERO(&all);
        for (const int one : processors())
            CPU_SET(static_cast<unsigned>(one), &all);
        if (::sched_getaffinity(0, sizeof before_, &before_) != 0 || ::sched_setaffinity(0, sizeof all, &all) != 0)
            throw std::system_error(errno, std::generic_category(), "sched_setaffinity");
    }
    on_all_processors(const on_all_processors&) = delete;
    on_all_processors& operator=(const on_all_processors&) = delete;
    ~on_all_processors() { ::sched_setaffinity(0, sizeof before_, &before_); }

private:
    cpu_set_t before_;
};

} // namespace sigev_bench

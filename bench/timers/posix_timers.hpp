// Timers of POSIX's calls, ours or the host's: what they have in common however they are made and whatever they tell.
#pragma once

#include "timers/cases.hpp"

#include <time.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sigev_bench {

/// Who derives from it makes them.
template <auto Settime, auto Gettime, auto Delete>
class posix_timers {
public:
    posix_timers() = default;
    posix_timers(const posix_timers&) = delete;
    posix_timers& operator=(const posix_timers&) = delete;

    std::size_t size() const { return all_.size(); }
    void begin() {}
    void arm(std::size_t i, std::uint64_t ns) { set(i, 0, ns); }
    void arm_at(std::size_t i, std::uint64_t ns) { set(i, TIMER_ABSTIME, ns); }
    std::uint64_t left(std::size_t i)
    {
        itimerspec value{};
        unless(Gettime(all_[i], &value) == 0, "cannot ask a timer");
        return static_cast<std::uint64_t>(value.it_value.tv_sec) * second + static_cast<std::uint64_t>(value.it_value.tv_nsec);
    }

protected:
    ~posix_timers() { delete_all(); }
    void delete_all()
    {
        for (timer_t t : all_)
            Delete(t);
        all_.clear();
    }

    std::vector<timer_t> all_;

private:
    void set(std::size_t i, int flags, std::uint64_t ns)
    {
        const itimerspec value{{}, to_timespec(ns)};
        unless(Settime(all_[i], flags, &value, nullptr) == 0, "cannot set a timer");
    }
};

} // namespace sigev_bench

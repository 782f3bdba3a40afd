// Peer: the kernel's timers, with a signal. Each holds a place in the queue of signals, of which a user has RLIMIT_SIGPENDING.
#include "support/contestant.hpp"
#include "timers/posix_timers.hpp"
#include "timers/signals.hpp"

#include <sys/resource.h>

namespace {

using namespace sigev_bench;

class timers : public posix_timers<::timer_settime, ::timer_gettime, ::timer_delete> {
public:
    static constexpr bool slow = true;
    static constexpr bool defers = false;
    static constexpr bool holds_what_is_scarce = true;

    timers(std::size_t n, void (*)())
    {
        taken();
        all_.reserve(n);
        while (all_.size() != n) {
            timer_t t{};
            if (!make(t)) {
                unless(errno == EAGAIN, "timer_create");
                break;
            }
            all_.push_back(t);
        }
    }

    void end() {}
    void recreate(std::size_t i)
    {
        unless(::timer_delete(all_[i]) == 0, "timer_delete");
        unless(make(all_[i]), "timer_create");
    }
    void make_and_delete()
    {
        timer_t t{};
        unless(make(t), "timer_create");
        unless(::timer_delete(t) == 0, "timer_delete");
    }

private:
    static bool make(timer_t& t)
    {
        sigevent event{};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = burst_signal();
        return ::timer_create(CLOCK_MONOTONIC, &event, &t) == 0;
    }
};

/// One bench has all the limit: what others of its user hold is not its own to count.
double kernel_memory(std::uint64_t n)
{
    const auto unreclaimable = [] {
        std::ifstream file("/proc/meminfo");
        std::uint64_t sum = 0;
        for (std::string name, unit; file >> name;) {
            std::uint64_t kilobytes = 0;
            file >> kilobytes;
            std::getline(file, unit);
            if (name == "SUnreclaim:")
                sum += kilobytes * 1024;
        }
        return sum;
    };
    const std::uint64_t before = unreclaimable();
    const timers& t = live<timers>(n);
    return static_cast<double>(unreclaimable() - before) / static_cast<double>(t.size());
}

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv,
        {{"rearm", rearm<timers>},
         {"create", create<timers>},
         {"create.one", create_one<timers>},
         {"memory", kernel_memory},
         {"most", most<timers>},
         {"burst.signal", burst_signals<timers>}});
}

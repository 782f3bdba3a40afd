// Peer: a timer of the kernel's, with a signal that is waited for.
#include "lateness/cases.hpp"
#include "support/contestant.hpp"

#include <signal.h>

namespace {

using namespace sigev_bench;

class timer {
public:
    timer()
    {
        ::sigemptyset(&set_);
        ::sigaddset(&set_, SIGRTMIN);
        ::sigprocmask(SIG_BLOCK, &set_, nullptr);
        sigevent event{};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = SIGRTMIN;
        unless(::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0, "timer_create");
    }
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    ~timer() { ::timer_delete(timer_); }

    void wait_until(std::uint64_t due)
    {
        const itimerspec value{{}, to_timespec(due)};
        unless(::timer_settime(timer_, TIMER_ABSTIME, &value, nullptr) == 0, "timer_settime");
        while (::sigwaitinfo(&set_, nullptr) != SIGRTMIN) {
        }
        arrived();
    }

private:
    sigset_t set_;
    timer_t timer_{};
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"p50", p50<timer>}, {"p99", p99<timer>}});
}

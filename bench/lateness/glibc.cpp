// Peer: glibc's timers with SIGEV_THREAD.
#include "lateness/cases.hpp"
#include "support/contestant.hpp"

#include <semaphore.h>
#include <signal.h>

namespace {

using namespace sigev_bench;

class timer {
public:
    timer()
    {
        ::sem_init(&called_, 0, 0);
        sigevent event{};
        event.sigev_notify = SIGEV_THREAD;
        event.sigev_value.sival_ptr = &called_;
        event.sigev_notify_function = [](sigval value) {
            arrived();
            ::sem_post(static_cast<sem_t*>(value.sival_ptr));
        };
        unless(::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0, "timer_create");
    }
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    ~timer() { ::timer_delete(timer_); }

    void wait_until(std::uint64_t due)
    {
        const itimerspec value{{}, to_timespec(due)};
        unless(::timer_settime(timer_, TIMER_ABSTIME, &value, nullptr) == 0, "timer_settime");
        while (::sem_wait(&called_) != 0) {
        }
    }

private:
    sem_t called_;
    timer_t timer_{};
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"p50", p50<timer>}, {"p99", p99<timer>}});
}

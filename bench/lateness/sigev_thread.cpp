// sigev, through libsigev.so: SIGEV_THREAD, by the runtime's threads.
#include "lateness/cases.hpp"
#include "support/contestant.hpp"

#include <sigev.h>

#include <semaphore.h>

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
        unless(::sigev_timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0, "sigev_timer_create");
    }
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    ~timer() { ::sigev_timer_delete_wait(timer_); }

    void wait_until(std::uint64_t due)
    {
        const itimerspec value{{}, to_timespec(due)};
        unless(::sigev_timer_settime(timer_, TIMER_ABSTIME, &value, nullptr) == 0, "sigev_timer_settime");
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

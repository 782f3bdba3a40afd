// A timer of POSIX's calls, ours or the host's, with SIGEV_THREAD.
#pragma once

#include "lateness/cases.hpp"

#include <semaphore.h>
#include <signal.h>
#include <time.h>

namespace sigev_bench {

template <auto Create, auto Settime, auto Delete>
class called_timer {
public:
    called_timer()
    {
        ::sem_init(&called_, 0, 0);
        sigevent event{};
        event.sigev_notify = SIGEV_THREAD;
        event.sigev_value.sival_ptr = &called_;
        event.sigev_notify_function = [](sigval value) {
            arrived();
            ::sem_post(static_cast<sem_t*>(value.sival_ptr));
        };
        unless(Create(CLOCK_MONOTONIC, &event, &timer_) == 0, "cannot create a timer");
    }
    called_timer(const called_timer&) = delete;
    called_timer& operator=(const called_timer&) = delete;
    ~called_timer() { Delete(timer_); }

    void wait_until(std::uint64_t due)
    {
        const itimerspec value{{}, to_timespec(due)};
        unless(Settime(timer_, TIMER_ABSTIME, &value, nullptr) == 0, "cannot set a timer");
        while (::sem_wait(&called_) != 0) {
        }
    }

private:
    sem_t called_;
    timer_t timer_{};
};

} // namespace sigev_bench

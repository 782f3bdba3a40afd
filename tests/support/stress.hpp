// What the stresses share: how long one runs, rounds that begin and end without a sleep, a die, and signals that strike a
// thread wherever it stands.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>

#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

namespace sigev_tests {

/// How long a stress runs: half a second, or SIGEV_STRESS_SECONDS.
inline std::uint64_t stress_nanoseconds()
{
    const char* const wanted = std::getenv("SIGEV_STRESS_SECONDS");
    return wanted ? std::strtoull(wanted, nullptr, 10) * 1'000'000'000 : 500'000'000;
}

/// A small generator, one per user: a handler must not share one with the code that it interrupts.
class dice {
public:
    constexpr explicit dice(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
    std::uint64_t roll(std::uint64_t sides)
    {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return (state_ >> 20) % sides;
    }

private:
    std::uint64_t state_;
};

/// Rounds of a crew: all begin at once, and the leader goes on when all are through. Not a barrier that sleeps: waking the crew
/// would take longer than a round. No pointers, so that it may stand in memory shared with another process.
class rounds {
public:
    /// Crew: waits for round number `number`, counted from 1. False: there will be no more.
    bool await(std::uint64_t number) const
    {
        while (begun_.load(std::memory_order_acquire) < number)
            sched_yield();
        return !over_.load(std::memory_order_relaxed);
    }
    void through() { through_.fetch_add(1, std::memory_order_acq_rel); }

    /// Leader.
    void begin()
    {
        through_.store(0, std::memory_order_relaxed);
        begun_.fetch_add(1, std::memory_order_acq_rel);
    }
    void finish(unsigned crew) const
    {
        while (through_.load(std::memory_order_acquire) != crew)
            sched_yield();
    }
    void run(unsigned crew)
    {
        begin();
        finish(crew);
    }
    void end()
    {
        over_.store(true, std::memory_order_relaxed);
        begun_.fetch_add(1, std::memory_order_acq_rel);
    }

private:
    std::atomic<std::uint64_t> begun_{0};
    std::atomic<unsigned> through_{0};
    std::atomic<bool> over_{false};
};

/// A signal handler for a scope. SA_NODEFER: it may be left by a jump that restores no mask.
class handled {
public:
    handled(int number, void (*handler)(int), int flags = 0) : number_(number)
    {
        struct sigaction action = {};
        action.sa_handler = handler;
        action.sa_flags = flags;
        sigaction(number, &action, &before_);
    }
    handled(const handled&) = delete;
    handled& operator=(const handled&) = delete;
    ~handled() { sigaction(number_, &before_, nullptr); }

private:
    int number_;
    struct sigaction before_ = {};
};

/// Strikes the thread that makes it with a signal, every so many nanoseconds, by a timer of the kernel's.
class strikes {
public:
    explicit strikes(bool on, long every, int number = SIGUSR1)
    {
        if (!on)
            return;
        sigevent event = {};
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_signo = number;
        event._sigev_un._tid = gettid();
        const itimerspec period = {{0, every}, {0, every}};
        if (timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0 || timer_settime(timer_, 0, &period, nullptr) != 0)
            std::abort();
        made_ = true;
    }
    strikes(const strikes&) = delete;
    strikes& operator=(const strikes&) = delete;
    ~strikes()
    {
        if (made_)
            timer_delete(timer_);
    }

private:
    timer_t timer_ = {};
    bool made_ = false;
};

} // namespace sigev_tests

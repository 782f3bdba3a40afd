// The measurements of bench_methods, each written once for every contestant.
//
// SIGEV_THREAD. A contestant supplies a Notifier:
//
//     Notifier(void (*function)(sigval))     what it makes threads of is made here, and runs where this thread runs now
//     static constexpr std::uint64_t window  how many may be under way at once, so that it fares best
//     void notify();                         always by the thread that made it: the function is called, by another thread
//     void finish(std::uint64_t n);          n notifications have been made and their functions called: its own account, if any
//
// *In bulk* many are under way, and the wakes of threads do not matter; *a cycle* is one alone: notify, wait until the function
// has been called. "One core": all threads on the last processor of the machine. Across: the functions there, who notifies
// on the first.
//
// A signal. A contestant supplies a Sender:
//
//     Sender(int signo)
//     void queue(unsigned n);     n signals are pending when it returns: to the process, or to this thread
//
// which is timed, and not the taking of the signals that follows: the kernel's part in it is the same for all.
#pragma once

#include "support/pin.hpp"
#include "support/statistics.hpp"
#include "support/stopwatch.hpp"
#include "support/unless.h"

#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sigev_bench {

inline constexpr auto enough = std::chrono::milliseconds(400);
inline std::chrono::milliseconds lost{
    5000}; ///< who waits longer than that waits for what does not come; a test is not so patient

// ---- in bulk --------------------------------------------------------------------------------------------------------------

/// How many functions have been called, and when. They may run on many threads at once.
class tally {
public:
    static void start(std::uint64_t n, std::uint64_t block)
    {
        done_ = 0;
        block_ = block;
        marks_.assign(n / block + 1, {});
        marks_[0] = clock::now();
    }

    static void called(sigval)
    {
        const std::uint64_t n = done_.fetch_add(1, std::memory_order_release) + 1;
        if ((n & (block_ - 1)) == 0)
            marks_[n / block_] = clock::now(); // a place of its own for each
    }

    static std::uint64_t done() { return done_.load(std::memory_order_acquire); }

    /// Nanoseconds from one call to the next. After the last.
    static double each()
    {
        std::vector<double> laps;
        for (std::size_t i = 1; i <= done_ / block_; ++i)
            laps.push_back(nanoseconds_between(marks_[i - 1], marks_[i]) / static_cast<double>(block_));
        unless(!laps.empty(), "too few notifications for a measurement");
        return median(laps);
    }

private:
    alignas(64) static inline std::atomic<std::uint64_t> done_{0};
    alignas(64) static inline std::uint64_t block_ = 1;
    static inline std::vector<clock::time_point> marks_;
};

/// Some microseconds without a look at what the functions write: each look takes the line away from them.
inline void look_elsewhere()
{
    for (const auto start = clock::now(); clock::now() - start < std::chrono::microseconds(10);) {
    }
}

template <class Notifier>
double bulk_on(std::uint64_t n, int here, int there, void (*function)(sigval) = &tally::called)
{
    constexpr std::uint64_t block = 2 * Notifier::window;
    static_assert(std::has_single_bit(block));
    pin_to(there);
    Notifier notifier(function);
    pin_to(here);
    tally::start(n, block);
    const auto end = clock::now() + enough;
    std::uint64_t made = 0;
    std::uint64_t done = 0;
    const auto wait_until_under_way = [&](std::uint64_t most) {
        const auto start = clock::now();
        for (;;) {
            done = tally::done();
            unless(done <= made, "a function was called too often");
            if (made - done <= most)
                return;
            if (here == there)
                ::sched_yield();
            else
                look_elsewhere();
            unless(clock::now() - start < lost, "notifications have got lost");
        }
    };
    while (made != n && !(made % block == 0 && clock::now() > end)) {
        if (made - done == Notifier::window)
            wait_until_under_way(Notifier::window / 2);
        notifier.notify();
        ++made;
    }
    wait_until_under_way(0);
    notifier.finish(made);
    unless(tally::done() == made, "a function was called too often");
    return tally::each();
}

template <class Notifier>
double bulk(std::uint64_t n)
{
    return bulk_on<Notifier>(n, first_processor(), last_processor());
}

template <class Notifier>
double bulk_onecore(std::uint64_t n)
{
    return bulk_on<Notifier>(n, last_processor(), last_processor());
}

/// The function makes one system call, as most do: what has to be looked at behind it is looked at.
template <class Notifier>
double bulk_calling(std::uint64_t n)
{
    const auto function = [](sigval value) {
        ::syscall(SYS_getppid);
        tally::called(value);
    };
    return bulk_on<Notifier>(n, last_processor(), last_processor(), function);
}

// ---- one at a time ----------------------------------------------------------------------------------------------------------

/// What the function tells. A semaphore is a futex: no contestant's own.
class call_box {
public:
    static void called(sigval) { ::sem_post(&box().called_); }

    static void wait()
    {
        const auto at_most = std::chrono::nanoseconds(lost);
        timespec until{};
        ::clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += (until.tv_nsec + at_most.count()) / 1'000'000'000;
        until.tv_nsec = (until.tv_nsec + at_most.count()) % 1'000'000'000;
        unless(::sem_timedwait(&box().called_, &until) == 0, "a notification has got lost");
    }

private:
    call_box() { ::sem_init(&called_, 0, 0); }
    static call_box& box()
    {
        static call_box one;
        return one;
    }
    sem_t called_;
};

template <class Notifier>
double cycle_on(std::uint64_t n, int here, int there)
{
    pin_to(there);
    Notifier notifier(&call_box::called);
    pin_to(here);
    lap_timer cycles;
    cycles.start(n);
    std::uint64_t made = 0;
    while (made != n && !(made % lap_timer::block == 0 && cycles.elapsed() > enough)) {
        notifier.notify();
        call_box::wait();
        cycles.happened();
        ++made;
    }
    notifier.finish(made);
    return cycles.each();
}

template <class Notifier>
double cycle_onecore(std::uint64_t n)
{
    return cycle_on<Notifier>(n, last_processor(), last_processor());
}

template <class Notifier>
double cycle_across(std::uint64_t n)
{
    return cycle_on<Notifier>(n, first_processor(), last_processor());
}

// ---- signals ----------------------------------------------------------------------------------------------------------------

inline constexpr unsigned signals_at_once = 256;
inline constexpr int signal_value = 4711; ///< that every signal has to carry

/// Nanoseconds a signal, n of them.
template <class Sender>
double signals(std::uint64_t n)
{
    pin_to(last_processor());
    const int signo = SIGRTMIN;
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, signo);
    unless(::pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0, "pthread_sigmask");
    Sender sender(signo);
    std::vector<double> batches;
    const auto end = clock::now() + enough;
    for (std::uint64_t sent = 0; sent < n && clock::now() < end; sent += signals_at_once) {
        const auto start = clock::now();
        sender.queue(signals_at_once);
        batches.push_back(nanoseconds_between(start, clock::now()));
        const timespec at_once{};
        siginfo_t info;
        unsigned taken = 0;
        while (::sigtimedwait(&set, &info, &at_once) == signo) {
            unless(
                info.si_value.sival_int == signal_value && info.si_pid == ::getpid() && info.si_uid == ::getuid(),
                "a signal does not say what it should");
            ++taken;
        }
        unless(taken == signals_at_once, "signals have got lost");
    }
    return median(batches) / signals_at_once;
}

} // namespace sigev_bench

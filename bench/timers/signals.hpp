// The measurements of bench_timers that end in a signal or a thread: n timers are due within one millisecond, and what is
// counted is the time from then until the last one has arrived. Both cores work: one expires, one takes. (Also in a process
// whose other measurements have pinned it to one.)
//
// A contestant supplies Timers as in cases.hpp, but without a loop, and
//
//     void arm_at(std::size_t i, std::uint64_t ns)      timer i is due at this time of CLOCK_MONOTONIC
#pragma once

#include "timers/cases.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

namespace sigev_bench {

inline int burst_signal() { return SIGRTMIN + 3; }

/// The descriptor that the signal is taken from; blocked in all threads that are made later.
inline int taken()
{
    static const int fd = [] {
        sigset_t set;
        ::sigemptyset(&set);
        ::sigaddset(&set, burst_signal());
        ::sigprocmask(SIG_BLOCK, &set, nullptr);
        return ::signalfd(-1, &set, SFD_CLOEXEC);
    }();
    unless(fd >= 0, "signalfd");
    return fd;
}

template <class Timers>
Timers& due_together(std::size_t n)
{
    std::unique_ptr<Timers>& t = made<Timers>()[n];
    if (!t)
        t = std::make_unique<Timers>(n, &count_expiry);
    unless(t->size() == n, "the system does not permit so many timers");
    return *t;
}

/// When the first one is due.
template <class Timers>
std::uint64_t arm_together(Timers& t)
{
    dice d;
    // The kernel takes ten microseconds for each, once it has many.
    const std::uint64_t due = nanoseconds(CLOCK_MONOTONIC) + (Timers::slow ? 2000 : 300) * millisecond;
    for (std::size_t i = 0; i != t.size(); ++i)
        t.arm_at(i, due + d.below(millisecond));
    unless(nanoseconds(CLOCK_MONOTONIC) < due, "arming took too long");
    return due;
}

/// Thousands of expiries that a second brings.
template <class Timers>
double burst_signals(std::uint64_t n)
{
    const on_all_processors here;
    const int fd = taken();
    Timers& t = due_together<Timers>(n);
    const std::uint64_t due = arm_together(t);
    std::array<signalfd_siginfo, 128> batch;
    for (std::uint64_t arrived = 0; arrived < n;) {
        pollfd readable{fd, POLLIN, 0};
        unless(::poll(&readable, 1, 5000) == 1, "signals have got lost");
        const ssize_t got = ::read(fd, batch.data(), sizeof batch);
        unless(got > 0, "signalfd");
        for (std::size_t i = 0; i != static_cast<std::size_t>(got) / sizeof batch[0]; ++i)
            arrived += 1 + static_cast<std::uint64_t>(batch[i].ssi_overrun);
        unless(arrived <= n, "timers have expired more often than once");
    }
    const std::uint64_t now = nanoseconds(CLOCK_MONOTONIC);
    unless(now > due, "timers have expired early");
    let_go<Timers>();
    return static_cast<double>(n) * 1e6 / static_cast<double>(now - due);
}

/// The same with SIGEV_THREAD; functions may run on many threads.
inline std::atomic<std::uint64_t> calls{0};
inline void count_call(sigval) { calls.fetch_add(1, std::memory_order_release); }

template <class Timers>
double burst_threads(std::uint64_t n)
{
    const on_all_processors here;
    Timers& t = due_together<Timers>(n);
    calls = 0;
    const std::uint64_t due = arm_together(t);
    std::uint64_t now = 0;
    constexpr std::uint64_t long_enough = 60 * second; // a thread each: 90 000 take ten
    do {
        const timespec look{0, 200'000};
        ::nanosleep(&look, nullptr);
        now = nanoseconds(CLOCK_MONOTONIC);
        unless(now < due + long_enough, "expiries have got lost");
    } while (calls.load(std::memory_order_acquire) < n);
    unless(calls == n, "timers have expired more often than once");
    let_go<Timers>();
    return static_cast<double>(n) * 1e6 / static_cast<double>(now - due);
}

} // namespace sigev_bench

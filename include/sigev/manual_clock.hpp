// sigev::manual_clock: time for tests. Timers made on it see it stand still until the test moves it, so that what takes a day, or a
// clock that is set back, is tried in no time and the same way each time.
//
//     sigev::manual_clock clock;
//     sigev::posix_timer tick(CLOCK_MONOTONIC, sigev::target::callback(on_tick), {.clock = clock.native_handle()});
//     tick.expires_after(1h, 1h);
//     clock.advance(24h);                             // 24 ticks
#pragma once

#include <sigev.h>

#include <sigev/error.hpp>
#include <sigev/posix_timer.hpp>

#include <chrono>
#include <ctime>
#include <utility>

namespace sigev {

/// Owns a sigev_manual_clock_t.
/**
 * It has two sides, as a machine has: CLOCK_MONOTONIC, which CLOCK_BOOTTIME is here too, begins at 0; CLOCK_REALTIME begins
 * at a time of the caller's choice. When advance() or set() returns, all that has become due has been raised: on a reactor of the program's
 * own, callbacks have run, in this thread; signals are queued; what goes to another thread (SIGEV_THREAD, callbacks on the
 * runtime) is on its way there.
 *
 * @par Thread safety
 * @e Distinct @e objects: safe.@n
 * @e Shared @e objects: safe, but for moving and destroying; now() also from signal handlers.
 *
 * @par Lifetime
 * The destructor deletes the timers on it, and waits for callbacks that run. Not inside a callback that a reactor of the
 * program's own runs for one of its timers: there it does nothing, and advance() and set() throw EDEADLK.
 *
 * @par Fork
 * In a child the clock does not exist, nor do its timers: every call says EINVAL, and destroying the object does nothing.
 */
class manual_clock {
public:
    using native_handle_type = sigev_manual_clock_t;
    using duration = std::chrono::nanoseconds;

    /// CLOCK_REALTIME begins in September 2001. Throws boost::system::system_error: EAGAIN.
    manual_clock() { open(nullptr); }

    /// CLOCK_REALTIME begins there. Throws boost::system::system_error: EINVAL (before the epoch), EAGAIN.
    explicit manual_clock(std::chrono::system_clock::time_point realtime)
    {
        const ::timespec from = to_timespec(std::chrono::duration_cast<duration>(realtime.time_since_epoch()));
        open(&from);
    }

    manual_clock(manual_clock&& other) noexcept : clock_(std::exchange(other.clock_, 0)) {}
    manual_clock& operator=(manual_clock&& other) noexcept
    {
        manual_clock taken(std::move(other));
        std::swap(clock_, taken.clock_);
        return *this;
    }
    ~manual_clock()
    {
        if (clock_ != 0)
            ::sigev_manual_clock_close(clock_);
    }

    native_handle_type native_handle() const noexcept { return clock_; }

    /// Time goes by, of both sides: each deadline on the way comes at its own time, each period of a timer is told. Throws
    /// boost::system::system_error: EINVAL (negative), EDEADLK.
    void advance(duration by)
    {
        const ::timespec t = to_timespec(by);
        check(::sigev_manual_clock_advance(clock_, &t), "sigev_manual_clock_advance");
    }

    /// CLOCK_MONOTONIC or CLOCK_BOOTTIME: both sides go on to there in one leap, as for a program that was stopped meanwhile: what
    /// a periodic timer has missed comes in one notification. CLOCK_REALTIME: that side is set, as clock_settime() does it:
    /// absolute timers on it follow, relative ones do not. Throws boost::system::system_error: EINVAL (no such side, back on
    /// CLOCK_MONOTONIC, negative), EDEADLK.
    void set(::clockid_t side, duration since_epoch)
    {
        const ::timespec t = to_timespec(since_epoch);
        check(::sigev_manual_clock_settime(clock_, side, &t), "sigev_manual_clock_settime");
    }

    /// CLOCK_REALTIME is stepped by so much, forward or back.
    void step(duration by) { set(CLOCK_REALTIME, now(CLOCK_REALTIME) + by); }

    /// Throws boost::system::system_error: EINVAL (no such side; moved from).
    duration now(::clockid_t side = CLOCK_MONOTONIC) const
    {
        ::timespec t{};
        check(::sigev_manual_clock_gettime(clock_, side, &t), "sigev_manual_clock_gettime");
        return to_duration(t);
    }

private:
    void open(const ::timespec* realtime)
    {
        check(::sigev_manual_clock_open(realtime, &clock_), "sigev_manual_clock_open");
    }
    static void check(int result, const char* what)
    {
        if (result != 0)
            throw_error(last_error(), what);
    }

    sigev_manual_clock_t clock_ = 0;
};

} // namespace sigev

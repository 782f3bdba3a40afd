// A clock that a test moves: time for the timers made on it, of both sides, CLOCK_MONOTONIC (which CLOCK_BOOTTIME is, too) and
// CLOCK_REALTIME. On each reactor that has such timers the clock has a bank of its own (sources/timer).
//
// Who moves the clock runs the drain of these reactors himself, so all that has become due has been raised when the call
// returns. One at a time: mutex_ is held meanwhile, also while callbacks of a program's own loop run in that drain; so a call
// from inside such a drain is refused.
#pragma once

#include "core/generation.hpp"
#include "sys/manual_time.hpp"

#include <cstdint>
#include <mutex>
#include <time.h>

namespace sigev::sources {

class timers;

class manual_clock {
public:
    manual_clock() = default;
    manual_clock(const manual_clock&) = delete;
    manual_clock& operator=(const manual_clock&) = delete;

    /// Goes on by so many nanoseconds and stops at each deadline on the way. 0 or EDEADLK.
    int advance(timers& all, std::uint64_t by) noexcept;

    /// CLOCK_MONOTONIC, CLOCK_BOOTTIME: goes on to that time in one leap. CLOCK_REALTIME: that side alone is set. 0, EINVAL (no
    /// such side, or back), EDEADLK.
    int set(timers& all, clockid_t clock, std::uint64_t to) noexcept;

    static bool has(clockid_t clock) noexcept
    {
        return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME;
    }

    sys::manual_time time;
    core::generation_word generation;
    std::uint32_t index = 0;

private:
    void settle(timers& all) noexcept;
    std::uint64_t earliest(timers& all) const noexcept;

    std::mutex mutex_;
};

} // namespace sigev::sources

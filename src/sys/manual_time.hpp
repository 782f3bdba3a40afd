// A clock that stands still until it is told to go on: the time of a manual clock (sources/manual_clock). Read by any thread and
// any signal handler; written by whoever holds the clock's lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <time.h>

namespace sigev::sys {

class manual_time {
public:
    /// CLOCK_REALTIME, or else the one that CLOCK_MONOTONIC and CLOCK_BOOTTIME are.
    std::uint64_t now(clockid_t clock) const noexcept
    {
        const std::uint64_t steady = steady_.load(std::memory_order_acquire);
        return clock == CLOCK_REALTIME ? steady + offset_.load(std::memory_order_acquire) : steady;
    }

    /// Both sides go on by as much.
    void set_steady(std::uint64_t nanoseconds) noexcept { steady_.store(nanoseconds, std::memory_order_release); }

    /// The one side is set, as clock_settime() does it.
    void set_wall(std::uint64_t nanoseconds) noexcept
    {
        offset_.store(nanoseconds - steady_.load(std::memory_order_relaxed), std::memory_order_release);
    }

private:
    std::atomic<std::uint64_t> steady_{0};
    std::atomic<std::uint64_t> offset_{0}; ///< of the wall from the steady side, modulo 2^64
};

} // namespace sigev::sys

// The rules of POSIX timers that need no timer: what is valid, what a time means as a deadline, what is left of it. Pure.
// [timer_settime, timer_gettime, timer_create of IEEE Std 1003.1]
#pragma once

#include "spi/timer_engine.hpp"
#include "sys/clock.hpp"

#include <sigev.h>

#include <cerrno>
#include <cstdint>
#include <time.h>

namespace sigev::sources {

/// Longest time that a timer is asked for: 62 bits of nanoseconds, 146 years, so that from any present it ends before the engine's
/// latest deadline. What is longer is clamped.
inline constexpr std::uint64_t longest = (std::uint64_t{1} << 62) - 1;

/// Which of a reactor's engines serves a clock.
enum class clock_family : std::uint8_t { monotonic, boottime, kernel, manual, none };

struct clock_choice {
    int error; ///< 0, EINVAL (no such clock or engine), ENOTSUP (a clock of the host's that timers of this engine do not follow)
    clock_family family;
};

/// What the kernel's own signal is exact for: one queued signal a timer, and an overrun up to its acceptance.
constexpr bool is_the_kernels(int notify) noexcept
{
    return notify == SIGEV_SIGNAL || notify == SIGEV_THREAD_ID;
}

/// `engine`: SIGEV_ENGINE_*. `known`: whether the host has the clock; of the others that the heap does not follow the kernel
/// itself says whether timers do (CPU-time clocks, CLOCK_TAI, alarms).
/// `heap_only`: with what only the heap can do (slack, precision, a manual clock).
constexpr clock_choice choose_clock(clockid_t clock, bool known, int notify, int engine, bool heap_only) noexcept
{
    if (heap_only) {
        if (engine == SIGEV_ENGINE_KERNEL)
            return {ENOTSUP, clock_family::none};
        engine = SIGEV_ENGINE_HEAP;
    }
    clock_family on_heap = clock_family::none;
    switch (clock) {
    case CLOCK_MONOTONIC:
    case CLOCK_REALTIME: on_heap = clock_family::monotonic; break;
    case CLOCK_BOOTTIME: on_heap = clock_family::boottime; break;
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_REALTIME_COARSE: return {ENOTSUP, clock_family::none};
    default: break;
    }
    if (engine == SIGEV_ENGINE_HEAP && on_heap == clock_family::none)
        return {known ? ENOTSUP : EINVAL, clock_family::none};
    if (on_heap == clock_family::none || engine == SIGEV_ENGINE_KERNEL ||
        (engine == SIGEV_ENGINE_DEFAULT && is_the_kernels(notify)))
        return {0, clock_family::kernel};
    return {0, on_heap};
}

constexpr bool is_valid(const timespec& t) noexcept
{
    return t.tv_sec >= 0 && t.tv_nsec >= 0 && t.tv_nsec < 1'000'000'000;
}

constexpr bool is_zero(const timespec& t) noexcept
{
    return t.tv_sec == 0 && t.tv_nsec == 0;
}

/// 0 or EINVAL. A request to disarm is valid whatever its interval says.
constexpr int check(const itimerspec& value) noexcept
{
    if (is_zero(value.it_value))
        return 0;
    return is_valid(value.it_value) && is_valid(value.it_interval) ? 0 : EINVAL;
}

/// Which base an absolute deadline is on: it follows CLOCK_REALTIME when that is set. (A relative one must not.)
constexpr spi::timer_base base_of(clockid_t clock) noexcept
{
    return clock == CLOCK_REALTIME ? spi::timer_base::wall : spi::timer_base::steady;
}

/// A valid itimerspec that arms for a time of the clock, as the engine's value.
inline spi::timer_value to_value(clockid_t clock, const itimerspec& spec) noexcept
{
    return {sys::to_nanoseconds(spec.it_value, longest), sys::to_nanoseconds(spec.it_interval, longest), base_of(clock)};
}

/// What timer_gettime() says of a value: relative also for an absolute time; one that is due but not yet fired has 1 ns left,
/// since 0 means disarmed. `now` on the value's base.
inline itimerspec to_spec(const spi::timer_value& v, std::uint64_t now) noexcept
{
    itimerspec spec{};
    if (v.deadline == 0)
        return spec;
    std::uint64_t left = v.deadline > now ? v.deadline - now : 0;
    if (left == 0 && v.interval != 0)
        left = v.interval - (now - v.deadline) % v.interval; // the next period's end
    spec.it_value = sys::to_timespec(left == 0 ? 1 : left);
    spec.it_interval = sys::to_timespec(v.interval);
    return spec;
}

} // namespace sigev::sources

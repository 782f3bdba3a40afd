// Clocks as 64-bit nanoseconds (good until the year 2262).
#pragma once

#include <cstdint>
#include <limits>
#include <time.h>

namespace sigev::sys {

inline constexpr std::uint64_t nanoseconds_per_second = 1'000'000'000;

inline std::uint64_t now(clockid_t clock) noexcept
{
    timespec t{};
    ::clock_gettime(clock, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * nanoseconds_per_second + static_cast<std::uint64_t>(t.tv_nsec);
}

/// A valid, non-negative timespec; what does not fit is clamped to `limit`.
inline std::uint64_t to_nanoseconds(const timespec& t, std::uint64_t limit) noexcept
{
    const auto seconds = static_cast<std::uint64_t>(t.tv_sec);
    if (seconds >= limit / nanoseconds_per_second)
        return limit;
    return seconds * nanoseconds_per_second + static_cast<std::uint64_t>(t.tv_nsec);
}

inline timespec to_timespec(std::uint64_t nanoseconds) noexcept
{
    timespec t{};
    t.tv_sec = static_cast<time_t>(nanoseconds / nanoseconds_per_second);
    t.tv_nsec = static_cast<long>(nanoseconds % nanoseconds_per_second);
    return t;
}

} // namespace sigev::sys

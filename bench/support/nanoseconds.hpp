// Times of the kernel's clocks as numbers.
#pragma once

#include <time.h>

#include <cstdint>

namespace sigev_bench {

inline constexpr std::uint64_t second = 1'000'000'000;
inline constexpr std::uint64_t millisecond = 1'000'000;

inline std::uint64_t nanoseconds(clockid_t clock)
{
    timespec t{};
    ::clock_gettime(clock, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * second + static_cast<std::uint64_t>(t.tv_nsec);
}

inline timespec to_timespec(std::uint64_t ns)
{
    return {static_cast<time_t>(ns / second), static_cast<long>(ns % second)};
}

} // namespace sigev_bench

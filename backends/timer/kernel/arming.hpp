// What a timer of the kernel's was armed with, and how often it has expired since, by arithmetic. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

namespace sigev::spi::kernel {

/// Nanoseconds of one clock. first 0: disarmed.
struct arming {
    std::int64_t first = 0;
    std::int64_t interval = 0; ///< 0: one-shot
};

constexpr arming make_arming(bool absolute, std::int64_t value, std::int64_t interval, std::int64_t now) noexcept
{
    if (value == 0)
        return {};
    return {absolute ? value : now + std::min(value, INT64_MAX - now), interval};
}

/// What the clock alone says.
constexpr std::uint64_t expired_by(const arming& a, std::int64_t now) noexcept
{
    if (a.first == 0 || now < a.first)
        return 0;
    return a.interval == 0 ? 1 : static_cast<std::uint64_t>((now - a.first) / a.interval) + 1;
}

/// The same, with the help of the kernel's answer that `left` is left (0: nothing is armed any more): the next deadline is
/// now + left, so many whole intervals after the first. What the clock moved between its being read and the answer, and the
/// first deadline's being worked out, is lost in the rounding, unless it is half an interval.
constexpr std::uint64_t expired_with(const arming& a, std::int64_t now, std::int64_t left) noexcept
{
    if (a.first == 0)
        return 0;
    if (a.interval == 0)
        return left == 0 ? 1 : 0;
    const std::int64_t since = now + std::min(left, INT64_MAX - now) - a.first;
    const std::int64_t periods = since / a.interval + (since % a.interval >= a.interval - a.interval / 2 ? 1 : 0);
    return periods > 0 ? static_cast<std::uint64_t>(periods) : 0;
}

/// When the first of the expirations was due that come after `told` others.
constexpr std::int64_t due_after(const arming& a, std::uint64_t told) noexcept
{
    const auto room = static_cast<std::uint64_t>(INT64_MAX - a.first);
    return a.interval == 0 || told > room / static_cast<std::uint64_t>(a.interval)
               ? a.first
               : a.first + static_cast<std::int64_t>(told) * a.interval;
}

} // namespace sigev::spi::kernel

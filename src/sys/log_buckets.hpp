// Buckets for durations: powers of two cut in eight, so a quantile is off by at most a sixteenth, from nanoseconds to
// centuries. Pure.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace sigev::sys::log_buckets {

inline constexpr unsigned cut_bits = 3;
inline constexpr std::uint64_t cuts = 1u << cut_bits;
inline constexpr std::size_t count = (64 - cut_bits + 1) * cuts;

/// The bucket of a value. The first 2 * `cuts` values have a bucket each.
constexpr std::size_t of(std::uint64_t value) noexcept
{
    if (value < cuts)
        return value;
    const auto top = static_cast<unsigned>(std::bit_width(value)) - 1;
    return (top - cut_bits + 1) * cuts + ((value >> (top - cut_bits)) & (cuts - 1));
}

/// The least value of a bucket.
constexpr std::uint64_t lowest(std::size_t bucket) noexcept
{
    if (bucket < cuts)
        return bucket;
    return (cuts + bucket % cuts) << (bucket / cuts - 1);
}

/// The number of values in a bucket.
constexpr std::uint64_t width(std::size_t bucket) noexcept
{
    return bucket < cuts ? 1 : std::uint64_t(1) << (bucket / cuts - 1);
}

} // namespace sigev::sys::log_buckets

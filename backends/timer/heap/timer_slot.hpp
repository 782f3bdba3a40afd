// The words of a timer slot, and how values are packed into them.
//
//   w         {deadline 63 bits, base in bit 0 | generation 16, wide 1, interval 47}. The low word is the packed deadline,
//             and 0 is disarmed. Exchanged by any thread, which expects its own generation there; reload and expiry by the
//             reactor, by the same means.
//   hkey      the packed deadline under which the slot stands in a heap, or `none`. Written by the reactor only.
//   interval  of a value that is wide: whose interval takes more than 47 bits, 39 hours. Behind a lock.
//
// The generation stands in the word that is exchanged, so "is it still mine" and the change are one step, and nobody needs to say
// that he is inside: a settime() that is held up until the slot has its next timer does not find what it expects. An odd
// generation lives. Zeroed memory is a slot that was never created and that no handle names. A dead slot has no interval, and of
// those bits one says *limbo*: deleted, and not yet retired by the reactor.
//
// Within a base packed deadlines compare as deadlines do, so the packed form is used as the key everywhere.
// 32 bytes, two to a cache line: at 100 000 timers settime() costs what fetching this line costs.
#pragma once

#include "backends/timer/heap/reload.hpp"
#include "spi/timer_engine.hpp"
#include "sys/atomic16.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace sigev::spi::heap {

inline constexpr unsigned bases = 2;
inline constexpr std::uint64_t none = ~std::uint64_t{0}; ///< later than any key: not in a heap; no horizon

constexpr std::uint64_t pack(std::uint64_t deadline, timer_base base) noexcept
{
    return deadline == 0 ? 0 : std::min(deadline, latest) << 1 | static_cast<std::uint64_t>(base);
}
constexpr std::uint64_t deadline_of(std::uint64_t key) noexcept { return key >> 1; }
constexpr unsigned base_of(std::uint64_t key) noexcept { return key & 1; }

/// covers() as 1 or 0, without a branch.
constexpr std::uint64_t coverage(std::uint64_t hkey, std::uint64_t key) noexcept
{
    return ~(hkey ^ key) & std::uint64_t{hkey <= key};
}

/// Will a slot that stands in a heap under `hkey` be looked at in time for `key`? `none` covers nothing: it is later
/// than every key of base 1 and of the other base than every key of base 0.
constexpr bool covers(std::uint64_t hkey, std::uint64_t key) noexcept { return coverage(hkey, key) != 0; }

// ---- the high half of w

inline constexpr std::uint64_t wide = std::uint64_t{1} << 47;
inline constexpr std::uint64_t interval_mask = wide - 1;
inline constexpr std::uint64_t limbo = 1; ///< of a dead generation
static_assert(generation_mask == 0xffff, "as many bits as w has for it");

constexpr std::uint64_t high_of(std::uint32_t generation) noexcept { return std::uint64_t{generation & generation_mask} << 48; }
constexpr std::uint32_t generation_of(std::uint64_t high) noexcept { return static_cast<std::uint32_t>(high >> 48); }
constexpr bool is_of(std::uint64_t high, std::uint32_t generation) noexcept { return ((high ^ high_of(generation)) >> 48) == 0; }
/// And not wide. (Of a word that is, the bit above the interval is set.)
constexpr bool is_narrow_of(std::uint64_t high, std::uint32_t generation) noexcept
{
    return ((high ^ high_of(generation)) & ~interval_mask) == 0;
}
constexpr bool lives(std::uint32_t generation) noexcept { return (generation & 1) != 0; }
constexpr std::uint32_t after(std::uint32_t generation) noexcept { return (generation + 1) & generation_mask; }
constexpr std::uint32_t before(std::uint32_t generation) noexcept { return (generation - 1) & generation_mask; }
constexpr bool is_wide(const sys::pair64& w) noexcept { return (w.hi & wide) != 0; }

/// A wide one's interval goes elsewhere.
constexpr std::uint64_t high_of(std::uint32_t generation, std::uint64_t interval) noexcept
{
    return high_of(generation) | (interval <= interval_mask ? interval : wide);
}
constexpr sys::pair64 pack(const timer_value& v, std::uint32_t generation) noexcept
{
    const std::uint64_t key = pack(v.deadline, v.base);
    // One value for "disarmed", whatever interval and base came with it.
    return {key, key == 0 ? high_of(generation) : high_of(generation, v.interval)};
}
/// A wide one's interval is not in it: 0.
constexpr timer_value unpack(const sys::pair64& w) noexcept
{
    return {deadline_of(w.lo), w.hi & interval_mask, static_cast<timer_base>(base_of(w.lo))};
}

struct timer_slot {
    sys::atomic16 w;
    std::atomic<std::uint64_t> hkey;
    std::atomic<std::uint64_t> interval;
};
static_assert(sizeof(timer_slot) == 32);

} // namespace sigev::spi::heap

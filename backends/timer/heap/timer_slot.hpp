// The words of a timer slot, and how values are packed into them.
//
//   w     {deadline 63 bits, base in bit 0 | interval}. The low word is the packed deadline, and 0 is disarmed.
//         Exchanged by any thread; reload and expiry by the reactor's compare-exchange.
//   hkey  the packed deadline under which the slot stands in a heap, or `none`. Written by the reactor only.
//   gp    generation 32 | limbo 1 | pins 31. Generation and pins in one word, so that "is it still mine" and "I am
//         inside" are one step: with two words a settime() that was preempted between them writes into the slot's
//         next timer. An odd generation lives. Zeroed memory is a slot that was never created and that no handle
//         names. limbo: deleted, and not yet seen without pins.
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
constexpr sys::pair64 pack(const timer_value& v) noexcept
{
    const std::uint64_t key = pack(v.deadline, v.base);
    // One value for "disarmed", whatever interval and base came with it.
    return key == 0 ? sys::pair64{} : sys::pair64{key, std::min(v.interval, latest)};
}

constexpr std::uint64_t deadline_of(std::uint64_t key) noexcept { return key >> 1; }
constexpr unsigned base_of(std::uint64_t key) noexcept { return key & 1; }

constexpr timer_value unpack(const sys::pair64& w) noexcept
{
    return {deadline_of(w.lo), w.hi, static_cast<timer_base>(base_of(w.lo))};
}

/// Will a slot that stands in a heap under `hkey` be looked at in time for `key`? `none` covers nothing: it is later
/// than every key of base 1 and of the other base than every key of base 0.
constexpr bool covers(std::uint64_t hkey, std::uint64_t key) noexcept
{
    return base_of(hkey) == base_of(key) && hkey <= key;
}

inline constexpr std::uint64_t one_pin = 1;
inline constexpr std::uint64_t limbo = std::uint64_t{1} << 31;
inline constexpr std::uint64_t pins_mask = limbo - 1;
inline constexpr std::uint64_t one_generation = std::uint64_t{1} << 32;

constexpr std::uint32_t generation_of(std::uint64_t gp) noexcept { return static_cast<std::uint32_t>(gp >> 32); }
constexpr bool same(std::uint32_t generation, std::uint32_t given) noexcept
{
    return ((generation ^ given) & generation_mask) == 0;
}
constexpr bool lives(std::uint32_t generation) noexcept { return (generation & 1) != 0; }
constexpr bool last_pin_in_limbo(std::uint64_t gp) noexcept { return (gp & limbo) && (gp & pins_mask) == one_pin; }

struct timer_slot {
    sys::atomic16 w;
    std::atomic<std::uint64_t> hkey;
    std::atomic<std::uint64_t> gp;
};
static_assert(sizeof(timer_slot) == 32);

} // namespace sigev::spi::heap

// What a timer asks for beside its deadline, and what that means for its place in the heap. Pure.
//
// Slack. A timer that may come as late as deadline + slack stands in the heap under one instant of that span: the roundest,
// the multiple of the highest power of two. It depends on nothing but the span, so timers of other times and other slacks meet
// there by themselves, and one setting of the timerfd serves them all; nothing is searched or moved for it. A span of s
// nanoseconds always holds a multiple of the highest power of two that is not above s.
//
// Precise. The thread that sleeps is woken some tens of microseconds after the timerfd has expired. A precise timer stands in
// the heap as much earlier as that has lately taken (wake_estimate), and the reactor looks at the clock for the rest. Never
// early: when it surfaces nothing fires that is not due.
#pragma once

#include "backends/timer/heap/timer_slot.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace sigev::spi::heap {

/// In 32 bits, of which 0 is the timer that wants nothing. Slack is kept in microseconds, rounded down, up to 35 minutes.
class wishes {
public:
    constexpr wishes() noexcept = default;
    constexpr wishes(std::uint64_t slack, bool precise) noexcept
        : bits_(static_cast<std::uint32_t>(std::min(slack / microsecond, most)) | (precise ? precise_bit : 0))
    {
    }
    static constexpr wishes from(std::uint32_t bits) noexcept
    {
        wishes w;
        w.bits_ = bits;
        return w;
    }

    constexpr std::uint32_t bits() const noexcept { return bits_; }
    constexpr bool any() const noexcept { return bits_ != 0; }
    constexpr bool precise() const noexcept { return (bits_ & precise_bit) != 0; }
    constexpr std::uint64_t slack() const noexcept { return (bits_ & ~precise_bit) * microsecond; }

private:
    static constexpr std::uint64_t microsecond = 1'000;
    static constexpr std::uint32_t precise_bit = std::uint32_t{1} << 31;
    static constexpr std::uint64_t most = precise_bit - 1;

    std::uint32_t bits_ = 0;
};

/// The roundest instant in [deadline, deadline + slack]; deadline >= 1.
constexpr std::uint64_t roundest(std::uint64_t deadline, std::uint64_t slack) noexcept
{
    const std::uint64_t last = std::min(deadline + slack, std::max(latest, deadline));
    // The highest bit in which the last instant differs from the one before the first is the highest that can be kept.
    const int kept = static_cast<int>(std::bit_width((deadline - 1) ^ last)) - 1;
    return last & ~((std::uint64_t{1} << kept) - 1);
}

/// How long the thread that runs the reactor needs to be there after its timerfd has expired, from what it lately needed. High
/// rather than low: too early costs a spin of the difference, too late is late. So it goes half the way up at once, and
/// down by a sixteenth.
class wake_estimate {
public:
    static constexpr std::uint64_t most = 250'000; ///< what a timer may cost of spinning, in nanoseconds

    constexpr void observe(std::uint64_t nanoseconds) noexcept
    {
        const std::uint64_t seen = std::min(nanoseconds, most);
        usual_ = seen > usual_ ? usual_ + (seen - usual_ + 1) / 2 : usual_ - (usual_ - seen) / 16;
    }

    /// So much before its deadline a precise timer wakes the reactor.
    constexpr std::uint64_t lead() const noexcept { return std::min(usual_ + usual_ / 4 + 5'000, most); }

private:
    std::uint64_t usual_ = 60'000;
};

/// Where in the heap a timer stands that is armed for `key`. Within a base, as keys are.
constexpr std::uint64_t stand_of(wishes w, std::uint64_t key, std::uint64_t lead) noexcept
{
    if (w.precise())
        return deadline_of(key) > lead ? key - (lead << 1) : key;
    return pack(roundest(deadline_of(key), w.slack()), static_cast<timer_base>(base_of(key)));
}

} // namespace sigev::spi::heap

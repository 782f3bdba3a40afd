// Is a timer still the one that is meant, and is somebody inside a call about it: in one word, so that both are one step.
//
// Why: the kernel gives its ids to others. A settime() that was preempted after it had read the id would set another timer,
// of the program's own perhaps, if the id were deleted and made again meanwhile. So the kernel's timer is deleted by who
// leaves last, and only then is the slot another one's.
#pragma once

#include <atomic>
#include <cstdint>

namespace sigev::spi::kernel {

/// {generation 32 | limbo 1 | pins 31}. An odd generation lives. limbo: dead, and not yet seen without pins. Zero bytes: never
/// used.
class pin_word {
public:
    std::uint32_t generation() const noexcept { return generation_of(word_.load(std::memory_order_seq_cst)); }
    static constexpr bool lives(std::uint32_t generation) noexcept { return (generation & 1) != 0; }

    /// By its owner: the next generation, which lives or has never lived.
    std::uint32_t advance() noexcept
    {
        return generation_of(word_.fetch_add(one_generation, std::memory_order_seq_cst) + one_generation);
    }

    /// Pins, and says which generation it is now.
    std::uint32_t enter() noexcept { return generation_of(word_.fetch_add(one_pin, std::memory_order_seq_cst)); }

    /// True, once for each generation: it is dead, and nobody is inside any more.
    bool leave() noexcept
    {
        const std::uint64_t after = word_.fetch_sub(one_pin, std::memory_order_seq_cst) - one_pin;
        if (!(after & limbo) || (after & pins) != 0)
            return false;
        std::uint64_t expected = after; // changed: somebody looks in with a stale handle, and leaves after us
        return word_.compare_exchange_strong(expected, after & ~limbo, std::memory_order_seq_cst);
    }

    /// Ends the generation, and pins. False: it had ended. `alone`: nobody was inside, and nobody can come in any more.
    bool end(std::uint32_t generation, bool& alone) noexcept
    {
        std::uint64_t word = word_.load(std::memory_order_relaxed);
        do
            if (generation_of(word) != generation)
                return false;
        while (!word_.compare_exchange_weak(word, (word + one_generation + one_pin) | limbo, std::memory_order_seq_cst));
        alone = (word & pins) == 0;
        return true;
    }

private:
    static constexpr std::uint64_t one_pin = 1;
    static constexpr std::uint64_t limbo = std::uint64_t{1} << 31;
    static constexpr std::uint64_t pins = limbo - 1;
    static constexpr std::uint64_t one_generation = std::uint64_t{1} << 32;

    static constexpr std::uint32_t generation_of(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word >> 32); }

    std::atomic<std::uint64_t> word_;
};

} // namespace sigev::spi::kernel

// Generation and pins of a slot, in one word: {generation:32 | pins:32}.
//
// A slot's memory is type-stable (its table never gives it back), so a stale handle can always be looked at. A pin keeps
// the slot from going to its next owner while somebody is inside. Both stand in one word: with two, "no pins" and "next
// generation" could not be decided together, and a slot would change hands under somebody who has just come in.
#pragma once

#include <atomic>
#include <cstdint>

namespace sigev::core {

class generation_word {
public:
    std::uint32_t generation() const noexcept
    {
        return static_cast<std::uint32_t>(word_.load(std::memory_order_acquire) >> 32);
    }

    /// Pins the slot if it is of this generation (in the bits of `mask`). Async-signal-safe.
    bool pin(std::uint32_t generation, std::uint32_t mask) noexcept
    {
        const std::uint64_t old = word_.fetch_add(1, std::memory_order_seq_cst);
        if (((static_cast<std::uint32_t>(old >> 32) ^ generation) & mask) == 0)
            return true;
        unpin();
        return false;
    }

    bool pinned() const noexcept { return static_cast<std::uint32_t>(word_.load(std::memory_order_seq_cst)) != 0; }

    /// True when this was the last pin.
    bool unpin() noexcept
    {
        return static_cast<std::uint32_t>(word_.fetch_sub(1, std::memory_order_seq_cst)) == 1;
    }

    /// Ends the generation for those who come later; pins stay. False: it had ended already.
    bool end(std::uint32_t generation) noexcept
    {
        std::uint64_t old = word_.load(std::memory_order_acquire);
        do
            if (static_cast<std::uint32_t>(old >> 32) != generation)
                return false;
        while (!word_.compare_exchange_weak(old, old + (std::uint64_t{1} << 32), std::memory_order_seq_cst));
        return true;
    }

    /// Hands the slot to its next owner. False: somebody is still inside; try again later.
    bool advance_if_unpinned() noexcept
    {
        std::uint64_t old = word_.load(std::memory_order_acquire);
        if (static_cast<std::uint32_t>(old) != 0)
            return false;
        return word_.compare_exchange_strong(old, old + (std::uint64_t{1} << 32), std::memory_order_seq_cst);
    }

private:
    std::atomic<std::uint64_t> word_{std::uint64_t{2} << 32};
};

} // namespace sigev::core

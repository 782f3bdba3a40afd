// The slots of one engine: found by index from anywhere, handed out by create(), taken back by the reactor.
#pragma once

#include "backends/timer/heap/deadline_heap.hpp"
#include "backends/timer/heap/timer_slot.hpp"
#include "sys/ready_bitmap.hpp"
#include "sys/segmented_array.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace sigev::spi::heap {

/// What settime() never touches. Apart from the hot slots, which then share cache lines only with each other.
struct cold_slot {
    std::uint32_t position; ///< in its heap; the reactor's
    std::uint32_t next;     ///< of a chain of free slots: the reactor's until it is recycled, then the table's
    std::atomic<std::uint32_t> wishes; ///< class wishes; fixed from create() to the next one
};

class slot_table {
public:
    static constexpr std::uint32_t nothing = ~std::uint32_t{0};
    static constexpr std::size_t max_slots = sys::ready_bitmap::max_size;

    using entries = sys::segmented_array<heap_entry, 256>;

    /// Slots on their way back, linked through cold_slot::next, oldest first.
    struct chain {
        std::uint32_t first = nothing;
        std::uint32_t last = nothing;
    };

    /// A free slot, the longest free first, or a new one, for which everything grows that a slot will ever need, so
    /// that nothing later can fail for want of memory. 0, ENOMEM, or EAGAIN when there are max_slots.
    int acquire(std::uint32_t& index) noexcept;

    /// Appends to a chain of the reactor's.
    void link(chain& c, std::uint32_t index) noexcept;

    /// Gives a chain back, and empties it. One lock for all of them.
    void recycle(chain& c) noexcept;

    timer_slot* find(std::uint32_t index) const noexcept { return hot_.find(index); }
    timer_slot& operator[](std::uint32_t index) const noexcept { return hot_[index]; }
    cold_slot& cold(std::uint32_t index) const noexcept { return cold_[index]; }
    /// It is settled soon.
    void fetch(std::uint32_t index) const noexcept
    {
        __builtin_prefetch(&hot_[index], 1);
        __builtin_prefetch(&cold_[index], 1);
    }
    /// It is given back soon.
    void fetch_cold(std::uint32_t index) const noexcept { __builtin_prefetch(&cold_[index], 1); }
    /// It is moved in its heap soon, if it stands in one.
    void fetch_entry(std::uint32_t index) const noexcept
    {
        if (const std::uint64_t hkey = hot_[index].hkey.load(std::memory_order_relaxed); hkey != none)
            __builtin_prefetch(&entries_[base_of(hkey)][cold_[index].position + heap_offset], 1);
    }
    entries& heap_memory(unsigned base) noexcept { return entries_[base]; }
    sys::ready_bitmap& ready() noexcept { return ready_; }

private:
    bool grow(std::size_t size) noexcept;

    sys::segmented_array<timer_slot, 128> hot_;
    sys::segmented_array<cold_slot, 512> cold_;
    entries entries_[bases];
    sys::ready_bitmap ready_;

    std::mutex mutex_; // of what follows, and of growing; never taken by settime(), gettime(), destroy()
    chain free_;
    std::size_t created_ = 0;
};

} // namespace sigev::spi::heap

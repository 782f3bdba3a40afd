// A table of slots that never move and are never given back while the table lives, so that a lock-free reader may look at
// any slot that was ever handed out. Chunks double, so 18 pointers hold what 24 bits of index can name.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <new>

namespace sigev::core {

template <class T>
class slab {
public:
    static constexpr std::uint32_t first_chunk = 64;
    static constexpr std::uint32_t limit = first_chunk * ((1u << 18) - 1); ///< what 18 chunks hold: all but 64 of 24 bits

    slab() = default;
    slab(const slab&) = delete;
    slab& operator=(const slab&) = delete;
    ~slab()
    {
        for (auto& chunk : chunks_)
            delete[] chunk.load(std::memory_order_relaxed);
    }

    /// Null when no such slot was ever made. Lock-free, async-signal-safe.
    T* at(std::uint32_t index) const noexcept
    {
        if (index >= limit)
            return nullptr;
        const auto [chunk, offset] = place(index);
        T* base = chunks_[chunk].load(std::memory_order_acquire);
        return base ? base + offset : nullptr;
    }

    /// The caller knows that it was made.
    T& operator[](std::uint32_t index) const noexcept
    {
        const auto [chunk, offset] = place(index);
        return chunks_[chunk].load(std::memory_order_acquire)[offset];
    }

    /// A free slot's index; false: no memory, or the table is full. Not async-signal-safe.
    bool acquire(std::uint32_t& index) noexcept
    {
        std::lock_guard lock(mutex_);
        if (free_.empty() && !grow())
            return false;
        // First in, first out: the longer a slot rests, the later its generation comes round again.
        index = free_.front();
        free_.pop_front();
        return true;
    }

    void release(std::uint32_t index) noexcept
    {
        std::lock_guard lock(mutex_);
        try {
            free_.push_back(index);
        } catch (const std::bad_alloc&) {
            // The slot rests until the table goes: a leak of one slot, in a process without memory.
        }
    }

    /// Calls f(slot) for every slot that was ever made.
    template <class F>
    void for_each(F&& f) const
    {
        const std::uint32_t made = made_.load(std::memory_order_acquire);
        for (std::uint32_t i = 0; i != made; ++i)
            f((*this)[i]);
    }

private:
    struct location {
        unsigned chunk;
        std::uint32_t offset;
    };

    static constexpr location place(std::uint32_t index) noexcept
    {
        const std::uint32_t shifted = index / first_chunk + 1;
        const unsigned chunk = static_cast<unsigned>(std::bit_width(shifted)) - 1;
        return {chunk, index - first_chunk * ((1u << chunk) - 1)};
    }

    bool grow() noexcept
    {
        const std::uint32_t made = made_.load(std::memory_order_relaxed);
        if (made >= limit)
            return false;
        const auto [chunk, offset] = place(made);
        const std::uint32_t size = first_chunk << chunk;
        try {
            auto fresh = std::make_unique<T[]>(size);
            for (std::uint32_t i = 0; i != size && made + i < limit; ++i) {
                set_index(fresh[i], made + i);
                free_.push_back(made + i);
            }
            chunks_[chunk].store(fresh.release(), std::memory_order_release);
        } catch (const std::bad_alloc&) {
            while (!free_.empty())
                free_.pop_back();
            return false;
        }
        made_.store(made + size < limit ? made + size : limit, std::memory_order_release);
        return true;
    }

    static void set_index(T& slot, std::uint32_t index) noexcept { slot.index = index; }

    std::atomic<T*> chunks_[18]{};
    std::atomic<std::uint32_t> made_{0};
    std::mutex mutex_;
    std::deque<std::uint32_t> free_;
};

} // namespace sigev::core

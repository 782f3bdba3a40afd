// Tables of slots that never move and are never given back while the table lives, so that a lock-free reader may look at any
// slot that was ever handed out. Chunks double, so 18 pointers hold what 24 bits of index can name.
//
//   slots  the memory, and the way from an index to it
//   slab   one slot at a time, the longest free one first
//   runs   slots with indices that follow each other
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

namespace sigev::core {

template <class T>
class slots {
public:
    static constexpr std::uint32_t first_chunk = 64;
    static constexpr std::uint32_t limit = first_chunk * ((1u << 18) - 1); ///< what 18 chunks hold: all but 64 of 24 bits

    slots() = default;
    slots(const slots&) = delete;
    slots& operator=(const slots&) = delete;
    ~slots()
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

    /// Calls f(slot) for every slot that was ever made.
    template <class F>
    void for_each(F&& f) const
    {
        const std::uint32_t made = made_.load(std::memory_order_acquire);
        for (std::uint32_t i = 0; i != made; ++i)
            f((*this)[i]);
    }

protected:
    /// One more chunk: [made, made + size). False: no memory, or the table is full.
    bool grow(std::uint32_t& made, std::uint32_t& size) noexcept
    {
        made = made_.load(std::memory_order_relaxed);
        if (made >= limit)
            return false;
        const unsigned chunk = place(made).chunk;
        size = first_chunk << chunk;
        T* const fresh = new (std::nothrow) T[size]();
        if (!fresh)
            return false;
        for (std::uint32_t i = 0; i != size; ++i)
            fresh[i].index = made + i;
        chunks_[chunk].store(fresh, std::memory_order_release);
        made_.store(made + size, std::memory_order_release);
        return true;
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

    std::atomic<T*> chunks_[18]{};
    std::atomic<std::uint32_t> made_{0};
};

template <class T>
class slab : public slots<T> {
public:
    /// A free slot's index; false: no memory, or the table is full. Not async-signal-safe.
    bool acquire(std::uint32_t& index) noexcept
    {
        std::lock_guard lock(mutex_);
        if (free_.empty() && !more())
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

private:
    bool more() noexcept
    {
        std::uint32_t made;
        std::uint32_t size;
        if (!this->grow(made, size))
            return false;
        try {
            for (std::uint32_t i = 0; i != size; ++i)
                free_.push_back(made + i);
        } catch (const std::bad_alloc&) {
            return !free_.empty();
        }
        return true;
    }

    std::mutex mutex_;
    std::deque<std::uint32_t> free_;
};

template <class T>
class runs : public slots<T> {
public:
    /// The first of n free slots that follow each other; false: no memory, or no such run. Not async-signal-safe.
    bool acquire(std::uint32_t n, std::uint32_t& first) noexcept
    {
        std::lock_guard lock(mutex_);
        try {
            if (n == 1 && !single_.empty()) {
                first = single_.back();
                single_.pop_back();
                return true;
            }
            single_.reserve(single_.size() + 1);
            for (;;) {
                for (auto run = free_.begin(); run != free_.end(); ++run)
                    if (run->second >= n) {
                        take(run, n, first);
                        return true;
                    }
                if (!single_.empty()) {
                    put_singles_back();
                    continue;
                }
                std::uint32_t made;
                std::uint32_t size;
                if (!this->grow(made, size))
                    return false;
                put(made, size);
            }
        } catch (const std::bad_alloc&) {
            return false;
        }
    }

    void release(std::uint32_t n, std::uint32_t first) noexcept
    {
        std::lock_guard lock(mutex_);
        try {
            if (n == 1)
                single_.push_back(first); // most are: they go back into a run only when one is looked for
            else
                put(first, n);
        } catch (const std::bad_alloc&) {
            // They rest until the table goes.
        }
    }

private:
    using free_runs = std::map<std::uint32_t, std::uint32_t>; // first, and how many

    // Its rest keeps the node, under another key.
    void take(typename free_runs::iterator run, std::uint32_t n, std::uint32_t& first)
    {
        first = run->first;
        auto node = free_.extract(run);
        if (node.mapped() == n)
            return;
        node.key() += n;
        node.mapped() -= n;
        free_.insert(std::move(node));
    }

    void put(std::uint32_t first, std::uint32_t n)
    {
        auto run = free_.emplace(first, n).first;
        if (const auto next = std::next(run); next != free_.end() && first + n == next->first) {
            run->second += next->second;
            free_.erase(next);
        }
        if (run != free_.begin())
            if (const auto before = std::prev(run); before->first + before->second == first) {
                before->second += run->second;
                free_.erase(run);
            }
    }

    void put_singles_back()
    {
        for (; !single_.empty(); single_.pop_back())
            put(single_.back(), 1);
    }

    std::mutex mutex_;
    free_runs free_;
    std::vector<std::uint32_t> single_;
};

} // namespace sigev::core

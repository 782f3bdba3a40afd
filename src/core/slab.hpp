// Tables of slots that never move and are never given back while the table lives, so that a lock-free reader may look at any
// slot that was ever handed out. Chunks double, so 18 pointers hold what 24 bits of index can name. There is room for many
// slots before they are made: memory that nobody has touched costs nothing.
//
//   slots  the memory, and the way from an index to it
//   slab   one slot at a time, the longest free one first
//   runs   slots with indices that follow each other
//
// A slot may be *promised*: then it is there when it is asked for, whatever else is taken meanwhile.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
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
        for_each([](T& slot) { slot.~T(); });
        for (void* memory : memory_)
            std::free(memory);
    }

    /// Null when no such slot was ever made. Lock-free, async-signal-safe.
    T* at(std::uint32_t index) const noexcept
    {
        return index < made_.load(std::memory_order_acquire) ? &(*this)[index] : nullptr;
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
    /// Room for one more chunk: [first, first + size). False: no memory, or the table is full.
    bool grow(std::uint32_t& first, std::uint32_t& size) noexcept
    {
        if (room_ >= limit)
            return false;
        const unsigned chunk = place(room_).chunk;
        first = room_;
        size = first_chunk << chunk;
        // Not new T[]: that would touch it all.
        void* const memory = std::calloc(1, std::size_t{size} * sizeof(T) + alignof(T));
        if (!memory)
            return false;
        memory_[chunk] = memory;
        const auto aligned = (reinterpret_cast<std::uintptr_t>(memory) + alignof(T) - 1) & ~(std::uintptr_t{alignof(T)} - 1);
        chunks_[chunk].store(reinterpret_cast<T*>(aligned), std::memory_order_release);
        room_ += size;
        return true;
    }

    /// Those below n, for which there is room, are made.
    void make(std::uint32_t n) noexcept
    {
        std::uint32_t made = made_.load(std::memory_order_relaxed);
        if (made >= n)
            return;
        for (; made != n; ++made)
            (new (&(*this)[made]) T())->index = made;
        made_.store(n, std::memory_order_release);
    }

    std::uint32_t room() const noexcept { return room_; }

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
    std::uint32_t room_ = 0;
    void* memory_[18]{};
};

template <class T>
class slab : public slots<T> {
public:
    /// A free slot's index; false: no memory, or the table is full. Not async-signal-safe.
    bool acquire(std::uint32_t& index) noexcept
    {
        std::lock_guard lock(mutex_);
        if (!find_room(promised_ + 1))
            return false;
        index = take();
        return true;
    }

    /// n more slots will be there for acquire_promised(). False: no memory, or the table is full. Not async-signal-safe.
    bool promise(std::uint32_t n) noexcept
    {
        std::lock_guard lock(mutex_);
        if (!find_room(promised_ + n))
            return false;
        promised_ += n;
        return true;
    }

    /// They are not asked for after all.
    void take_back(std::uint32_t n) noexcept
    {
        std::lock_guard lock(mutex_);
        promised_ -= n;
    }

    std::uint32_t acquire_promised() noexcept
    {
        std::lock_guard lock(mutex_);
        --promised_;
        return take();
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
    static constexpr std::size_t at_rest = 64; ///< so many rest before the first of them serves again

    bool find_room(std::size_t n) noexcept
    {
        while (free_.size() + (this->room() - fresh_) < n) {
            std::uint32_t first;
            std::uint32_t size;
            if (!this->grow(first, size))
                return false;
        }
        return true;
    }

    // First in, first out: the longer a slot rests, the later its generation comes round again.
    std::uint32_t take() noexcept
    {
        if (fresh_ != this->room() && free_.size() < at_rest) {
            this->make(fresh_ + 1);
            return fresh_++;
        }
        const std::uint32_t index = free_.front();
        free_.pop_front();
        return index;
    }

    std::mutex mutex_;
    std::deque<std::uint32_t> free_; ///< those that have been used
    std::uint32_t fresh_ = 0;        ///< from here on none ever was
    std::uint32_t promised_ = 0;
};

template <class T>
class runs : public slots<T> {
public:
    /// The first of n free slots that follow each other; false: no memory, or no such run. Not async-signal-safe.
    bool acquire(std::uint32_t n, std::uint32_t& first) noexcept
    {
        std::lock_guard lock(mutex_);
        try {
            while (count_ < std::uint64_t{promised_} + n)
                if (!more())
                    return false;
            if (n == 1 && !single_.empty()) {
                first = take_single();
                return true;
            }
            single_.reserve(single_.size() + 1);
            for (;;) {
                for (auto run = free_.begin(); run != free_.end(); ++run)
                    if (run->second >= n) {
                        take(run, n, first);
                        return true;
                    }
                if (!single_.empty())
                    put_singles_back();
                else if (!more())
                    return false;
            }
        } catch (const std::bad_alloc&) {
            return false;
        }
    }

    /// n more single slots will be there for acquire_promised(). False: no memory, or the table is full.
    bool promise(std::uint32_t n) noexcept
    {
        std::lock_guard lock(mutex_);
        try {
            while (count_ < std::uint64_t{promised_} + n)
                if (!more())
                    return false;
        } catch (const std::bad_alloc&) {
            return false;
        }
        promised_ += n;
        return true;
    }

    std::uint32_t acquire_promised() noexcept
    {
        std::lock_guard lock(mutex_);
        --promised_;
        if (!single_.empty())
            return take_single();
        std::uint32_t first;
        take(free_.begin(), 1, first);
        return first;
    }

    void release(std::uint32_t n, std::uint32_t first) noexcept
    {
        std::lock_guard lock(mutex_);
        try {
            if (n == 1)
                single_.push_back(first); // most are: they go back into a run only when one is looked for
            else
                put(first, n);
            count_ += n;
        } catch (const std::bad_alloc&) {
            // They rest until the table goes.
        }
    }

private:
    using free_runs = std::map<std::uint32_t, std::uint32_t>; // first, and how many

    bool more()
    {
        std::uint32_t first;
        std::uint32_t size;
        if (!this->grow(first, size))
            return false;
        put(first, size);
        count_ += size;
        return true;
    }

    std::uint32_t take_single() noexcept
    {
        const std::uint32_t first = single_.back();
        single_.pop_back();
        --count_;
        return first;
    }

    // Its rest keeps the node, under another key.
    void take(typename free_runs::iterator run, std::uint32_t n, std::uint32_t& first)
    {
        first = run->first;
        count_ -= n;
        this->make(first + n);
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
    std::uint64_t count_ = 0; ///< of the free ones
    std::uint32_t promised_ = 0;
};

} // namespace sigev::core

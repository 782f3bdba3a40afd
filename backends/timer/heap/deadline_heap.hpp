// A heap of (key, slot), smallest key first, that knows where each slot stands. Data only: no atomics, no clock.
//
// Four children to a node: half the levels of a binary heap, and the four stand in one cache line, since entries are
// 16 bytes and node n is kept at n + 3, which puts a node's first child at a multiple of 4.
//
// Entries: what [n] gives an entry& for all n below the number of slots + 3. Positions: what (slot) gives a
// std::uint32_t& for; meaningful only while the slot is in the heap. Both are the owner's, who makes room before he
// inserts: nothing here allocates or fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace sigev::spi::heap {

struct heap_entry {
    std::uint64_t key;
    std::uint32_t slot;
    std::uint32_t node; ///< of what find() has found: where it stands
};

inline constexpr std::size_t heap_offset = 3;

template <class Entries, class Positions>
class deadline_heap {
public:
    deadline_heap(Entries& entries, Positions positions) noexcept
        : entries_(entries), positions_(std::move(positions))
    {
    }

    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }
    const heap_entry& top() const noexcept { return at(0); }

    void insert(std::uint32_t slot, std::uint64_t key) noexcept { rise(size_++, {key, slot, 0}); }

    /// The slot is in the heap.
    void move(std::uint32_t slot, std::uint64_t key) noexcept { settle(positions_(slot), {key, slot, 0}); }

    /// The slot is in the heap.
    void remove(std::uint32_t slot) noexcept
    {
        const std::size_t hole = positions_(slot);
        const heap_entry last = at(--size_);
        if (last.slot != slot)
            settle(hole, last);
    }

    /// What does not come after `last`, into `out`, in no order but this: after each one's parent. How many there are; where there
    /// is no room for all, one more than there is room for, and `out` is full.
    std::size_t find(std::uint64_t last, std::span<heap_entry> out) const noexcept
    {
        std::size_t found = 0;
        const auto look_at = [&](std::size_t n) {
            const heap_entry& e = at(n);
            if (e.key > last)
                return true;
            if (found == out.size())
                return false;
            out[found++] = {e.key, e.slot, static_cast<std::uint32_t>(n)};
            return true;
        };
        if (size_ > 0 && !look_at(0))
            return out.size() + 1;
        for (std::size_t i = 0; i < found; ++i)
            for (std::size_t n = out[i].node * arity + 1, end = n + arity; n < end && n < size_; ++n)
                if (!look_at(n))
                    return out.size() + 1;
        return found;
    }

    /// Those that find() has just found, and nothing has been done to the heap since. They leave holes at the top of it, which
    /// are filled from below: each entry that fills one sinks no deeper than from there.
    void remove(std::span<const heap_entry> found) noexcept
    {
        for (std::size_t i = found.size(); i-- > 0;) // the last hole first, so that what stands last is never another one
            if (--size_ != found[i].node)
                sink(found[i].node, at(size_));
    }

    /// Calls gone(slot) for each, and is empty.
    template <class Visitor>
    void clear(Visitor&& gone)
    {
        while (size_ > 0)
            gone(at(--size_).slot);
    }

private:
    static constexpr std::size_t arity = 4;

    heap_entry& at(std::size_t n) const noexcept { return entries_[n + heap_offset]; }

    void put(std::size_t n, const heap_entry& e) noexcept
    {
        at(n) = e;
        positions_(e.slot) = static_cast<std::uint32_t>(n);
    }

    // Puts e into the hole at n, or to where it belongs from there.
    void settle(std::size_t n, const heap_entry& e) noexcept
    {
        if (n > 0 && e.key < at((n - 1) / arity).key)
            rise(n, e);
        else
            sink(n, e);
    }

    void rise(std::size_t n, const heap_entry& e) noexcept
    {
        while (n > 0) {
            const std::size_t parent = (n - 1) / arity;
            if (at(parent).key <= e.key)
                break;
            put(n, at(parent));
            n = parent;
        }
        put(n, e);
    }

    void sink(std::size_t n, heap_entry e) noexcept
    {
        for (std::size_t first = n * arity + 1; first < size_; first = n * arity + 1) {
            const std::size_t end = first + arity < size_ ? first + arity : size_;
            for (std::size_t child = first; child < end; ++child)
                if (child * arity + 1 < size_)
                    __builtin_prefetch(&at(child * arity + 1));
            std::size_t least = first;
            for (std::size_t child = first + 1; child < end; ++child)
                if (at(child).key < at(least).key)
                    least = child;
            if (at(least).key >= e.key)
                break;
            put(n, at(least));
            n = least;
        }
        put(n, e);
    }

    Entries& entries_;
    Positions positions_;
    std::size_t size_ = 0;
};

} // namespace sigev::spi::heap

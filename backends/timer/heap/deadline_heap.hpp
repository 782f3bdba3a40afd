// A heap of (key, slot), smallest key first, that knows where each slot stands. Data only: no atomics, no clock.
//
// Four children to a node: half the levels of a binary heap, and the four stand in one cache line, since entries are
// 16 bytes and node n is kept at n + 3, which puts a node's first child at a multiple of 4.
//
// Entries: what [n] gives an entry& for all n below the number of slots + 3. Positions: what (slot) gives a
// std::uint32_t& for; meaningful only while the slot is in the heap. Both are the owner's, who makes room before he
// inserts: nothing here allocates or fails.
//
// Many that are due at once are taken out together (take_until): in a heap all keys up to a limit stand together at its
// top, so they are found level by level without looking at the rest, and what is moved into their places sinks from
// below, which is short. Then they are sorted by their bits, where a heap would sink its last entry from the very top for
// each of them. Room for that needs no memory of its own: what is taken out leaves as much behind the heap's end.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace sigev::spi::heap {

struct heap_entry {
    std::uint64_t key;
    std::uint32_t slot;
    std::uint32_t place; ///< of one that is being taken out: where it stood
};
static_assert(sizeof(heap_entry) == 16);

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

    /// Takes out all with a key of at most `limit`, of which there is at least one, and returns how many. From then on
    /// taken(size(), n) is the n-th of them by key, as long as what is inserted again is not more than has been looked
    /// at. `aside` has room: what aside(n) gives a heap_entry& for, n below the number of those that are taken out.
    template <class Aside>
    std::size_t take_until(std::uint64_t limit, Aside&& aside) noexcept
    {
        const std::size_t count = find_until(limit, aside);
        // The highest places first: those behind a hole have been filled, so what stands last is one that stays, and all
        // above the hole goes as well, so it can only sink.
        for (std::size_t i = count; i-- > 0;)
            if (const std::size_t hole = aside(i).place; hole != --size_)
                sink(hole, at(size_));
        sort_behind(count, aside);
        return count;
    }
    const heap_entry& taken(std::size_t end, std::size_t n) const noexcept { return at(end + n); }

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

    // Level by level: their places rise.
    template <class Aside>
    std::size_t find_until(std::uint64_t limit, Aside& aside) const noexcept
    {
        std::size_t found = 0;
        const auto look_at = [&](std::size_t n) {
            if (at(n).key <= limit)
                aside(found++) = {at(n).key, at(n).slot, static_cast<std::uint32_t>(n)};
        };
        look_at(0);
        for (std::size_t i = 0; i != found; ++i) {
            const std::size_t first = aside(i).place * arity + 1;
            for (std::size_t child = first; child < std::min(first + arity, size_); ++child)
                look_at(child);
        }
        return found;
    }

    static constexpr std::size_t a_few = 256;

    // What has been put aside goes behind the heap, in order.
    template <class Aside>
    void sort_behind(std::size_t count, Aside& aside) noexcept
    {
        if (count <= a_few) {
            std::array<heap_entry, a_few> all;
            for (std::size_t i = 0; i != count; ++i)
                all[i] = aside(i);
            std::sort(all.begin(), all.begin() + count,
                      [](const heap_entry& a, const heap_entry& b) { return a.key < b.key; });
            for (std::size_t i = 0; i != count; ++i)
                at(size_ + i) = all[i];
            return;
        }
        const std::uint64_t least = aside(0).key; // the heap's top
        std::uint64_t most = least;
        for (std::size_t i = 0; i != count; ++i)
            most = std::max(most, aside(i).key);
        const auto behind = [this, end = size_](std::size_t i) -> heap_entry& { return at(end + i); };
        // An odd number of passes ends behind the heap.
        constexpr unsigned most_digits = 11;
        const auto width = static_cast<unsigned>(std::bit_width(most - least));
        const unsigned passes = ((width + most_digits - 1) / most_digits) | 1;
        const unsigned digits = std::max(1u, (width + passes - 1) / passes);
        for (unsigned pass = 0; pass != passes; ++pass)
            if (pass % 2 == 0)
                sort_by(pass * digits, digits, least, count, aside, behind);
            else
                sort_by(pass * digits, digits, least, count, behind, aside);
    }

    // Stable, by so many bits of what the keys are above `least`.
    template <class From, class To>
    static void sort_by(unsigned shift, unsigned digits, std::uint64_t least, std::size_t count, From& from, To& to) noexcept
    {
        std::array<std::uint32_t, 1u << 11> ends{};
        const auto digit = [&](const heap_entry& e) { return (e.key - least) >> shift & ((1u << digits) - 1); };
        for (std::size_t i = 0; i != count; ++i)
            ++ends[digit(from(i))];
        std::uint32_t sum = 0;
        for (std::uint32_t& end : ends)
            sum += std::exchange(end, sum);
        for (std::size_t i = 0; i != count; ++i) {
            const heap_entry& e = from(i);
            to(ends[digit(e)]++) = e;
        }
    }

    Entries& entries_;
    Positions positions_;
    std::size_t size_ = 0;
};

} // namespace sigev::spi::heap

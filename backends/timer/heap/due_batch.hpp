// What is due at once, in order: taken out of the heap in batches of a size that fits the first cache.
//
// A batch is all that is due up to some instant. Where that is more than there is room for an earlier instant is tried, half as far
// from the first deadline, which then serves the following batches, too: in a burst deadlines stand about equally close. Data only.
#pragma once

#include "backends/timer/heap/deadline_heap.hpp"

#include <boost/sort/pdqsort/pdqsort.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sigev::spi::heap {

class due_batch {
public:
    static constexpr std::size_t room = 4096;

    /// Before the first take() of a turn.
    void begin() noexcept { span_ = ~std::uint64_t{0}; }

    /// At least one entry of the heap has a key that is not after `last`. The first of them, by key; they are out of the heap. Valid
    /// until the next take().
    template <class Heap>
    std::span<const heap_entry> take(Heap& heap, std::uint64_t last) noexcept
    {
        const std::uint64_t first = heap.top().key;
        span_ = std::min(span_, last - first);
        std::size_t found = heap.find(first + span_, entries_);
        while (found > room && span_ != 0) {
            span_ /= 2;
            found = heap.find(first + span_, entries_);
        }
        // More than there is room for under one key: which of them come first does not matter.
        const std::span batch(entries_.data(), std::min(found, room));
        heap.remove(batch);
        if (batch.size() < room / 4)
            span_ = span_ < last - first ? 2 * span_ + 1 : last - first;
        if (batch.size() > 1)
            boost::sort::pdqsort_branchless(batch.begin(), batch.end(), [](const heap_entry& a, const heap_entry& b) { return a.key < b.key; });
        return batch;
    }

private:
    std::uint64_t span_ = 0; ///< of keys
    std::array<heap_entry, room> entries_;
};

} // namespace sigev::spi::heap

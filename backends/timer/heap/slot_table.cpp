#include "backends/timer/heap/slot_table.hpp"

#include <cerrno>

namespace sigev::spi::heap {

int slot_table::acquire(std::uint32_t& index) noexcept
{
    const std::lock_guard lock(mutex_);
    if (free_.first != nothing) {
        // Oldest first: a handle that is used after its end meets its slot's next owner as late as possible.
        index = free_.first;
        free_.first = cold_[index].next;
        if (free_.first == nothing)
            free_.last = nothing;
        return 0;
    }
    if (created_ >= max_slots)
        return EAGAIN;
    if (!grow(created_ + 1))
        return ENOMEM;
    index = static_cast<std::uint32_t>(created_++);
    hot_[index].hkey.store(none, std::memory_order_relaxed);
    return 0;
}

bool slot_table::grow(std::size_t size) noexcept
{
    // A slot stands in one heap at a time, but in either: both have room for all. Untouched room costs no memory.
    return hot_.reserve(size) && cold_.reserve(size) && entries_[0].reserve(size + heap_offset) &&
           entries_[1].reserve(size + heap_offset) && ready_.grow(size);
}

void slot_table::link(chain& c, std::uint32_t index) noexcept
{
    cold_[index].next = nothing;
    (c.last == nothing ? c.first : cold_[c.last].next) = index;
    c.last = index;
}

void slot_table::recycle(chain& c) noexcept
{
    if (c.first == nothing)
        return;
    const std::lock_guard lock(mutex_);
    (free_.last == nothing ? free_.first : cold_[free_.last].next) = c.first;
    free_.last = c.last;
    c = {};
}

} // namespace sigev::spi::heap

#include "sources/aio_completed.hpp"

#include <algorithm>

namespace sigev::sources {

std::uint64_t aio_completed::add(std::uint32_t index, aiocb& cb, ssize_t result, int error) noexcept
{
    if (length_ >= swept_at_)
        sweep();
    aio_entry& e = entries_[index];
    e.cb = &cb;
    e.result = result;
    e.error = error;
    e.next = nullptr;
    (last_ ? last_->next : first_) = &e;
    last_ = &e;
    ++length_;
    const std::uint64_t word = e.word.load(std::memory_order_relaxed);
    e.word.store(word | 1, std::memory_order_release);
    return word >> 1 << 32 | index;
}

// Out of the list; its next life is another generation's.
void aio_completed::retire(aio_entry& e) noexcept
{
    const std::uint64_t generation = ((e.word.load(std::memory_order_relaxed) >> 1) + 1) & UINT32_MAX;
    e.word.store(generation << 1, std::memory_order_release);
    entries_.release(e.index);
}

bool aio_completed::take(aio_entry& out) noexcept
{
    while (aio_entry* const e = first_) {
        first_ = e->next;
        if (!first_)
            last_ = nullptr;
        --length_;
        std::uint64_t word = e->word.load(std::memory_order_acquire);
        const bool mine = (word & 1) && e->word.compare_exchange_strong(word, word & ~std::uint64_t{1});
        if (mine) {
            out.cb = e->cb;
            out.result = e->result;
            out.error = e->error;
        }
        retire(*e);
        if (mine)
            return true;
    }
    return false;
}

void aio_completed::sweep() noexcept
{
    aio_entry** place = &first_;
    last_ = nullptr;
    length_ = 0;
    while (aio_entry* const e = *place) {
        if (e->word.load(std::memory_order_acquire) & 1) {
            last_ = e;
            ++length_;
            place = &e->next;
        } else {
            *place = e->next;
            retire(*e);
        }
    }
    swept_at_ = std::max<std::size_t>(64, 2 * length_);
}

} // namespace sigev::sources

#include "kqueue/marks.hpp"

#include <new>

namespace sigev::kq {

// The heap's own part of each would be half of it.
struct marks::block {
    static constexpr std::size_t size = 63;
    block* earlier;
    mark all[size];
};

marks::~marks()
{
    while (block* const b = blocks_) {
        blocks_ = b->earlier;
        delete b;
    }
}

// Under the mutex. Null: no memory.
mark* marks::fresh() noexcept
{
    if (!blocks_ || used_ == block::size) {
        block* const b = new (std::nothrow) block{blocks_, {}};
        if (!b)
            return nullptr;
        blocks_ = b;
        used_ = 0;
    }
    return &blocks_->all[used_++];
}

mark* marks::take(std::uint64_t aiocb, queue& where) noexcept
{
    chain& c = chain_of(aiocb);
    const std::lock_guard lock(mutex_);
    mark* m = c.free;
    if (m) {
        c.free = m->next_free;
    } else {
        m = fresh();
        if (!m)
            return nullptr;
        m->next = c.head.load(std::memory_order_relaxed);
        c.head.store(m, std::memory_order_release);
    }
    m->where.store(&where, std::memory_order_relaxed);
    m->aiocb.store(aiocb, std::memory_order_release);
    return m;
}

void marks::give_back(std::uint64_t aiocb, mark& m) noexcept
{
    chain& c = chain_of(aiocb);
    const std::lock_guard lock(mutex_);
    m.aiocb.store(0, std::memory_order_relaxed);
    m.next_free = c.free;
    c.free = &m;
}

} // namespace sigev::kq

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
    delete[] chains_.load(std::memory_order_relaxed);
}

// Under the mutex. Null: no memory.
marks::chain* marks::chains() noexcept
{
    chain* all = chains_.load(std::memory_order_relaxed);
    if (!all && (all = new (std::nothrow) chain[std::size_t{1} << bits]))
        chains_.store(all, std::memory_order_release);
    return all;
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

mark* marks::take(std::uint64_t aiocb, queue& where, std::uint16_t flags) noexcept
{
    const std::uint16_t number = chain_of(aiocb);
    const std::lock_guard lock(mutex_);
    chain* const all = chains();
    if (!all)
        return nullptr;
    chain& c = all[number];
    mark* m = c.free;
    if (m) {
        c.free = reinterpret_cast<mark*>(m->holds.load(std::memory_order_relaxed));
    } else {
        m = fresh();
        if (!m)
            return nullptr;
        m->next = c.head.load(std::memory_order_relaxed);
        c.head.store(m, std::memory_order_release);
    }
    m->holds.store(awaited{.flags = flags, .chain = number}.packed(), std::memory_order_relaxed);
    m->where.store(&where, std::memory_order_relaxed);
    m->aiocb.store(aiocb, std::memory_order_release);
    return m;
}

void marks::give_back(std::uint16_t number, mark& m) noexcept
{
    const std::lock_guard lock(mutex_);
    chain& c = chains()[number];
    m.holds.store(reinterpret_cast<std::uintptr_t>(c.free), std::memory_order_relaxed);
    c.free = &m;
}

} // namespace sigev::kq

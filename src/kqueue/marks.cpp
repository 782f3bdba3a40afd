#include "kqueue/marks.hpp"

#include <new>

namespace sigev::kq {

marks::~marks()
{
    for (chain& c : chains_)
        for (mark* m = c.head.load(std::memory_order_relaxed); m;) {
            mark* const next = m->next;
            delete m;
            m = next;
        }
}

mark* marks::take(std::uint64_t aiocb, queue& where) noexcept
{
    chain& c = chain_of(aiocb);
    const std::lock_guard lock(mutex_);
    mark* m = c.free;
    if (m) {
        c.free = m->next_free;
    } else {
        m = new (std::nothrow) mark;
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

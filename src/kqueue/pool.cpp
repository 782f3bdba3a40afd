#include "kqueue/pool.hpp"

#include <new>
#include <utility>

namespace sigev::kq {

queue* queue_pool::take() noexcept
{
    const std::lock_guard lock(mutex_);
    if (queue* const q = free_) {
        free_ = std::exchange(q->next_free_, nullptr);
        return q;
    }
    try {
        all_.push_back(std::make_unique<queue>(*this, board_));
        return all_.back().get();
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

queue* queue_pool::at(std::size_t i) noexcept
{
    const std::lock_guard lock(mutex_);
    return i < all_.size() ? all_[i].get() : nullptr;
}

void queue_pool::give_back(queue& q) noexcept
{
    const std::lock_guard lock(mutex_);
    q.next_free_ = std::exchange(free_, &q);
}

} // namespace sigev::kq

// Holding a kqueue's lock for a scope, at whose end the descriptor is settled.
#pragma once

#include "kqueue/queue.hpp"

namespace sigev::kq {

class queue::hold {
public:
    explicit hold(queue& q) noexcept : queue_(q) { q.lock_.lock(); }
    hold(const hold&) = delete;
    hold& operator=(const hold&) = delete;
    ~hold()
    {
        queue_.lock_.unlock([this]() noexcept { queue_.settle(); });
    }

private:
    queue& queue_;
};

} // namespace sigev::kq

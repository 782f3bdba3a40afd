// The memory of kqueues: used again, never freed while others of the process live. See queue.hpp for why.
#pragma once

#include "kqueue/queue.hpp"

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace sigev::kq {

class queue_pool {
public:
    explicit queue_pool(marks& board) noexcept : board_(board) {}

    queue* take() noexcept; ///< null: no memory
    void give_back(queue& q) noexcept;
    queue* at(std::size_t i) noexcept; ///< of all that were ever made; null: there is none beyond

private:
    marks& board_;
    std::mutex mutex_; // a leaf
    std::vector<std::unique_ptr<queue>> all_;
    queue* free_ = nullptr;
};

} // namespace sigev::kq

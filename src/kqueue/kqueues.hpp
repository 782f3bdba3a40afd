// The kqueues of a process: which descriptor is which, and what became of it.
//
// A program may close a kqueue like any descriptor, and nobody tells us. So a number is believed only after a
// question that only our own epoll answers (queue::is). A kqueue whose number has become something else, or
// nothing, is over: it is shut and its inner descriptor reclaimed, when the number is used with us again or is
// given to a new kqueue.
//
// A number that we did not give out may be a dup() of one: the same question, put to every kqueue, finds out. (As
// long as the number we gave out is open too: without it the kqueue cannot be told from a closed one.)
//
// Lock order: the table's mutex > a queue's number mutex. A queue's own lock is taken with neither held.
#pragma once

#include "kqueue/pool.hpp"
#include "spi/kqueue_port.hpp"

#include <mutex>
#include <unordered_map>
#include <utility>

namespace sigev::kq {

/// A kqueue that a call is in: its descriptors stay.
class user {
public:
    user() noexcept = default;
    explicit user(queue& q) noexcept : queue_(&q) { q.use(); }
    user(user&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)) {}
    user& operator=(user&&) = delete;
    ~user()
    {
        if (queue_)
            queue_->leave();
    }

    explicit operator bool() const noexcept { return queue_; }
    queue* operator->() const noexcept { return queue_; }
    queue& operator*() const noexcept { return *queue_; }

private:
    queue* queue_ = nullptr;
};

class kqueues final : public spi::kqueue_port {
public:
    kqueues() : pool_(board_) {}
    kqueues(const kqueues&) = delete;
    kqueues& operator=(const kqueues&) = delete;
    ~kqueues() override
    {
        while (!table_.empty())
            close(table_.begin()->first);
    }

    int open() noexcept override;
    int close(int kqueue) noexcept override;
    int kevent(int kqueue, const sigev_kev* changes, int nchanges, sigev_kev* events, int nevents,
               const timespec* timeout) noexcept override;
    int attach(const spi::knote_request& request, spi::knote** out) noexcept override;
    int promise(int kqueue, std::uint64_t aiocb, std::uint16_t flags, spi::pledge** out) noexcept override;
    void withdraw_if(bool (*is)(const spi::delivery&, const void*), const void* what) noexcept override;
    void forget(std::uint64_t aiocb) noexcept override;

private:
    user find(int descriptor) noexcept;
    void reclaim(int number) noexcept;
    bool end(queue& q) noexcept;

    marks board_;
    queue_pool pool_;
    std::mutex mutex_;
    std::unordered_map<int, queue*> table_;
};

} // namespace sigev::kq

// The thread engine: a bounded pool that calls pread() and friends.
//
// What ends by itself (regular files) is performed by at most `most_threads` threads, in the order it was started. What may
// wait for ever is tried without waiting by the same threads, and otherwise stands in `waits` until it is ready: it never
// keeps a thread, so it starves nobody, and it can be broken off. Descriptors that cannot be tried without waiting
// (terminals; pipes before Linux 6.5) are read when they are ready; a thread that does so does not count against the bound,
// since somebody else may have been faster and it then waits. That is the one wait that stop() cannot end.
//
// Threads come one by one, when there is more to do than there are idle ones; those beyond the first leave after a while
// with nothing to do. They are joined, by the next thread that is made or by stop().
//
// Lock order: mutex_ is a leaf. The sink is called without it.
#pragma once

#include "backends/aio/threads/waits.hpp"
#include "spi/aio_engine.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <thread>

namespace sigev::aio_threads {

class engine final : public spi::aio_engine {
public:
    struct limits {
        std::size_t most_threads = 8;
        std::chrono::milliseconds idle = std::chrono::seconds(5);
    };

    explicit engine(spi::aio_sink& sink, const limits& l);
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine() override;

    int reserve(bool may_wait) noexcept override;
    void start(spi::aio_work& work) noexcept override;
    void stop() noexcept override;

    /// Threads that exist, but for the one that waits.
    std::size_t threads() const noexcept;

private:
    class blocking;

    void enqueue(spi::aio_work& work) noexcept;
    bool spawn_locked() noexcept;
    void join_left_locked() noexcept;
    void run(std::list<std::thread>::iterator self) noexcept;
    spi::aio_work* next_work(std::list<std::thread>::iterator self) noexcept;
    bool serve(spi::aio_work& work) noexcept;
    bool wait_for(spi::aio_work& work) noexcept;

    spi::aio_sink& sink_;
    const limits limits_;
    waits waits_;

    mutable std::mutex mutex_;
    std::condition_variable more_;
    spi::aio_work* first_ = nullptr; ///< the queue
    spi::aio_work* last_ = nullptr;
    std::size_t queued_ = 0;
    std::size_t idle_ = 0;
    std::size_t blocked_ = 0; ///< threads in a call that may wait
    bool stopping_ = false;
    std::list<std::thread> threads_;
    std::list<std::thread> left_; ///< have ended or are about to; to be joined
};

} // namespace sigev::aio_threads

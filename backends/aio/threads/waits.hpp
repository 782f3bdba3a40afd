// The work whose descriptor is not ready: one thread waits for all of it, by epoll, together with a cancel eventfd.
//
// So a read of a pipe that never comes costs no thread, and can be broken off. The descriptors are the source's duplicates:
// each work has a number of its own, and an epoll set knows no number twice. What is ready is handed back to the engine,
// which tries it again on one of its threads: nothing is performed here, so nothing here can block.
//
// Only this thread takes work out of the set, so an event that epoll has reported always points at work that is still here.
//
// Lock order: the engine calls add() and the thread calls `ready` without mutex_; it is a leaf.
#pragma once

#include "spi/aio_engine.hpp"
#include "sys/unique_fd.hpp"

#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace sigev::aio_threads {

class waits {
public:
    /// `ready` takes work back: its readiness_seen or its broken_off is set. On the thread of this object.
    explicit waits(std::function<void(spi::aio_work&)> ready) : ready_(std::move(ready)) {}
    waits(const waits&) = delete;
    waits& operator=(const waits&) = delete;

    /// Once; 0 or EAGAIN, with nothing left behind.
    int open() noexcept;
    bool is_open() const noexcept { return thread_.joinable(); }

    enum class added { waiting, never_waits, failed };
    /// Until the descriptor is ready. never_waits: it has no notion of being ready. failed: broken off, or no memory
    /// (work.error is set); then it stays the caller's.
    added add(spi::aio_work& work) noexcept;

    /// Gives everything back, broken off, and ends the thread.
    void stop() noexcept;

private:
    void run() noexcept;
    void take(spi::aio_work& work) noexcept;
    spi::aio_work* take_all() noexcept;

    std::function<void(spi::aio_work&)> ready_;
    sys::unique_fd epoll_;
    sys::unique_fd cancel_;
    std::mutex mutex_;
    bool stopping_ = false;
    spi::aio_work* first_ = nullptr;
    std::thread thread_;
};

} // namespace sigev::aio_threads

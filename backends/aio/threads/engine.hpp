// The thread engine: a bounded pool that calls pread() and friends.
//
// What may wait for ever stands in `waits` until it is ready, and is carried out there: it never keeps a thread of this pool,
// so it starves nobody, and it can be withdrawn. Descriptors that cannot be tried without waiting (terminals; pipes before
// Linux 6.5) are read here when they are ready; a thread that does so does not count against the bound, since somebody else
// may have been faster and it then waits. That is the one wait that stop() cannot end.
//
// HOW MANY WORK AT ONCE. Waking a thread costs more than a read from memory, and two threads on one core are no faster than
// one. So one thread takes all there is, a few at a time, as long as it finds everything in memory (RWF_NOWAIT); others help
// it when the queue is long and there are cores for them. Before a thread makes a call that blocks, it puts back what it has
// taken beyond that, and another one goes on in its place: so up to `most_threads` requests are with the device at once.
//
// One that finds nothing sleeps at once. Looking for a while first was tried: it then takes requests one by one, and what the two
// threads hand each other costs more than the wakes. On two virtual cores a queued read of 4 KiB went from 1.24 us to 1.1, but in half
// of the runs, those in which it took 1.9 before, to 2.2. Of all that, an array between two threads that does no more than duplicate,
// fstat(), F_GETFL, read and close takes 0.83 and 1.1.
//
// They leave after a while with nothing to do, all but one while there is a channel, for which open() has promised it. (A process
// whose main thread has left ends with its last thread.) They are joined, by the next thread that is made or by stop().
//
// Lock order: mutex_ is a leaf. The sink is called without it.
#pragma once

#include "backends/aio/threads/waits.hpp"
#include "spi/aio_engine.hpp"
#include "sys/brief_mutex.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <thread>

namespace sigev::aio_threads {

class engine final : public spi::aio_engine {
public:
    struct limits {
        std::size_t most_threads = 16;
        std::chrono::milliseconds idle = std::chrono::seconds(5);
    };

    engine(spi::aio_sink& sink, const limits& l);
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine() override;

    void choose(const spi::aio_limits& chosen) noexcept override;
    int open(spi::aio_channel& channel) noexcept override;
    void close(spi::aio_channel& channel) noexcept override;
    void start(spi::aio_work& work) noexcept override;
    bool withdraw(spi::aio_work& work) noexcept override;
    void stop() noexcept override;

    /// Threads that exist, but for the one that waits.
    std::size_t threads() const noexcept;

private:
    class blocking;

    void enqueue(spi::aio_work& work) noexcept;
    void take_locked(spi::aio_work& work) noexcept;
    bool call_help_locked() noexcept;
    bool spawn_locked() noexcept;
    void join_left_locked() noexcept;
    void run(std::list<std::thread>::iterator self) noexcept;
    spi::aio_work* next_batch(std::list<std::thread>::iterator self) noexcept;
    bool sleep(std::unique_lock<sys::brief_mutex>& lock) noexcept;
    void serve(spi::aio_work* batch) noexcept;
    void put_back(spi::aio_work* batch) noexcept;
    bool block_for(spi::aio_work& work) noexcept;

    spi::aio_sink& sink_;
    limits limits_; ///< under mutex_
    const std::size_t most_busy_; ///< threads that nothing blocks: more than cores are of no use
    waits waits_;

    mutable sys::brief_mutex mutex_;
    std::atomic<std::uint32_t> bell_{0}; ///< idle threads sleep on it; changed under mutex_
    spi::aio_work_list queue_;
    std::size_t idle_ = 0;
    std::size_t called_ = 0;  ///< of the idle ones: have been notified and not woken yet
    std::size_t blocked_ = 0; ///< threads in a call that blocks
    std::size_t for_ever_ = 0; ///< of these, in one that may never return: they do not count against the bound
    std::atomic<std::size_t> channels_{0}; ///< that are open; more under mutex_ only
    bool stopping_ = false;
    std::list<std::thread> threads_;
    std::list<std::thread> left_; ///< have ended or are about to; to be joined
};

} // namespace sigev::aio_threads

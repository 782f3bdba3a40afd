// The work whose descriptor is not ready: one thread waits for all of it, by epoll, and carries it out when it is.
//
// So a read of a pipe that never comes costs no thread, is one hop away from its data, and can be withdrawn. The work on one
// channel stands in two lines, reads and writes: neither waits for the other, and each is served in the order of the calls.
// This thread only makes transfers that cannot wait. Where a descriptor knows no such thing (terminals; pipes before Linux
// 6.5), the first of the line goes to the engine's threads when it is ready, and the line is busy until it has returned.
//
// A channel is in the epoll set from open() to close(), and armed (one shot) while somebody stands in a line that is not
// busy. Arming is a change of what is there already, so it needs no memory and cannot fail. An event names a place in a table
// and its use: one that was reported just before its channel was closed is not taken for the next one's.
//
// Lock order: mutex_ is a leaf. `finished` and `must_block` are called without it, on the thread of this object.
#pragma once

#include "spi/aio_engine.hpp"
#include "spi/wakeup.hpp"
#include "sys/unique_fd.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace sigev::aio_threads {

class waits {
public:
    using taker = std::function<void(spi::aio_work*)>;

    /// `finished` takes a list of work that is over, `must_block` one that a thread has to try by a call that blocks; come_back()
    /// or is_over() follows.
    waits(taker finished, taker must_block) : finished_(std::move(finished)), must_block_(std::move(must_block)) {}
    waits(const waits&) = delete;
    waits& operator=(const waits&) = delete;
    ~waits();

    /// 0 or EAGAIN. may_wait becomes false where there is no notion of being ready.
    int open(spi::aio_channel& channel) noexcept;
    void close(spi::aio_channel& channel) noexcept;

    /// To the end of its line. False: this object is stopping, and the work is the caller's still.
    bool add(spi::aio_work& work) noexcept;

    /// What must_block() was given was not ready after all, or has more to transfer. As add().
    bool come_back(spi::aio_work& work) noexcept;
    /// It is over.
    void is_over(spi::aio_channel& channel, const spi::aio_work& work) noexcept;

    /// True: it stands in no line any more, and is the caller's.
    bool withdraw(spi::aio_work& work) noexcept;

    /// So long the thread stays when no channel is open.
    void leave_after(std::chrono::milliseconds idle) noexcept { idle_.store(idle, std::memory_order_relaxed); }

    /// Breaks off what waits, and ends the thread.
    void stop() noexcept;

private:
    struct use {
        spi::aio_channel* of = nullptr;
        std::uint32_t generation = 0;
        std::uint32_t next_free = 0;
    };

    int open_stop() noexcept;
    int start_locked() noexcept;
    void arm_locked(spi::aio_channel& channel) noexcept;
    static void push_front(spi::aio_work& work) noexcept;
    static void take(spi::aio_work& work) noexcept;
    void run() noexcept;
    bool leaves() noexcept;
    bool rest(int milliseconds) noexcept;
    void serve(std::uint64_t which, std::uint32_t events) noexcept;
    void break_all_off() noexcept;

    taker finished_;
    taker must_block_;
    std::mutex mutex_;
    sys::unique_fd epoll_;
    const spi::wakeup_kind* stop_kind_ = nullptr; ///< null: none is open
    spi::wakeup_pair stop_;
    bool stopping_ = false;
    bool left_ = false; ///< the thread has, or is about to: to be joined
    std::size_t open_ = 0; ///< channels
    std::atomic<std::chrono::milliseconds> idle_{std::chrono::seconds(5)};
    std::vector<use> uses_{1}; ///< by a channel's place; the first is nobody's
    std::uint32_t free_ = 0;
    std::thread thread_;
};

} // namespace sigev::aio_threads

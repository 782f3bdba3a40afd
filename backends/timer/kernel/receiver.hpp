// The thread that the kernel tells of carried timers, by signal 32: libc's own, which no program has a handler for.
//
// That signal is blocked there and nowhere else, and taken by a wait for it: rt_sigtimedwait(), by raw call, since libc's
// functions leave 32 out of every set. Each timer is aimed at this thread (SIGEV_THREAD_ID), so the thread must outlive them
// all, and no code of the program's may run on it: pthread_exit() in a callback would end every CPU-time timer.
//
// Why a thread of its own. The runtime's loop is led in turn by workers, which a callback may end, and by the service thread;
// a signal to a thread shows in an epoll set, by way of a signalfd, to that thread alone. A thread that waits for nothing
// else needs neither. It starts with the first carried timer.
#pragma once

#include "spi/kernel_timers.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <pthread.h>

namespace sigev::spi::kernel {

class kernel_engine;

/// Which timer a signal is of: in its value. A stale one (of a deleted timer, kept by an older kernel) is told by its generation.
struct token {
    static constexpr unsigned engine_bits = 10, slot_bits = 24, generation_bits = 30;

    std::uint32_t engine;
    std::uint32_t slot;
    std::uint32_t generation;

    constexpr std::uint64_t pack() const noexcept
    {
        return std::uint64_t{engine} << (slot_bits + generation_bits) | std::uint64_t{slot} << generation_bits |
               (generation & ((1u << generation_bits) - 1));
    }
    static constexpr token unpack(std::uint64_t n) noexcept
    {
        return {static_cast<std::uint32_t>(n >> (slot_bits + generation_bits)),
                static_cast<std::uint32_t>(n >> generation_bits) & ((1u << slot_bits) - 1),
                static_cast<std::uint32_t>(n) & ((1u << generation_bits) - 1)};
    }
    constexpr bool is_of(std::uint32_t whole) const noexcept
    {
        return ((whole ^ generation) & ((1u << generation_bits) - 1)) == 0;
    }
};

class receiver final : public kernel_timer_receiver {
public:
    receiver() = default;
    receiver(const receiver&) = delete;
    receiver& operator=(const receiver&) = delete;
    ~receiver() override { stop(); }

    void attach(std::uint32_t number, kernel_engine& e) noexcept { engines_[number].store(&e, std::memory_order_release); }

    /// The thread runs; `event` tells it. 0 or EAGAIN.
    int start(sigevent& event, const token& t) noexcept;
    void stop() noexcept override;

private:
    static void* main(void* self);
    void run() noexcept;
    int start_thread() noexcept;

    std::array<std::atomic<kernel_engine*>, std::size_t{1} << token::engine_bits> engines_{};
    std::atomic<std::uint32_t> tid_{0}; ///< a futex while it starts; 0: there is none
    std::atomic<bool> stopping_{false};
    std::mutex mutex_; ///< starting and stopping
    pthread_t thread_{};
};

} // namespace sigev::spi::kernel

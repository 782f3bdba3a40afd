// The clock of one base and the timerfd that ends the loop's sleep. The reactor's, but for open() and descriptor().
//
// A timerfd that has expired stays readable until it is read or set again, and a level-triggered loop would spin on
// it. MONOTONIC and BOOTTIME never go back, so there an expired setting is one that lies before the clock's reading,
// everything under it has been settled, and the next setting differs and clears it: no read is needed. REALTIME may
// be stepped back behind a setting that has expired, which then equals the next one; and a step makes the descriptor
// readable too. So there reap() reads it, before it reads the clock, and what it has read is set again.
#pragma once

#include "backends/timer/heap/timer_slot.hpp"

#include <atomic>
#include <cstdint>
#include <time.h>

namespace sigev::spi::heap {

class alarm {
public:
    explicit alarm(clockid_t clock) noexcept : clock_(clock) {}
    alarm(const alarm&) = delete;
    alarm& operator=(const alarm&) = delete;
    ~alarm() { close(); }

    /// Makes the descriptor if there is none; any thread. 0, EMFILE, ENFILE, ENOMEM, EINVAL (no timerfd on this
    /// clock).
    int open() noexcept;

    /// Nobody watches it and nothing is armed on it. The reactor's; open() may follow.
    void close() noexcept;

    /// -1 before open().
    int descriptor() const noexcept { return fd_.load(std::memory_order_acquire); }

    /// Now, as the latest key that is due. Nothing is due before open(): no timer of this base can be armed.
    std::uint64_t now() noexcept;

    /// Sleep until `key`, `none`: for ever. No system call when it is set so already. False: the clock was stepped
    /// since it was read; look again.
    bool set(std::uint64_t key) noexcept;

private:
    void drain(int fd) noexcept;

    const clockid_t clock_;
    std::atomic<int> fd_{-1};
    std::uint64_t set_ = none; // what the timerfd is set to
};

} // namespace sigev::spi::heap

// The clock of one base and the timerfd that ends the loop's sleep. The reactor's, but for open() and descriptor().
//
// A timerfd that has expired stays readable until it is read or set again, and a level-triggered loop would spin on
// it. MONOTONIC and BOOTTIME never go back, so there an expired setting is one that lies before the clock's reading,
// everything under it has been settled, and the next setting differs and clears it: no read is needed. REALTIME may
// be stepped back behind a setting that has expired, which then equals the next one; and a step makes the descriptor
// readable too. So there reap() reads it, before it reads the clock, and what it has read is set again.
//
// On a manual clock there is no descriptor: whoever sets the clock runs the reactor.
#pragma once

#include "backends/timer/heap/timer_slot.hpp"
#include "sys/clock.hpp"
#include "sys/manual_time.hpp"

#include <atomic>
#include <cstdint>
#include <limits>
#include <time.h>

namespace sigev::spi::heap {

class alarm {
public:
    explicit alarm(clockid_t clock, const sys::manual_time* manual = nullptr) noexcept : clock_(clock), manual_(manual) {}
    alarm(const alarm&) = delete;
    alarm& operator=(const alarm&) = delete;
    ~alarm() { close(); }

    /// Makes the descriptor if there is none; any thread. 0, EMFILE, ENFILE, ENOMEM, EINVAL (no timerfd on this
    /// clock).
    int open() noexcept;

    /// Nobody watches it and nothing is armed on it. The reactor's; open() may follow.
    void close() noexcept;

    bool is_open() const noexcept { return fd_.load(std::memory_order_acquire) >= 0; }
    bool is_manual() const noexcept { return manual_ != nullptr; }

    /// -1 before open(), and on a manual clock.
    int descriptor() const noexcept
    {
        const int fd = fd_.load(std::memory_order_acquire);
        return fd == no_descriptor ? -1 : fd;
    }

    /// Any thread, async-signal-safe.
    std::uint64_t present() const noexcept { return manual_ ? manual_->now(clock_) : sys::now(clock_); }

    /// Now, as the latest key that is due. Nothing is due before open(): no timer of this base can be armed.
    std::uint64_t now() noexcept;

    /// Sleep until `key`, `none`: for ever. No system call when it is set so already. False: the clock was stepped
    /// since it was read; look again.
    bool set(std::uint64_t key) noexcept;

private:
    void drain(int fd) noexcept;

    static constexpr int no_descriptor = std::numeric_limits<int>::max(); // of one that is open on a manual clock

    const clockid_t clock_;
    const sys::manual_time* const manual_;
    std::atomic<int> fd_{-1};
    std::uint64_t set_ = none; // what the timerfd is set to
};

} // namespace sigev::spi::heap

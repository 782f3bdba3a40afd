// How often a timer has expired whose signals the kernel sends: kept by settime(), which is the only moment at which the kernel
// says what it replaces.
//
// The kernel puts settimes of one timer into an order that nobody is told, and a handler may settime the timer whose settime it
// interrupts. So nobody waits here: who finds the books in use does the system call all the same, is counted as *tearing* them
// meanwhile, and leaves them *torn*; while there is either, nobody takes what is noted for what the kernel has. Who has the books,
// or else who has torn them, reads from the kernel what the timer is armed with now. Of what expired between two such settimes
// the books may miss some, and they never count what has not been. A settime that siglongjmp has left leaves them in use, or
// being torn, for ever: from then on nothing is counted.
#pragma once

#include "backends/timer/kernel/arming.hpp"

#include <atomic>
#include <cstdint>
#include <time.h>

namespace sigev::spi::kernel {

/// Zero bytes: of a timer that was never armed.
class books {
public:
    /// 0 or an errno, as the kernel's timer_settime(). Lock-free, async-signal-safe.
    int settime(int id, clockid_t clock, int flags, const itimerspec& value, itimerspec* old) noexcept;

    std::uint64_t read(int id) noexcept;

    /// For the slot's next timer. Nobody is inside.
    void clear() noexcept;

private:
    enum : std::uint32_t { in_use = 1, torn = 2, tearing = 4 /* and above: how many are in the system call */ };

    bool open(bool& doubtful) noexcept;
    void close(int id) noexcept;
    void look_again(int id) noexcept;
    arming noted() const noexcept { return {first_.load(std::memory_order_relaxed), interval_.load(std::memory_order_relaxed)}; }
    void note(const arming& a, clockid_t clock) noexcept;
    std::uint64_t since_noted(int id) noexcept;

    std::atomic<std::uint32_t> word_;
    std::atomic<clockid_t> clock_; ///< on which the arming is: a relative time on CLOCK_REALTIME does not follow that clock
    std::atomic<std::int64_t> first_;
    std::atomic<std::int64_t> interval_;
    std::atomic<std::uint64_t> before_; ///< expirations of the armings before
    std::atomic<std::uint64_t> seen_;   ///< of this one, by the last look: all that is left when a clock's thread has ended
};

} // namespace sigev::spi::kernel

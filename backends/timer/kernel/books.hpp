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
#include "sys/statistics_page.hpp"

#include <atomic>
#include <cstdint>
#include <time.h>

namespace sigev::spi::kernel {

/// Zero bytes: of a timer that was never armed. Its data may lie where other processes look at it: what they find after this one's
/// end is what it has counted.
///   word      the bits below
///   clock     on which the arming is: a relative time on CLOCK_REALTIME does not follow that clock
///   first, interval
///   before    expirations of the armings before
///   seen      of this one, by the last look: all that is left when a clock's thread has ended
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
    arming noted() const noexcept { return {at_.first.load(std::memory_order_relaxed), at_.interval.load(std::memory_order_relaxed)}; }
    void note(const arming& a, clockid_t clock) noexcept;
    std::uint64_t since_noted(int id) noexcept;

    sys::statistics::kernel_books at_;
};
static_assert(sizeof(books) == sizeof(sys::statistics::kernel_books));

} // namespace sigev::spi::kernel

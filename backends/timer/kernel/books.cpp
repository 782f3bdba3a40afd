#include "backends/timer/kernel/books.hpp"

#include "backends/timer/kernel/calls.hpp"

#include <sched.h>

namespace sigev::spi::kernel {

namespace {

std::int64_t nanoseconds(const timespec& t) noexcept
{
    return static_cast<std::int64_t>(sys::to_nanoseconds(t, longest));
}

} // namespace

// False: somebody has them. `doubtful`: what is noted may not be what the kernel has.
bool books::open(bool& doubtful) noexcept
{
    std::uint32_t word = at_.word.load(std::memory_order_relaxed);
    do
        if (word & in_use)
            return false;
    while (!at_.word.compare_exchange_weak(word, word | in_use, std::memory_order_seq_cst, std::memory_order_relaxed));
    doubtful = word != 0;
    return true;
}

// Torn meanwhile, or still being torn: as long as somebody comes in between, once more, but not for ever in a handler's stead.
void books::close(int id) noexcept
{
    for (int tries = 0; tries != 4; ++tries) {
        std::uint32_t mine = in_use;
        if (at_.word.compare_exchange_strong(mine, 0, std::memory_order_seq_cst))
            return;
        at_.word.fetch_and(~std::uint32_t{torn}, std::memory_order_seq_cst);
        look_again(id);
    }
    at_.word.fetch_or(torn, std::memory_order_seq_cst); // for whoever opens them next to mend
    at_.word.fetch_and(~std::uint32_t{in_use}, std::memory_order_seq_cst);
}

void books::note(const arming& a, clockid_t clock) noexcept
{
    at_.clock.store(clock, std::memory_order_relaxed);
    at_.first.store(a.first, std::memory_order_relaxed);
    at_.interval.store(a.interval, std::memory_order_relaxed);
    at_.seen.store(0, std::memory_order_relaxed);
}

void books::look_again(int id) noexcept
{
    itimerspec armed{};
    std::int64_t now = 0;
    if (get_timer(id, armed) != 0 || !read_clock(at_.clock.load(std::memory_order_relaxed), now))
        return;
    note(make_arming(false, nanoseconds(armed.it_value), nanoseconds(armed.it_interval), now),
         at_.clock.load(std::memory_order_relaxed));
}

int books::settime(int id, clockid_t clock, int flags, const itimerspec& value, itimerspec* old) noexcept
{
    bool doubtful = false;
    const bool mine = open(doubtful);
    const bool absolute = (flags & TIMER_ABSTIME) != 0;
    const clockid_t base = clock == CLOCK_REALTIME && !absolute ? CLOCK_MONOTONIC : clock;
    const arming before = noted();
    const clockid_t before_clock = at_.clock.load(std::memory_order_relaxed);
    std::int64_t now = 0, then = 0;
    const bool clock_lives = read_clock(base, now);
    bool then_lives = clock_lives;
    if (base == before_clock)
        then = now;
    else if (before.first != 0)
        then_lives = read_clock(before_clock, then);

    if (!mine)
        at_.word.fetch_add(tearing, std::memory_order_seq_cst); // before the kernel has it: who has the books is to mistrust them
    itimerspec replaced{};
    const int error = set_timer(id, flags, value, &replaced);
    if (error == 0 && old)
        *old = replaced;
    if (!mine) {
        at_.word.fetch_or(torn, std::memory_order_seq_cst);
        at_.word.fetch_sub(tearing, std::memory_order_seq_cst);
        if (open(doubtful)) // who had them has closed them
            close(id);
        return error;
    }
    if (error == 0) {
        // What was replaced may not be what was noted: then it is not counted.
        doubtful = doubtful || at_.word.load(std::memory_order_seq_cst) != in_use;
        std::uint64_t expired = 0;
        if (!doubtful)
            expired = then_lives ? expired_with(before, then, nanoseconds(replaced.it_value))
                                 : at_.seen.load(std::memory_order_relaxed);
        at_.before.fetch_add(expired, std::memory_order_relaxed);
        note(clock_lives ? make_arming(absolute, nanoseconds(value.it_value), nanoseconds(value.it_interval), now) : arming{},
             base);
    }
    close(id);
    return error;
}

// Of a thread that has ended the kernel says neither the time nor whether the timer had expired; what is armed while others set
// the timer may not be what is noted: then what the last look has seen.
std::uint64_t books::since_noted(int id) noexcept
{
    const arming a = noted();
    itimerspec armed{};
    std::int64_t now = 0;
    if (a.first == 0)
        return 0;
    if (read_clock(at_.clock.load(std::memory_order_relaxed), now) && get_timer(id, armed) == 0 &&
        at_.word.load(std::memory_order_seq_cst) == in_use)
        at_.seen.store(expired_with(a, now, nanoseconds(armed.it_value)), std::memory_order_relaxed);
    return at_.seen.load(std::memory_order_relaxed);
}

std::uint64_t books::read(int id) noexcept
{
    bool doubtful = false;
    for (int tries = 0; tries != 100; ++tries) {
        if (!open(doubtful)) {
            ::sched_yield();
            continue;
        }
        if (doubtful) {
            close(id);
            if (!open(doubtful))
                continue;
        }
        const std::uint64_t sum = at_.before.load(std::memory_order_relaxed) + since_noted(id);
        close(id);
        return sum;
    }
    return at_.before.load(std::memory_order_relaxed); // somebody is in the middle of them
}

void books::clear() noexcept
{
    at_.before.store(0, std::memory_order_relaxed);
    note({}, CLOCK_MONOTONIC);
    at_.word.store(0, std::memory_order_release);
}

} // namespace sigev::spi::kernel

#include "sources/manual_clock.hpp"

#include "sources/clock_steps.hpp"
#include "sources/timer.hpp"

#include <algorithm>
#include <cerrno>

namespace sigev::sources {

// Raises all that is due now, on every reactor, and what that has armed for now or before, until there is nothing more.
void manual_clock::settle(timers& all) noexcept
{
    bool again;
    do {
        again = false;
        all.for_each_of(*this, [&](timer_bank& bank, core::reactor& on) {
            on.drain_now();
            again |= bank.next_after(time) <= time.now(CLOCK_MONOTONIC);
        });
    } while (again);
}

std::uint64_t manual_clock::earliest(timers& all) const noexcept
{
    std::uint64_t first = spi::timer_engine::never;
    all.for_each_of(*this, [&](timer_bank& bank, core::reactor&) { first = std::min(first, bank.next_after(time)); });
    return first;
}

int manual_clock::advance(timers& all, std::uint64_t by) noexcept
{
    if (all.is_draining(*this))
        return EDEADLK;
    const std::lock_guard lock(mutex_);
    settle(all); // what was armed for the past since the last time
    const std::uint64_t now = time.now(CLOCK_MONOTONIC);
    const std::uint64_t end = by < longest - now ? now + by : longest;
    for (std::uint64_t next = earliest(all); next <= end; next = earliest(all)) {
        time.set_steady(std::max(next, time.now(CLOCK_MONOTONIC)));
        settle(all);
    }
    time.set_steady(end);
    return 0;
}

int manual_clock::set(timers& all, clockid_t clock, std::uint64_t to) noexcept
{
    if (all.is_draining(*this))
        return EDEADLK;
    const std::lock_guard lock(mutex_);
    if (clock == CLOCK_REALTIME) {
        const std::uint64_t before = time.now(CLOCK_REALTIME);
        time.set_wall(to);
        if (clock_steps* const steps = all.steps())
            steps->tell(this, nullptr, static_cast<std::int64_t>(to - before));
    } else if (has(clock) && to >= time.now(clock))
        time.set_steady(to);
    else
        return EINVAL;
    settle(all);
    return 0;
}

} // namespace sigev::sources

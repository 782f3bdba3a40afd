// All banks of timers: which one a reactor has for a clock, what a timer is made in, and the manual clocks. The way from a handle to
// its timer stands in timer.cpp, beside what it leads to.
#include "sources/timer.hpp"

#include "core/statistics.hpp"
#include "sources/clock_steps.hpp"
#include "sources/kernel_timer.hpp"
#include "sys/cancellation_hold.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <sched.h>

namespace sigev::sources {

timers::~timers()
{
    for (auto& bank : banks_)
        delete bank.load(std::memory_order_relaxed);
}

timers* timers::ensure(core::registry& all) noexcept
{
    if (auto* const there = all.find(core::extension_place::timers))
        return static_cast<timers*>(there);
    const sys::cancellation_hold hold;
    return static_cast<timers*>(
        all.ensure(core::extension_place::timers,
                   [](core::registry& r) -> std::unique_ptr<core::extension> { return std::make_unique<timers>(r); }));
}

// The reactor's bank of that family, or of that manual clock; else null, and the first place that is free for it.
bank* timers::bank_on(
    const core::reactor& on, clock_family family, const sys::manual_time* time, unsigned& place) noexcept
{
    if (!time) {
        place = static_cast<unsigned>(family);
        return static_cast<bank*>(on.source(place));
    }
    place = core::reactor::max_places;
    for (unsigned p = core::reactor::first_manual; p != core::reactor::max_places; ++p) {
        auto* const there = static_cast<bank*>(on.source(p));
        if (there && there->time() == time)
            return there;
        if (!there)
            place = std::min(place, p);
    }
    return nullptr;
}

bank* timers::make(clock_family family, std::uint32_t number, const sys::manual_time* time)
{
    if (family == clock_family::kernel)
        return new kernel_bank(registry_, number, *receiver_);
    return new timer_bank(registry_, family, number, time);
}

int timers::bank_of(core::reactor& on, clock_family family, const sys::manual_time* time, bank*& out) noexcept
{
    unsigned place = 0;
    out = bank_on(on, family, time, place);
    if (out)
        return 0;
    const sys::cancellation_hold hold;
    const std::lock_guard lock(mutex_);
    out = bank_on(on, family, time, place);
    if (out)
        return 0;
    if (place == core::reactor::max_places)
        return EAGAIN;
    try {
        for (std::uint32_t number = 0; number != banks_.size(); ++number) {
            bank* found = banks_[number].load(std::memory_order_acquire);
            if (!found) {
                found = make(family, number, time);
                banks_[number].store(found, std::memory_order_release);
            }
            if (found->family() != family || found->time() != time || !found->claim(on))
                continue;
            on.attach(place, *found);
            out = found;
            return 0;
        }
    } catch (const std::bad_alloc&) {
        return ENOMEM;
    }
    return EAGAIN;
}

int timers::create(core::reactor& on, const timer_request& wanted, std::uint64_t& number) noexcept
{
    timespec resolution;
    const bool known = wanted.clock == CLOCK_MONOTONIC || wanted.clock == CLOCK_REALTIME ||
                       ::clock_getres(wanted.clock, &resolution) == 0;
    const sys::manual_time* const time = wanted.on_clock ? &wanted.on_clock->time : nullptr;
    const bool heap_only = wanted.slack != 0 || wanted.precise || time;
    const clock_choice choice =
        choose_clock(wanted.clock, known, wanted.event ? wanted.event->sigev_notify : SIGEV_SIGNAL, wanted.engine, heap_only);
    if (choice.error)
        return choice.error;
    bank* of = nullptr;
    if (const int error = bank_of(on, time ? clock_family::manual : choice.family, time, of))
        return error;
    const int error = of->family() == clock_family::kernel
                          ? static_cast<kernel_bank*>(of)->create(on, wanted.clock, wanted.event, number)
                          : static_cast<timer_bank*>(of)->create(on, wanted, number);
    if (error == 0 && core::statistics::wanted()) [[unlikely]]
        core::statistics::created(SIGEV_SOURCE_TIMER, wanted.event ? wanted.event->sigev_notify : SIGEV_SIGNAL);
    return error;
}

bool timers::keeps(int id) noexcept
{
    const core::registry* const all = core::registry::current();
    auto* const self = all ? static_cast<timers*>(all->find(core::extension_place::timers)) : nullptr;
    return self && std::any_of(self->banks_.begin(), self->banks_.end(), [id](const std::atomic<bank*>& place) {
        bank* const b = place.load(std::memory_order_acquire);
        return b && b->family() == clock_family::kernel && static_cast<kernel_bank*>(b)->keeps(id);
    });
}

void timers::account(int source, int method, sigev_ledger& sum) noexcept
{
    if (source >= 0 && source != SIGEV_SOURCE_TIMER)
        return;
    for (auto& place : banks_)
        if (bank* const b = place.load(std::memory_order_acquire); b && b->family() == clock_family::kernel)
            static_cast<kernel_bank*>(b)->account(method, sum);
}

int timers::open_clock(std::uint64_t realtime, std::uint64_t& number) noexcept
{
    std::uint32_t index;
    if (!clocks_.acquire(index))
        return EAGAIN;
    manual_clock& c = clocks_[index];
    c.time.set_steady(0);
    c.time.set_wall(realtime);
    number = core::encode({core::handle_kind::manual_clock, registry_.life, 0, c.generation.generation(), index});
    return 0;
}

manual_clock* timers::find_clock(std::uint64_t number, timers*& all) noexcept
{
    core::registry* registry = core::registry::current();
    const core::handle h = core::decode(number);
    if (!registry || h.kind != core::handle_kind::manual_clock || h.epoch != (registry->life & core::epoch_mask))
        return nullptr;
    all = static_cast<timers*>(registry->find(core::extension_place::timers));
    manual_clock* const c = all ? all->clocks_.at(h.index) : nullptr;
    return c && c->generation.pin(h.generation, core::generation_mask) ? c : nullptr;
}

clock_steps* timers::steps() const noexcept
{
    return static_cast<clock_steps*>(registry_.find(core::extension_place::clock_steps));
}

bool timers::is_draining(const manual_clock& clock) noexcept
{
    bool inside = false;
    for_each_of(clock, [&](timer_bank&, core::reactor& on) { inside |= on.dispatcher().is_draining_here(); });
    return inside;
}

void timers::end_timers(manual_clock& clock) noexcept
{
    for_each_of(clock, [](timer_bank& bank, core::reactor& on) {
        bank.end_all();
        on.end_source(bank);
    });
}

int timers::close_clock(std::uint64_t number) noexcept
{
    timers* all = nullptr;
    manual_clock* const c = find_clock(number, all);
    if (!c)
        return EINVAL;
    const bool inside = all->is_draining(*c);
    const bool mine = !inside && c->generation.end(c->generation.generation());
    c->generation.unpin();
    if (!mine)
        return inside ? EDEADLK : EINVAL;
    while (c->generation.pinned()) // who moves it, or makes a timer on it
        ::sched_yield();
    if (clock_steps* const steps = all->steps())
        steps->forget(*c);
    all->end_timers(*c);
    while (!c->generation.advance_if_unpinned()) // by a stale handle, for a moment
        ::sched_yield();
    all->clocks_.release(c->index);
    return 0;
}

} // namespace sigev::sources

#include "sources/timer.hpp"

#include "sources/kernel_timer.hpp"
#include "sys/cancellation_hold.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sigev::sources {

// ---- one bank ---------------------------------------------------------------------------------------------------------------

timer_bank::timer_bank(core::registry& all, clock_family family, std::uint32_t number, const sys::manual_time* time)
    : bank(all, family, number, time), engine_(spi::make_heap_engine(steady(), *this, time))
{
}

bool bank::claim(core::reactor& r) noexcept
{
    core::reactor* nobody = nullptr;
    return on_.compare_exchange_strong(nobody, &r, std::memory_order_acq_rel);
}

int timer_bank::create(core::reactor& on, const timer_request& wanted, std::uint64_t& number) noexcept
{
    const clockid_t clock = wanted.clock;
    const sigevent* const event = wanted.event;
    if (!serves(on))
        return EINVAL;
    int before[2];
    const unsigned watched = engine_->descriptors(before);
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
    if (const int error = engine_->create(clock == CLOCK_REALTIME, slot, generation))
        return error;
    if (!cold_.find(slot)) {
        const std::lock_guard lock(mutex_);
        if (!cold_.reserve(std::size_t{slot} + 1)) {
            engine_->destroy(slot, generation);
            return EAGAIN;
        }
    }
    if (wanted.slack != 0 || wanted.precise)
        engine_->wish(slot, wanted.slack, wanted.precise);
    number = handle_of(slot, generation);
    sigevent alarm{};
    alarm.sigev_notify = SIGEV_SIGNAL;
    alarm.sigev_signo = SIGALRM;
    alarm.sigev_value.sival_ptr = reinterpret_cast<void*>(number);

    const core::subscription_spec spec = spec_for(on, number, event ? *event : alarm);
    core::subscription* s = nullptr;
    cold& c = cold_[slot];
    int error = registry_.make_promise(spec, c.promise);
    const bool rests = error == 0;
    if (error == ENOTSUP) {
        const sys::cancellation_hold hold;
        error = registry_.open(spec, s);
    }
    if (error) {
        engine_->destroy(slot, generation);
        return error;
    }
    c.value = spec.event->sigev_value;
    c.clock.store(clock, std::memory_order_relaxed);
    c.generation.store(generation, std::memory_order_relaxed);
    if (s) // else it is null since the last one was retired
        c.subscription.store(s, std::memory_order_seq_cst);
    c.rests.store(rests, std::memory_order_seq_cst);
    // Who closes a reactor shuts it and then looks for timers; this publishes one and then looks at the reactor.
    if (!on.is_open()) {
        engine_->destroy(slot, generation);
        return EINVAL;
    }
    int after[2];
    if (engine_->descriptors(after) != watched)
        on.wake(); // so that its loop learns of the new one
    return 0;
}

core::subscription_spec timer_bank::spec_for(core::reactor& on, std::uint64_t number, const sigevent& event) const noexcept
{
    core::subscription_spec spec;
    spec.event = &event;
    spec.source = SIGEV_SOURCE_TIMER;
    spec.ident = number;
    spec.code = SI_TIMER;
    spec.kind = core::raising::merging;
    spec.on = &on;
    spec.time = time_;
    return spec;
}

// It expires for the first time. Who deletes it lets the engine end it, and then looks whether there is a subscription; here it is
// the other way round: one of the two finds the other's.
core::subscription* timer_bank::wake_up(std::uint32_t slot, std::uint32_t generation, cold& c) noexcept
{
    sigevent event{};
    event.sigev_value = c.value;
    core::subscription& s = registry_.keep_promise(
        c.promise, spec_for(*on_.load(std::memory_order_acquire), handle_of(slot, generation), event));
    c.subscription.store(&s, std::memory_order_seq_cst);
    c.rests.store(false, std::memory_order_release);
    if (!engine_->gettime(slot, generation).valid)
        s.road.load(std::memory_order_acquire)->cancel(s);
    return &s;
}

// The subscription, pinned, of a timer that has been ended and rested before. Null: there is none, or it has been cancelled and
// given up, and what stands there now is perhaps of the slot's next owner.
core::subscription* timer_bank::pin_late(const timer& t) noexcept
{
    const std::atomic<core::subscription*>& place = cold_[t.slot].subscription;
    core::subscription* const s = place.load(std::memory_order_seq_cst);
    if (!s)
        return nullptr;
    s->generation.pin(0, 0);
    if (place.load(std::memory_order_seq_cst) == s && s->ident == handle_of(t.slot, t.generation))
        return s;
    s->generation.unpin();
    return nullptr;
}

itimerspec timer_bank::spec_of(const spi::timer_value& v) const noexcept
{
    if (v.deadline == 0)
        return {};
    return to_spec(v, now(clock_of(v.base)));
}

[[gnu::always_inline]] inline spi::timer_exchange timer_bank::exchange(timer t, int flags, const itimerspec& value) noexcept
{
    if (is_zero(value.it_value))
        return engine_->settime(t.slot, t.generation, {});
    if (!(flags & TIMER_ABSTIME)) // on whatever clock: it does not follow the clock's being set
        return engine_->settime_from_now(
            t.slot, t.generation, sys::to_nanoseconds(value.it_value, longest), sys::to_nanoseconds(value.it_interval, longest));
    const cold* const c = cold_.find(t.slot);
    if (!c)
        return {};
    return engine_->settime(t.slot, t.generation, to_value(c->clock.load(std::memory_order_relaxed), value));
}

[[gnu::always_inline]] inline int timer_bank::settime(timer t, int flags, const itimerspec& value, itimerspec* old) noexcept
{
    if (const int error = check(value))
        return error;
    const spi::timer_exchange done = exchange(t, flags, value);
    if (!done.valid)
        return EINVAL;
    if (old)
        *old = spec_of(done.old);
    return 0;
}

int timer_bank::gettime(const timer& t, itimerspec& value) noexcept
{
    const spi::timer_exchange now = engine_->gettime(t.slot, t.generation);
    if (!now.valid)
        return EINVAL;
    value = spec_of(now.old);
    return 0;
}

int timer_bank::overrun(const timer& t, int& out) noexcept
{
    const bool rested = rests(t.slot);
    const core::subscription* s = subscription_of(t.slot);
    if (!s && !rested)
        return EINVAL;
    // Read first, then looked whether the timer is still there: if it is, it was its own.
    const int overrun = s ? s->overrun.load(std::memory_order_acquire) : 0;
    if (!engine_->gettime(t.slot, t.generation).valid)
        return EINVAL;
    out = overrun;
    return 0;
}

int timer_bank::destroy(const timer& t, bool wait) noexcept
{
    engine_->expect(t.slot);
    const cold* const c = cold_.find(t.slot);
    if (!c)
        return EINVAL;
    const bool rested = c->rests.load(std::memory_order_acquire);
    core::subscription* s = c->subscription.load(std::memory_order_acquire);
    if (!s && !rested)
        return EINVAL;
    // Once the engine has let the timer go, the drain may retire it at any time: the pin keeps the subscription for us. If
    // destroy() succeeds, the timer lived until then, and the subscription was its.
    if (s)
        s->generation.pin(0, 0);
    const bool mine = engine_->destroy(t.slot, t.generation).valid;
    if (mine && !s)
        s = pin_late(t);
    // Below this there are locks and hooks. A timer at rest goes without them: to hold a cancellation back takes longer than that.
    if (s) {
        const sys::cancellation_hold hold;
        if (mine) {
            core::dispatcher& d = *s->road.load(std::memory_order_acquire);
            d.cancel(*s);
            if (wait)
                d.wait(*s);
        }
        s->generation.unpin();
        if (mine)
            registry_.maybe_free(*s);
    }
    if (!mine)
        return EINVAL;
    if (registry_.has_dead()) {
        const sys::cancellation_hold hold;
        registry_.reap_dead(true);
    }
    return 0;
}

int timer_bank::ledger(const timer& t, sigev_ledger& out) noexcept
{
    const bool rested = rests(t.slot);
    core::subscription* const s = subscription_of(t.slot);
    if (!s) {
        out = {};
        return rested && engine_->gettime(t.slot, t.generation).valid ? 0 : EINVAL;
    }
    s->generation.pin(0, 0);
    const bool alive = engine_->gettime(t.slot, t.generation).valid;
    if (alive)
        out = core::registry::read(*s);
    s->generation.unpin();
    registry_.reap_dead(true);
    return alive ? 0 : EINVAL;
}

void timer_bank::end_all() noexcept
{
    for (std::uint32_t slot = 0; cold* c = cold_.find(slot); ++slot)
        if (const std::uint32_t generation = c->generation.load(std::memory_order_acquire))
            destroy({slot, generation & core::timer_generation_mask}, true);
}

std::uint64_t timer_bank::next_after(const sys::manual_time& time) const noexcept
{
    std::uint64_t first = engine_->next(spi::timer_base::steady);
    if (const std::uint64_t wall = engine_->next(spi::timer_base::wall); wall != spi::timer_engine::never) {
        const std::uint64_t now = time.now(CLOCK_REALTIME);
        first = std::min(first, time.now(CLOCK_MONOTONIC) + (wall > now ? wall - now : 0));
    }
    return first;
}

std::uint64_t timer_bank::remaining() const noexcept
{
    std::uint64_t least = never;
    for (const auto base : {spi::timer_base::steady, spi::timer_base::wall}) {
        const std::uint64_t next = engine_->next(base);
        if (next == spi::timer_engine::never)
            continue;
        const std::uint64_t present = now(clock_of(base));
        if (next <= present)
            return 0;
        if (!time_) // else it comes when somebody moves the clock, and he looks for himself
            least = std::min(least, next - present);
    }
    return least;
}

// The reactor holds its drain word for this call, and has cancelled all its subscriptions.
void timer_bank::detach() noexcept
{
    for (std::uint32_t slot = 0; const cold* c = cold_.find(slot); ++slot)
        if (c->rests.load(std::memory_order_seq_cst) || c->subscription.load(std::memory_order_acquire))
            engine_->destroy(slot, c->generation.load(std::memory_order_relaxed));
    reap(); // retires them; whose end comes later, the next owner of the bank retires
    engine_->close_descriptors();
    unclaim();
}

void timer_bank::expired(
    std::uint32_t slot, std::uint32_t generation, std::uint64_t missed, std::uint64_t scheduled, spi::timer_base base) noexcept
{
    // The engine holds the slot for the length of this call, so the timer, dead or not, is the one that expired.
    cold& c = cold_[slot];
    core::subscription* s = c.subscription.load(std::memory_order_acquire);
    if (!s && c.rests.load(std::memory_order_acquire))
        s = wake_up(slot, generation, c);
    if (!s)
        return;
    clockid_t clock = clock_of(base);
    if (time_ && clock == CLOCK_MONOTONIC && c.clock.load(std::memory_order_relaxed) == CLOCK_BOOTTIME)
        clock = CLOCK_BOOTTIME;
    // All of the bank are on its reactor, whose drain this is: the subscription need not be asked.
    on_.load(std::memory_order_relaxed)->dispatcher().raise_soon(*s, missed + 1, static_cast<std::int64_t>(scheduled), clock);
}

bool timer_bank::reap() noexcept
{
    const bool again = engine_->reap();
    if (dropped_ != 0) // given back together: one by one is a locked instruction for each
        registry_.drop_promises(std::exchange(dropped_, 0));
    on_.load(std::memory_order_relaxed)->dispatcher().hand_over();
    return again;
}

// What expired() reads. The slot has its subscription for as long as this thread has not retired it.
void timer_bank::approaches(std::uint32_t slot, distance how_far) noexcept
{
    const cold& c = cold_[slot];
    if (how_far == distance::far)
        return __builtin_prefetch(&c);
    const core::subscription* const s = c.subscription.load(std::memory_order_acquire);
    if (!s)
        return;
    if (how_far == distance::near)
        core::fetch(*s);
    else if (!core::is_called_at_once(*s)) {
        __builtin_prefetch(s->spare, 1);
        if (core::is_called_by_a_worker(*s))
            __builtin_prefetch(s->target);
    }
}

// The engine has set a timer's bit, or has seen it set, which the reactor takes by an exchange before it looks at the timer.
void timer_bank::wake() noexcept
{
    if (core::reactor* on = on_.load(std::memory_order_acquire))
        on->wake_unless_told();
}

void timer_bank::retired(std::uint32_t slot, std::uint32_t) noexcept
{
    cold* const c = cold_.find(slot);
    if (!c)
        return;
    if (c->rests.load(std::memory_order_acquire)) { // others only look at it
        c->rests.store(false, std::memory_order_release);
        ++dropped_;
    }
    core::subscription* const s = c->subscription.load(std::memory_order_acquire);
    if (!s)
        return;
    // A delete that is between the engine and cancel() has it pinned, and frees it when it has cancelled; but one that has found the
    // timer at rest, and comes too late to pin it, leaves that to who finds it ended.
    if (!(s->gate.load(std::memory_order_seq_cst) & core::gate_closing)) {
        core::dispatcher& d = *s->road.load(std::memory_order_acquire);
        d.hand_over(); // it may be among them
        d.cancel(*s);
    }
    c->subscription.store(nullptr, std::memory_order_seq_cst);
    registry_.release(*s);
}

// ---- from a handle to its bank ----------------------------------------------------------------------------------------------

inline bank* timers::find(const core::handle& h) noexcept
{
    core::registry* all = core::registry::current();
    if (!all || h.kind != core::handle_kind::timer || h.epoch != (all->life & core::epoch_mask))
        return nullptr;
    auto* self = static_cast<timers*>(all->find(core::extension_place::timers));
    return self ? self->banks_[h.engine].load(std::memory_order_acquire) : nullptr;
}

bool timers::find(std::uint64_t number, bank*& of, bank::timer& out) noexcept
{
    const core::handle h = core::decode(number);
    of = find(h);
    out = {h.index, h.generation};
    return of != nullptr;
}

int timers::settime(std::uint64_t number, int flags, const itimerspec& value, itimerspec* old) noexcept
{
    if (core::kind_of(number) != core::handle_kind::timer) // said first: the rest of decode() then has no branches
        return EINVAL;
    const core::handle h = core::decode(number);
    bank* const of = find(h);
    if (!of)
        return EINVAL;
    if (of->family() == clock_family::kernel) [[unlikely]]
        return static_cast<kernel_bank*>(of)->settime({h.index, h.generation}, flags, value, old);
    return static_cast<timer_bank*>(of)->settime({h.index, h.generation}, flags, value, old);
}

} // namespace sigev::sources

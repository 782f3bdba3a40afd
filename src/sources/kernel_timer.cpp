#include "sources/kernel_timer.hpp"

#include "core/statistics.hpp"

#include <cerrno>
#include <pthread.h>

namespace sigev::sources {

kernel_bank::kernel_bank(core::registry& all, std::uint32_t number, spi::kernel_timer_receiver& told)
    : bank(all, clock_family::kernel, number), engine_(spi::make_kernel_engine(told, number, *this))
{
}

int kernel_bank::create(core::reactor& on, clockid_t clock, const sigevent* event, std::uint64_t& number) noexcept
{
    // The calling thread's clock by its own number: others have to read it, too.
    if (clock == CLOCK_THREAD_CPUTIME_ID)
        if (const int error = ::pthread_getcpuclockid(::pthread_self(), &clock))
            return error;
    if (!serves(on))
        return EINVAL;
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
    {
        const std::lock_guard lock(mutex_);
        if (const int error = engine_->acquire(slot, generation))
            return error;
        if (!cold_.reserve(std::size_t{slot} + 1)) {
            engine_->release(slot);
            return EAGAIN;
        }
    }
    number = handle_of(slot, generation);
    sigevent alarm{};
    alarm.sigev_notify = SIGEV_SIGNAL;
    alarm.sigev_signo = SIGALRM;
    alarm.sigev_value.sival_ptr = reinterpret_cast<void*>(number);
    const sigevent& e = event ? *event : alarm;
    return is_the_kernels(e.sigev_notify) ? create_direct(clock, e, slot, generation, on)
                                          : create_carried(clock, e, slot, generation, on);
}

int kernel_bank::create_direct(
    clockid_t clock, const sigevent& event, std::uint32_t slot, std::uint32_t generation, core::reactor& on) noexcept
{
    if (const int error = engine_->create(slot, clock, &event))
        return error;
    cold& c = cold_[slot];
    c.notify.store(event.sigev_notify, std::memory_order_relaxed);
    if (sys::statistics::account* const a = c.account.load(std::memory_order_relaxed)) [[unlikely]]
        core::statistics::open_account(*a, event.sigev_notify, generation);
    c.subscription.store(nullptr, std::memory_order_relaxed);
    c.generation.store(generation, std::memory_order_seq_cst); // from here the handle is known
    // Who closes a reactor shuts it and then looks for timers; this publishes one and then looks at the reactor.
    if (!on.is_open()) {
        destroy_direct(slot, generation, event.sigev_notify);
        return EINVAL;
    }
    return 0;
}

int kernel_bank::create_carried(
    clockid_t clock, const sigevent& event, std::uint32_t slot, std::uint32_t generation, core::reactor& on) noexcept
{
    if (const int error = engine_->create(slot, clock, nullptr))
        return error;
    core::subscription_spec spec;
    spec.event = &event;
    spec.source = SIGEV_SOURCE_TIMER;
    spec.ident = handle_of(slot, generation);
    spec.code = SI_TIMER;
    spec.kind = core::raising::merging;
    spec.on = &on;
    core::subscription* s = nullptr;
    cold& c = cold_[slot];
    if (const int error = registry_.open(spec, s)) {
        c.subscription.store(nullptr, std::memory_order_release);
        std::uint64_t none = 0;
        engine_->destroy(slot, generation, none);
        return error;
    }
    c.notify.store(event.sigev_notify, std::memory_order_relaxed);
    c.subscription.store(s, std::memory_order_relaxed);
    c.generation.store(generation, std::memory_order_seq_cst);
    if (!on.is_open()) { // as above
        destroy_carried(slot, generation, *s, false);
        return EINVAL;
    }
    return 0;
}

// Read once: from here on the engine compares it whole, so a slot that changes hands meanwhile is not mistaken.
std::uint32_t kernel_bank::whole(const timer& t) const noexcept
{
    const cold* const c = cold_.find(t.slot);
    const std::uint32_t generation = c ? c->generation.load(std::memory_order_acquire) : 0;
    return ((generation ^ t.generation) & core::timer_generation_mask) == 0 ? generation : 0;
}

int kernel_bank::settime(const timer& t, int flags, const itimerspec& value, itimerspec* old) noexcept
{
    if (const int error = check(value))
        return error;
    // A request to disarm is valid whatever its interval says, for POSIX; not so for the kernel.
    return engine_->settime(t.slot, whole(t), flags, is_zero(value.it_value) ? itimerspec{} : value, old);
}

int kernel_bank::gettime(const timer& t, itimerspec& value) noexcept
{
    return engine_->gettime(t.slot, whole(t), value);
}

int kernel_bank::overrun(const timer& t, int& out) noexcept
{
    const std::uint32_t generation = whole(t);
    const core::subscription* const s = subscription_of(t.slot);
    int kernels = 0;
    const int latched = s ? s->overrun.load(std::memory_order_acquire) : 0;
    // Asked last: if the timer is there still, it was its own.
    if (const int error = engine_->overrun(t.slot, generation, kernels))
        return error;
    out = s ? latched : kernels;
    return 0;
}

bool kernel_bank::destroy_direct(std::uint32_t slot, std::uint32_t generation, int notify) noexcept
{
    sys::statistics::account* const account = cold_[slot].account.load(std::memory_order_relaxed);
    std::uint64_t raised = 0;
    if (engine_->destroy(slot, generation, raised) != 0)
        return false;
    registry_.fold_kernel_timer(notify, raised, account, generation);
    return true;
}

int kernel_bank::destroy(const timer& t, bool wait) noexcept
{
    const std::uint32_t generation = whole(t);
    if (generation == 0)
        return EINVAL;
    if (core::subscription* const s = subscription_of(t.slot))
        return destroy_carried(t.slot, generation, *s, wait);
    // Read before: afterwards the slot may have its next owner.
    const int notify = cold_[t.slot].notify.load(std::memory_order_relaxed);
    return destroy_direct(t.slot, generation, notify) ? 0 : EINVAL;
}

// As timer_bank::destroy(); the slot may be retired before this returns, and the subscription released.
int kernel_bank::destroy_carried(std::uint32_t slot, std::uint32_t generation, core::subscription& s, bool wait) noexcept
{
    s.generation.pin(0, 0);
    std::uint64_t none = 0;
    const int error = engine_->destroy(slot, generation, none);
    if (error == 0) {
        core::dispatcher& d = *s.road.load(std::memory_order_acquire);
        d.cancel(s);
        if (wait)
            d.wait(s);
    }
    s.generation.unpin();
    if (error == 0) {
        registry_.maybe_free(s);
        registry_.reap_dead(true);
    }
    return error;
}

int kernel_bank::ledger(const timer& t, sigev_ledger& out) noexcept
{
    const std::uint32_t generation = whole(t);
    core::subscription* const s = subscription_of(t.slot);
    sigev_ledger l{};
    if (s) {
        s->generation.pin(0, 0);
        l = core::registry::read(*s);
    }
    std::uint64_t raised = 0;
    const int error = engine_->raised(t.slot, generation, raised);
    if (s) {
        s->generation.unpin();
        registry_.reap_dead(true);
    } else {
        l.kernel_timers = 1;
        l.kernel_raised = raised;
    }
    if (error == 0)
        out = l;
    return error;
}

void kernel_bank::account(int method, sigev_ledger& sum) noexcept
{
    std::uint32_t slot = 0;
    for (const cold* c; (c = cold_.find(slot)) != nullptr; ++slot) {
        const std::uint32_t generation = c->generation.load(std::memory_order_acquire);
        const int notify = c->notify.load(std::memory_order_relaxed);
        std::uint64_t raised = 0;
        if (!is_the_kernels(notify) || (method >= 0 && method != notify) ||
            engine_->raised(slot, generation, raised) != 0)
            continue;
        ++sum.kernel_timers;
        sum.kernel_raised += raised;
    }
}

bool kernel_bank::reap() noexcept
{
    engine_->reap();
    return false;
}

// The reactor holds its drain word for this call, and has cancelled all its subscriptions.
void kernel_bank::detach() noexcept
{
    std::uint32_t slot = 0;
    for (const cold* c; (c = cold_.find(slot)) != nullptr; ++slot) {
        const std::uint32_t generation = c->generation.load(std::memory_order_seq_cst);
        const int notify = c->notify.load(std::memory_order_relaxed);
        std::uint64_t none = 0;
        if (is_the_kernels(notify))
            destroy_direct(slot, generation, notify);
        else
            engine_->destroy(slot, generation, none);
    }
    unclaim();
}

void kernel_bank::expired(std::uint32_t slot, std::uint64_t count, std::int64_t scheduled, clockid_t clock) noexcept
{
    // The engine holds the slot for the length of this call.
    if (core::subscription* const s = cold_[slot].subscription.load(std::memory_order_acquire))
        s->road.load(std::memory_order_acquire)->raise(*s, count, scheduled, clock);
}

void kernel_bank::wake() noexcept
{
    if (core::reactor* on = on_.load(std::memory_order_acquire))
        on->wake();
}

sys::statistics::kernel_books* kernel_bank::books(std::uint32_t slot) noexcept
{
    if (!core::statistics::wanted())
        return nullptr;
    sys::statistics::account* const a = core::statistics::take_account();
    cold_[slot].account.store(a, std::memory_order_relaxed);
    return a ? &a->books : nullptr;
}

void kernel_bank::retired(std::uint32_t slot) noexcept
{
    cold* const c = cold_.find(slot);
    // A delete that is between the engine and cancel() has it pinned, and frees it when it has cancelled.
    if (core::subscription* s = c ? c->subscription.exchange(nullptr, std::memory_order_acq_rel) : nullptr)
        registry_.release(*s);
}

} // namespace sigev::sources

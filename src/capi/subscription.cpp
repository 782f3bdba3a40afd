// sigev_open() and its family.
#include "capi/edge.hpp"

#include <new>

namespace sigev::capi {

namespace {

// Finds, does, lets go: f(registry, subscription) returns 0 or an errno.
template <class F>
int with_subscription(sigev_t number, F&& f) noexcept
{
    core::registry* all = core::registry::current();
    core::subscription* s = all ? all->find(number) : nullptr;
    if (!s)
        return EINVAL;
    const int error = f(*all, *s);
    all->unpin(*s);
    all->reap_dead(true); // it may have ended meanwhile
    return error;
}

void cancel(core::subscription& s, bool wait) noexcept
{
    core::dispatcher& d = *s.road.load(std::memory_order_acquire);
    d.cancel(s);
    if (wait)
        d.wait(s);
}

// Other codes the kernel refuses, or they would say what is not so. 0 stands for SI_QUEUE.
constexpr bool is_code(std::int32_t code) noexcept
{
    return code == 0 || code == SI_QUEUE || code == SI_TIMER || code == SI_ASYNCIO || code == SI_MESGQ;
}

} // namespace

int read_options(
    const sigevent* event, std::uint32_t capacity, const sigev_options* options, const sigev_t* subscription,
    core::subscription_spec& spec) noexcept
{
    if (!event || !subscription || capacity == 0 || capacity > core::most_records)
        return EINVAL;
    constexpr std::uint32_t known = SIGEV_REFUSE_WHEN_FULL | SIGEV_FRESH_THREAD;
    if (options && (options->size != sizeof *options || (options->flags & ~known) != 0 || !is_code(options->code)))
        return EINVAL;
    spec.event = event;
    spec.capacity = capacity;
    if (!options)
        return 0;
    if (options->code != 0)
        spec.code = options->code;
    if (options->concurrency > 1)
        spec.concurrency = options->concurrency;
    spec.refuse_when_full = (options->flags & SIGEV_REFUSE_WHEN_FULL) != 0;
    spec.fresh_thread = (options->flags & SIGEV_FRESH_THREAD) != 0;
    return 0;
}

} // namespace sigev::capi

using namespace sigev;
using namespace sigev::capi;

int sigev_open(const sigevent* event, uint32_t capacity, const sigev_options* options, sigev_t* subscription) noexcept
{
    return answer(guarded([&] {
        core::subscription_spec spec;
        if (const int error = read_options(event, capacity, options, subscription, spec))
            return error;
        core::registry* all = core::registry::ensure();
        if (!all)
            return EAGAIN;
        if (int error = all->find_reactor(options ? options->reactor : 0, spec.on))
            return as_resource(error);
        core::subscription* s = nullptr;
        const int error = all->open(spec, s);
        spec.on->generation.unpin();
        if (error == 0)
            *subscription = all->handle_of(*s);
        return as_resource(error);
    }));
}

int sigev_submit(sigev_t subscription, int64_t data, int error) noexcept
{
    core::registry* all = core::registry::current();
    const core::handle h = core::decode(subscription);
    core::subscription* s = all && h.kind == core::handle_kind::subscription && h.epoch == (all->life & core::epoch_mask)
                                ? all->subscriptions.at(h.index)
                                : nullptr;
    int result = EINVAL;
    // No pin: the claim checks the generation, and a claimed record keeps the subscription.
    if (s && s->handed_out.load(std::memory_order_relaxed))
        if (core::dispatcher* road = s->road.load(std::memory_order_acquire))
            result = road->submit(*s, h.generation, data, error);
    if (result == 0)
        return 0; // nothing on the way has touched errno
    errno = result;
    return -1;
}

int sigev_cancel(sigev_t subscription) noexcept
{
    return answer(guarded([&] {
        return with_subscription(subscription, [](core::registry&, core::subscription& s) {
            cancel(s, false);
            return 0;
        });
    }));
}

int sigev_cancel_and_wait(sigev_t subscription) noexcept
{
    return answer(guarded([&] {
        return with_subscription(subscription, [](core::registry&, core::subscription& s) {
            cancel(s, true);
            return 0;
        });
    }));
}

int sigev_close(sigev_t subscription) noexcept
{
    return answer(guarded([&] {
        core::registry* all = core::registry::current();
        core::subscription* s = all ? all->find(subscription) : nullptr;
        if (!s)
            return EINVAL;
        cancel(*s, false);
        const bool mine = !s->released.exchange(true, std::memory_order_seq_cst);
        all->unpin(*s);
        all->maybe_free(*s);
        all->reap_dead(true);
        return mine ? 0 : EINVAL;
    }));
}

int sigev_ledger_read(sigev_t subscription, sigev_ledger* ledger) noexcept
{
    return answer(guarded([&] {
        if (!ledger)
            return EINVAL;
        return with_subscription(subscription, [ledger](core::registry&, core::subscription& s) {
            *ledger = core::registry::read(s);
            return 0;
        });
    }));
}

int sigev_ledger_total(int source, int method, sigev_ledger* ledger) noexcept
{
    if (!ledger || source >= SIGEV_SOURCE_COUNT)
        return answer(EINVAL);
    *ledger = core::registry::total(source, method);
    return 0;
}

const sigev_notification* sigev_current(void) noexcept
{
    return core::dispatcher::current();
}

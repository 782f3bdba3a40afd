// Subscriptions that are promised, and opened when they are first needed: registry's side of timers that rest.
//
// A promise has its places in the tables of subscriptions and records, but not which: these are taken when it is kept. So a
// promise that is never kept costs two numbers, and keeping one needs no memory and cannot fail.
#include "core/registry.hpp"

#include "core/runtime.hpp"

#include <cerrno>

namespace sigev::core {

// By the tables in batches: a timer is made and deleted without their locks.
int registry::make_promise(const subscription_spec& spec, promise& out) noexcept
{
    constexpr std::int64_t batch = 64;
    const spi::method* const m = spi::builtin_method(spec.event->sigev_notify);
    if (!m || !is_light(*m, runtime_->owns(*spec.on)))
        return ENOTSUP;
    out.method = m;
    const spi::open_request request{*spec.event, spec.source, spec.ident, spec.concurrency, spec.fresh_thread,
                                    spec.on->dispatcher(), runtime_->team(), *kqueues_, *methods_};
    if (const int error = m->open(request, &out.target))
        return error;
    if (m->may_retry)
        if (const int error = spec.on->reserve_retry())
            return error;
    if (promises_.fetch_sub(1, std::memory_order_relaxed) > 0)
        return 0;
    promises_.fetch_add(1, std::memory_order_relaxed);
    std::lock_guard lock(mutex_);
    if (!subscriptions.promise(batch))
        return EAGAIN;
    if (!records.promise(batch)) {
        subscriptions.take_back(batch);
        return EAGAIN;
    }
    promises_.fetch_add(batch - 1, std::memory_order_relaxed);
    return 0;
}

// Its bit in `overflowed` is not needed: what merges never finds a record missing.
subscription& registry::keep_promise(const promise& p, const subscription_spec& spec) noexcept
{
    subscription& s = subscriptions[subscriptions.acquire_promised()];
    prepare(s, spec);
    set_spare(s, records[records.acquire_promised()]);
    core::dispatcher& d = spec.on->dispatcher();
    s.road.store(&d, std::memory_order_relaxed);
    s.ident = spec.ident;
    s.target = p.target;
    s.lane = nullptr;
    publish(s, *p.method, spec);
    // As open(); and who stops everything cancels what there is after he has said so.
    if (!spec.on->is_open() || stopping_.load(std::memory_order_seq_cst))
        d.cancel(s);
    return s;
}

} // namespace sigev::core

#include "core/commons.hpp"

#include "core/registry.hpp"
#include "core/runtime.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <limits>
#include <new>
#include <utility>

namespace sigev::core {

int commons::join(sigev_reactor_t on, const subscription_spec& spec, occasion& out) noexcept
{
    const spi::method* const m = spi::builtin_method(spec.event->sigev_notify);
    key k{on, 0, spec.source, spec.event->sigev_notify};
    if (!m || !m->common || !m->common(*spec.event, registry_.threads().team(), k.target))
        return ENOTSUP;
    subscription* s = find(k);
    if (!s)
        if (const int error = open(k, spec, s))
            return error;
    out.owner = s;
    out.value = spec.event->sigev_value;
    out.ident = spec.ident;
    if (!m->join)
        return 0;
    out.ident = reinterpret_cast<std::uintptr_t>(std::exchange(out.value.sival_ptr, nullptr));
    const spi::open_request request{*spec.event, spec.source, spec.ident, 1, false, *s->road.load(std::memory_order_acquire),
                                    registry_.threads().team(), registry_.kqueues(), registry_.methods()};
    const int error = m->join(request, &out.value.sival_ptr);
    if (error)
        leave(out);
    return error;
}

void commons::leave(occasion& o) noexcept
{
    subscription& s = *std::exchange(o.owner, nullptr);
    if (s.has_its_own_each() && o.value.sival_ptr)
        s.method->leave(o.value.sival_ptr);
    s.generation.unpin();
    registry_.maybe_free(s);
}

subscription* commons::find(const key& k) noexcept
{
    const std::lock_guard lock(mutex_);
    for (auto [i, end] = open_.equal_range(k); i != end;) {
        const auto [s, generation] = i->second;
        if (s && s->generation.pin(generation, std::numeric_limits<std::uint32_t>::max())) {
            if (!(s->gate.load(std::memory_order_seq_cst) & gate_closing))
                return s;
            s->generation.unpin();
        }
        i = s ? open_.erase(i) : std::next(i); // its reactor has been closed
    }
    return nullptr;
}

// The place first: what is open and stands nowhere would never be closed.
int commons::open(const key& k, const subscription_spec& wanted, subscription*& out) noexcept
{
    reactor* on;
    if (const int error = registry_.find_reactor(k.on, on))
        return error == EINVAL ? EINVAL : EAGAIN;
    int error = EAGAIN;
    if (place* const p = reserve(k)) {
        subscription_spec spec = wanted;
        spec.on = on;
        spec.kind = raising::common;
        spec.concurrency = std::numeric_limits<std::uint32_t>::max(); // what it is told is not one after the other
        error = registry_.open(spec, out);
        if (error) {
            forget(*p, k);
        } else {
            const std::lock_guard lock(mutex_);
            *p = {out, out->generation.generation()};
        }
    }
    on->generation.unpin();
    return error;
}

// Null: no memory.
commons::place* commons::reserve(const key& k) noexcept
{
    std::unique_lock lock(mutex_);
    if (open_.size() >= swept_at_) {
        lock.unlock();
        close_unused();
        lock.lock();
        swept_at_ = std::max(few, 2 * open_.size());
    }
    try {
        return &open_.emplace(k, place{})->second;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void commons::forget(const place& p, const key& k) noexcept
{
    const std::lock_guard lock(mutex_);
    for (auto [i, end] = open_.equal_range(k); i != end; ++i)
        if (&i->second == &p) {
            open_.erase(i);
            return;
        }
}

// One at a time is taken out and closed: a method may do so with no lock held. Its own pin keeps it from whoever comes first.
void commons::close_unused() noexcept
{
    for (;;) {
        subscription* unused = nullptr;
        {
            const std::lock_guard lock(mutex_);
            for (auto i = open_.begin(); i != open_.end() && !unused;) {
                const auto [s, generation] = i->second;
                const bool gone = s && s->generation.generation() != generation;
                if (s && !gone && !s->generation.pinned() && s->inflight.load(std::memory_order_seq_cst) == 0) {
                    unused = s;
                    s->generation.pin(0, 0);
                }
                i = gone || unused ? open_.erase(i) : std::next(i);
            }
        }
        if (!unused)
            return;
        unused->road.load(std::memory_order_acquire)->cancel(*unused);
        unused->generation.unpin();
        registry_.maybe_free(*unused);
    }
}

} // namespace sigev::core

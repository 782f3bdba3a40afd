// The account of a subscription, and that of all of them: registry's side of the ledger.
#include "core/registry.hpp"

#include "core/statistics.hpp"
#include "sys/fork_epoch.hpp"

#include <sched.h>

namespace sigev::core {

namespace {

sigev_ledger look(const subscription& s) noexcept
{
    sigev_ledger l{};
    l.raised = s.raised.load(std::memory_order_acquire);
    l.delivered = s.delivered.load(std::memory_order_acquire);
    l.merged = s.merged.load(std::memory_order_acquire);
    l.discarded = s.discarded.load(std::memory_order_acquire);
    // `pending` is counted where the notifications are, not worked out from the others: so the sum can be wrong, and a
    // notification that was lost shows.
    if (s.kind == raising::merging) {
        l.pending = occurrences_count(s.occurrences.load(std::memory_order_acquire)) +
                    s.inflight.load(std::memory_order_acquire);
    } else if (s.kind == raising::common) {
        l.pending = s.inflight.load(std::memory_order_acquire);
    } else {
        // What came with a record was raised by the claim, and what came without by the exchange that kept it.
        const std::uint64_t returned = s.returned.load(std::memory_order_acquire);
        const std::uint64_t claim = s.claim.load(std::memory_order_acquire);
        const std::uint64_t newest = s.newest.load_low();
        const std::uint64_t kept = newest_state_of(newest) == newest_state::kept ? 1 : 0;
        l.raised += claims_ever(claim, returned) + newest_merged(newest) + kept;
        l.merged += newest_merged(newest);
        l.pending = claims_out(claim, returned) + kept + (s.spare_out.load(std::memory_order_acquire) ? 1 : 0);
    }
    return l;
}

bool same(const sigev_ledger& a, const sigev_ledger& b) noexcept
{
    return a.raised == b.raised && a.delivered == b.delivered && a.merged == b.merged && a.pending == b.pending &&
           a.discarded == b.discarded;
}

void add(sigev_ledger& sum, const sigev_ledger& l) noexcept
{
    sum.raised += l.raised;
    sum.delivered += l.delivered;
    sum.merged += l.merged;
    sum.pending += l.pending;
    sum.discarded += l.discarded;
    sum.kernel_timers += l.kernel_timers;
    sum.kernel_raised += l.kernel_raised;
}

} // namespace

// The counters move one by one: two looks that agree are taken for one moment; after a while, whatever is there. Who is in the
// middle of moving them may have lost its processor, to this thread perhaps.
sigev_ledger registry::read(const subscription& s) noexcept
{
    sigev_ledger before = look(s);
    for (int tries = 0; tries != 100; ++tries) {
        const sigev_ledger after = look(s);
        if (same(before, after) &&
            after.raised == after.delivered + after.merged + after.pending + after.discarded)
            return after;
        before = after;
        if (tries > 10)
            ::sched_yield();
    }
    return before;
}

// What closed subscriptions leave behind, by source and kind of method. It outlives the registry: the account of a process is
// not closed by sigev_shutdown().
namespace {

using sys::statistics::kind_of;
using sys::statistics::method_kinds;

struct closed_account {
    std::uint32_t epoch = 0; ///< of the process that it is about: a child starts its own
    std::array<std::array<sigev_ledger, method_kinds>, SIGEV_SOURCE_COUNT> at{};
};
closed_account closed;

} // namespace

void registry::fold(subscription& s) noexcept
{
    std::lock_guard lock(totals_mutex_);
    if (closed.epoch != epoch)
        closed = {epoch, {}};
    add(closed.at[s.source][kind_of(s.method->number)], look(s));
    s.folded = true;
}

namespace {

sigev_ledger of_silent_requests(std::uint64_t n) noexcept
{
    sigev_ledger l{};
    l.raised = l.delivered = n;
    return l;
}

} // namespace

void registry::fold_silent_requests() noexcept
{
    std::lock_guard lock(totals_mutex_);
    if (closed.epoch != epoch)
        closed = {epoch, {}};
    const std::uint64_t n = silent_requests_.exchange(0, std::memory_order_relaxed);
    add(closed.at[SIGEV_SOURCE_AIO][kind_of(SIGEV_NONE)], of_silent_requests(n));
}

void registry::fold_kernel_timer(int notify, std::uint64_t raised, sys::statistics::account* books, std::uint32_t generation) noexcept
{
    if (statistics::wanted()) [[unlikely]]
        statistics::kernel_timer_ended(notify, raised, books, generation);
    std::lock_guard lock(totals_mutex_);
    if (closed.epoch != epoch)
        closed = {epoch, {}};
    sigev_ledger l{};
    l.kernel_timers = 1;
    l.kernel_raised = raised;
    add(closed.at[SIGEV_SOURCE_TIMER][kind_of(notify)], l);
}

sigev_ledger registry::total(int source, int method) noexcept
{
    sigev_ledger sum{};
    const auto wanted = [&](unsigned src, unsigned kind) {
        return (source < 0 || static_cast<unsigned>(source) == src) && (method < 0 || kind_of(method) == kind);
    };
    const registry* r = current();
    std::unique_lock<std::mutex> lock;
    if (r)
        lock = std::unique_lock(r->totals_mutex_);
    for (unsigned src = 0; src != SIGEV_SOURCE_COUNT; ++src)
        for (unsigned kind = 0; kind != method_kinds; ++kind)
            if (closed.epoch == sys::current_epoch() && wanted(src, kind))
                add(sum, closed.at[src][kind]);
    if (r && wanted(SIGEV_SOURCE_AIO, kind_of(SIGEV_NONE))) {
        const std::uint64_t n = r->silent_requests_.load(std::memory_order_relaxed);
        add(sum, of_silent_requests(n));
    }
    if (r)
        r->subscriptions.for_each([&](const subscription& s) {
            if (!s.folded && wanted(s.source, kind_of(s.method->number)))
                add(sum, read(s));
        });
    if (r)
        for (auto& place : r->extensions_)
            if (extension* e = place.load(std::memory_order_acquire))
                e->account(source, method, sum);
    return sum;
}

} // namespace sigev::core

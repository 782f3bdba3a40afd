// Raising by who holds the drain word: expiries, which merge while their delivery is on the way.
//
// On a loop of the program's own a plain function is called right here, and has come back before anything else of the
// subscription is raised: so nothing is ever merged in its count or held for it, its record has nothing to carry, and all that
// others may see is the gate (cancel(), wait()) and the ledger. Everything else goes the long way, through `occurrences`.
//
// Calls of workers are handed over by the handful: one lock for all of them, one look at who is to be woken, and the lines of
// their lanes are fetched all at once. Until then each has `gate_delivering`, so who cancels it waits as for any other
// delivery: for the few microseconds that it takes to raise the rest. So nothing of the program's own may run meanwhile on this
// thread, and what is in hand goes first. In none of them a delivery was on its way, or this would not be the one that starts
// it: so nobody stands there twice.
#include "core/dispatcher.hpp"

#include "core/inside.hpp"
#include "core/registry.hpp"
#include "core/runtime.hpp"
#include "core/statistics.hpp"
#include "sys/clock.hpp"

#include <utility>

namespace sigev::core {

void dispatcher::raise(subscription& s, std::uint64_t n, std::int64_t scheduled, clockid_t clock) noexcept
{
    raise_soon(s, n, scheduled, clock);
    hand_over();
}

void dispatcher::raise_soon(subscription& s, std::uint64_t n, std::int64_t scheduled, clockid_t clock) noexcept
{
    count(s.raised, n, true); // by the drain alone
    if (is_called_at_once(s) && !statistics::wanted()) {
        hand_over();
        call_at_once(s, n, scheduled, clock);
    } else if (merge(s, n, scheduled, clock)) {
        if (is_called_by_a_worker(s))
            return collect(s);
        hand_over();
        dispatch(*s.spare);
    }
}

inline void dispatcher::call_at_once(subscription& s, std::uint64_t n, std::int64_t scheduled, clockid_t clock) noexcept
{
    if (!start_running(s)) {
        s.discarded.fetch_add(n, std::memory_order_relaxed);
        return;
    }
    sigev_notification here;
    introduce(s, here);
    here.data = static_cast<std::int64_t>(n);
    here.overrun = overrun_of(n);
    here.scheduled = scheduled;
    here.clock = clock;
    if (scheduled != 0)
        here.actual = static_cast<std::int64_t>(s.time ? s.time->now(clock) : sys::now(clock));
    count(s.inflight, n, true);
    s.overrun.store(here.overrun, std::memory_order_relaxed);

    push_frame(s, here);
    drainer_.store(&inside, std::memory_order_relaxed);
    s.method->deliver(s.target, *s.spare, here);
    if (is_inherited()) [[unlikely]] {
        forget_all();
        return;
    }
    drainer_.store(nullptr, std::memory_order_relaxed);
    pop_frame();

    count(s.delivered, 1, true);
    if (n > 1)
        count(s.merged, n - 1, true);
    count(s.inflight, 0 - n, true);
    // The ledger is settled before the callback is seen to be out: cancel_and_wait() then reads it whole.
    if (stop_running(s))
        registry_.maybe_free(s);
}

// True: its delivery starts.
bool dispatcher::merge(subscription& s, std::uint64_t n, std::int64_t scheduled, clockid_t clock) noexcept
{
    if (statistics::wanted()) [[unlikely]]
        statistics::raised(s, n);
    if (s.gate.load(std::memory_order_seq_cst) & gate_closing) {
        s.discarded.fetch_add(n, std::memory_order_relaxed);
        if (statistics::wanted()) [[unlikely]]
            statistics::discarded(s, n);
        return false;
    }
    std::uint64_t word = s.occurrences.load(std::memory_order_acquire);
    occurrences_step step;
    do {
        // Only this thread raises, so a count of 0 stays 0 until the exchange: the time belongs to its first occurrence.
        if (occurrences_count(word) == 0) {
            s.scheduled.store(scheduled, std::memory_order_relaxed);
            s.clock.store(clock, std::memory_order_relaxed);
        }
        step = occurrences_raise(word, n);
    } while (!s.occurrences.compare_exchange_weak(word, step.next, std::memory_order_acq_rel, std::memory_order_acquire));
    return step.start;
}

void dispatcher::collect(subscription& s) noexcept
{
    if (!set(s, gate_delivering))
        return discard(*s.spare);
    handful_[in_hand_] = &s;
    if (++in_hand_ == handful_.size())
        hand_over(true);
}

// more: of a burst, whose end is not in sight.
void dispatcher::hand_over(bool more) noexcept
{
    const unsigned n = std::exchange(in_hand_, 0);
    if (n == 0 || is_inherited()) // in a child they are the parent's
        return;
    std::array<spi::lane_delivery, std::tuple_size_v<decltype(handful_)>> list;
    for (unsigned i = 0; i != n; ++i) {
        const subscription& s = *handful_[i];
        list[i] = {s.lane ? s.lane : s.method->lane_of(s.target), s.spare};
        __builtin_prefetch(list[i].to, 1);
    }
    spi::workers& team = team_ ? *team_ : registry_.threads().team();
    team.enqueue_each(list.data(), n, more);
    for (unsigned i = 0; i != n; ++i)
        if (clear(*handful_[i], gate_delivering))
            registry_.maybe_free(*handful_[i]);
}

} // namespace sigev::core

// Raising by who holds the drain word: expiries, which merge while their delivery is on the way.
//
// On a loop of the program's own a plain function is called right here, and has come back before anything else of the
// subscription is raised: so nothing is ever merged in its count or held for it, its record has nothing to carry, and all that
// others may see is the gate (cancel(), wait()) and the ledger. Everything else goes the long way, through `occurrences`.
#include "core/dispatcher.hpp"

#include "core/inside.hpp"
#include "core/registry.hpp"
#include "core/statistics.hpp"
#include "sys/clock.hpp"

namespace sigev::core {

void dispatcher::raise(subscription& s, std::uint64_t n, std::int64_t scheduled, clockid_t clock) noexcept {
    count(s.raised, n, true); // by the drain alone
    if (is_called_at_once(s) && !statistics::wanted())
        call_at_once(s, n, scheduled, clock);
    else
        raise_merging(s, n, scheduled, clock);
}

inline void dispatcher::call_at_once(subscription& s, std::uint64_t n, std::int64_t scheduled, clockid_t clock) noexcept {
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

void dispatcher::raise_merging(subscription& s, std::uint64_t n, std::int64_t scheduled, clockid_t clock) noexcept {
    if (statistics::wanted()) [[unlikely]]
        statistics::raised(s, n);
    if (s.gate.load(std::memory_order_seq_cst) & gate_closing) {
        s.discarded.fetch_add(n, std::memory_order_relaxed);
        if (statistics::wanted()) [[unlikely]]
            statistics::discarded(s, n);
        return;
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
    if (step.start)
        dispatch(*s.spare);
}

} // namespace sigev::core

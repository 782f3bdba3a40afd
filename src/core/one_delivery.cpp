// One delivery, from its start to what becomes of its record: the dispatcher's side towards the methods.
#include "core/dispatcher.hpp"

#include "core/inside.hpp"
#include "core/registry.hpp"

namespace sigev::core {

bool dispatcher::begin(spi::delivery& d, sigev_notification& out) noexcept
{
    auto& r = static_cast<record&>(d);
    subscription& s = *r.owner;
    if (!start_running(s)) {
        discard(r);
        return false;
    }
    if (!latch(r, out)) { // nothing is left to tell: an earlier delivery took it all along
        if (!settle(r, spi::verdict::delivered)) {
            if (stop_running(s))
                registry_.maybe_free(s);
            return false;
        }
        latch(r, out);
    }
    push_frame(s, out);
    return true;
}

bool dispatcher::end(spi::delivery& d, spi::verdict v) noexcept
{
    auto& r = static_cast<record&>(d);
    subscription& s = *r.owner;
    pop_frame();
    bool again;
    if (v == spi::verdict::retry) {
        unlatch(r);
        again = true;
        s.suspended.store(true, std::memory_order_release);
        overflowed_.set(s.index);
        host_.wake();
    } else {
        again = settle(r, v);
    }
    // The ledger is settled before the last callback is seen to be out: cancel_and_wait() then reads it whole.
    if (stop_running(s))
        registry_.maybe_free(s);
    return again;
}

void dispatcher::drop(spi::delivery& d) noexcept
{
    discard(static_cast<record&>(d));
}

// Fills `out` for a delivery that starts now; the overrun is latched here. False: nothing was raised (merging only).
bool dispatcher::latch(record& r, sigev_notification& out) noexcept
{
    subscription& s = *r.owner;
    out = {};
    out.value = s.value;
    out.ident = s.ident;
    out.code = s.code;
    out.source = s.source;
    if (s.kind == raising::queueing) {
        r.latched = 1;
        out.data = r.data;
        out.error = r.error;
        out.scheduled = r.scheduled;
        return true;
    }
    std::uint64_t word = s.occurrences.load(std::memory_order_acquire);
    do
        out.scheduled = s.scheduled.load(std::memory_order_relaxed);
    while (!s.occurrences.compare_exchange_weak(word, occurrences_latch(word), std::memory_order_acq_rel,
                                                std::memory_order_acquire));
    r.latched = occurrences_count(word);
    r.scheduled = out.scheduled;
    if (r.latched == 0)
        return false;
    s.inflight.fetch_add(r.latched, std::memory_order_relaxed);
    out.data = static_cast<std::int64_t>(r.latched);
    out.overrun = overrun_of(r.latched);
    s.overrun.store(out.overrun, std::memory_order_relaxed);
    return true;
}

// The delivery did not take place and will be tried again.
void dispatcher::unlatch(record& r) noexcept
{
    subscription& s = *r.owner;
    const std::uint64_t n = r.latched;
    r.latched = 0;
    if (s.kind == raising::queueing)
        return;
    s.scheduled.store(r.scheduled, std::memory_order_relaxed);
    std::uint64_t word = s.occurrences.load(std::memory_order_relaxed);
    while (!s.occurrences.compare_exchange_weak(word, occurrences_unlatch(word, n), std::memory_order_acq_rel))
        ;
    s.inflight.fetch_sub(n, std::memory_order_relaxed);
}

// The delivery is over: the ledger, and what becomes of the record. True: go again (merging only).
bool dispatcher::settle(record& r, spi::verdict v) noexcept
{
    subscription& s = *r.owner;
    const std::uint64_t n = r.latched;
    r.latched = 0;
    if (n != 0) {
        if (v == spi::verdict::delivered) {
            s.delivered.fetch_add(1, std::memory_order_relaxed);
            if (n > 1)
                s.merged.fetch_add(n - 1, std::memory_order_relaxed);
        } else {
            s.discarded.fetch_add(n, std::memory_order_relaxed);
        }
    }
    if (s.kind == raising::queueing) {
        give_back(r);
        return false;
    }
    s.inflight.fetch_sub(n, std::memory_order_relaxed);
    if (s.gate.load(std::memory_order_seq_cst) & gate_closing) {
        discard(r);
        return false;
    }
    std::uint64_t word = s.occurrences.load(std::memory_order_acquire);
    occurrences_step step;
    do
        step = occurrences_end(word);
    while (!s.occurrences.compare_exchange_weak(word, step.next, std::memory_order_acq_rel, std::memory_order_acquire));
    return step.start;
}

void dispatcher::discard(record& r) noexcept
{
    subscription& s = *r.owner;
    if (s.kind == raising::queueing) {
        s.discarded.fetch_add(1, std::memory_order_relaxed);
        give_back(r);
        return;
    }
    const std::uint64_t word = s.occurrences.exchange(0, std::memory_order_acq_rel);
    s.discarded.fetch_add(occurrences_count(word), std::memory_order_relaxed);
    registry_.maybe_free(s);
}

void dispatcher::give_back(record& r) noexcept
{
    subscription& s = *r.owner;
    if (s.one_shot) { // its notification has come to an end, and so has it
        s.claim.fetch_or(claim_closing, std::memory_order_seq_cst);
        s.gate.fetch_or(gate_closing, std::memory_order_seq_cst);
    }
    if (&r == s.spare) {
        s.spare_out.store(false, std::memory_order_seq_cst);
        if (s.overflowing.load(std::memory_order_seq_cst)) {
            overflowed_.set(s.index);
            host_.wake();
        }
    } else {
        std::uint64_t word = s.claim.load(std::memory_order_relaxed);
        do
            r.free_next.store(claim_head(word), std::memory_order_relaxed);
        while (!s.claim.compare_exchange_weak(word, claim_put(word, r.index), std::memory_order_acq_rel,
                                              std::memory_order_relaxed));
    }
    s.returned.fetch_add(1, std::memory_order_seq_cst);
    if (s.gate.load(std::memory_order_seq_cst) & gate_closing)
        registry_.maybe_free(s);
}

} // namespace sigev::core

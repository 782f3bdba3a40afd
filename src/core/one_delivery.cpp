// One delivery, from its start to what becomes of its record: the dispatcher's side towards the methods. What every
// notification passes through is inline, and stands before what calls it.
#include "core/dispatcher.hpp"

#include "core/inside.hpp"
#include "core/registry.hpp"
#include "core/statistics.hpp"
#include "sys/clock.hpp"

#include <cerrno>
#include <utility>

namespace sigev::core {

// ---- what it says ---------------------------------------------------------------------------------------------------------

// What all notifications of the subscription say.
void dispatcher::introduce(const subscription& s, sigev_notification& out) noexcept
{
    out = {};
    out.value = s.value;
    out.ident = s.ident;
    out.code = s.code;
    out.source = s.source;
    out.cause = s.cause;
    out.clock = CLOCK_MONOTONIC;
}

// Where nobody could see it, or there is nothing to compare it with, the look is left out.
inline void dispatcher::look_at_clock(record& r, sigev_notification& out) noexcept
{
    if (out.scheduled == 0)
        return;
    const subscription& s = *r.owner;
    const bool counted = statistics::wanted();
    if (s.method->runs_user_code || s.method->deferred || counted)
        out.actual = static_cast<std::int64_t>(s.time ? s.time->now(out.clock) : sys::now(out.clock));
    if (counted) [[unlikely]]
        statistics::note_lateness(r, out.actual - out.scheduled);
}

// And what this one says, whose delivery starts now; the overrun is latched here. False: nothing was raised (merging only).
inline bool dispatcher::latch(record& r, sigev_notification& out) noexcept
{
    subscription& s = *r.owner;
    if (s.kind == raising::merging)
        return latch_occurrences(s, static_cast<table_record&>(r), out);
    out.data = r.data;
    out.error = r.error;
    out.scheduled = r.scheduled;
    if (s.kind == raising::common) {
        const auto& o = static_cast<const occasion&>(r);
        out.value = o.value;
        out.ident = o.ident;
        out.cause = s.cause; // the one before it may have been cancelled
    } else {
        out.overrun = overrun_of(static_cast<const table_record&>(r).latched + 1);
    }
    if (s.source == SIGEV_SOURCE_AIO && r.error == ECANCELED)
        out.cause = SIGEV_CAUSE_CANCELED;
    look_at_clock(r, out);
    return true;
}

bool dispatcher::latch_occurrences(subscription& s, table_record& r, sigev_notification& out) noexcept
{
    std::uint64_t word = s.occurrences.load(std::memory_order_acquire);
    do {
        out.scheduled = s.scheduled.load(std::memory_order_relaxed);
        out.clock = s.clock.load(std::memory_order_relaxed);
    } while (!s.occurrences.compare_exchange_weak(word, occurrences_latch(word), std::memory_order_acq_rel,
                                                std::memory_order_acquire));
    r.latched = occurrences_count(word);
    r.scheduled = out.scheduled;
    r.clock = out.clock;
    if (r.latched == 0)
        return false;
    count(s.inflight, r.latched, true);
    out.data = static_cast<std::int64_t>(r.latched);
    out.overrun = overrun_of(r.latched);
    s.overrun.store(out.overrun, std::memory_order_relaxed);
    look_at_clock(r, out);
    return true;
}

// The delivery did not take place and will be tried again.
void dispatcher::unlatch(record& refused) noexcept
{
    subscription& s = *refused.owner;
    if (s.kind != raising::merging)
        return;
    auto& r = static_cast<table_record&>(refused);
    const std::uint64_t n = std::exchange(r.latched, 0);
    s.scheduled.store(r.scheduled, std::memory_order_relaxed);
    s.clock.store(r.clock, std::memory_order_relaxed);
    count(s.inflight, 0 - n, true);
    std::uint64_t word = s.occurrences.load(std::memory_order_relaxed);
    while (!s.occurrences.compare_exchange_weak(word, occurrences_unlatch(word, n), std::memory_order_acq_rel))
        ;
}

// ---- what becomes of it -----------------------------------------------------------------------------------------------------

// The next slot in turn, good for the claim that comes round to it.
inline void dispatcher::put_into_ring(subscription& s, table_record& r) noexcept
{
    if (!s.is_settled_by_the_drain())
        return put_into_ring_among_others(s, r);
    const std::uint64_t word = s.returned.load(std::memory_order_relaxed);
    const std::uint32_t at = s.ring_first + returned_place(word);
    table_record& place = at == r.index ? r : registry_.records[at];
    place.slot.store(returned_slot(word, s.ring_capacity, r.index), std::memory_order_release);
    const std::uint64_t next = returned_next(word, s.ring_capacity);
    if (returned_count(next) == 0) [[unlikely]]
        s.raised.fetch_add(returned_wraps_after, std::memory_order_relaxed);
    s.returned.store(next, std::memory_order_release);
}

// Where several may give back at once, the slot's exchange decides who has it, and who finds it taken counts it for the other,
// who may be held up in between: until after the subscription has been freed, perhaps, so the count is never what it was
// before.
void dispatcher::put_into_ring_among_others(subscription& s, table_record& r) noexcept
{
    const std::uint32_t first = s.ring_first;
    const std::uint32_t capacity = s.ring_capacity;
    std::uint64_t word = s.returned.load(std::memory_order_acquire);
    for (;;) {
        auto& slot = registry_.records[first + returned_place(word)].slot;
        const std::uint64_t mine = returned_slot(word, capacity, r.index);
        std::uint64_t old = slot.load(std::memory_order_acquire);
        const bool done = slot_is_used_up(old, word) &&
                          slot.compare_exchange_strong(old, mine, std::memory_order_acq_rel, std::memory_order_acquire);
        // Anything else in it: the word that was read is an old one.
        if (done || slot_claim(old) == slot_claim(mine))
            count_return(s, word, returned_next(word, capacity));
        if (done)
            return;
        word = s.returned.load(std::memory_order_acquire);
    }
}

void dispatcher::count_return(subscription& s, std::uint64_t word, std::uint64_t next) noexcept
{
    if (s.returned.compare_exchange_strong(word, next, std::memory_order_seq_cst) && returned_count(next) == 0)
        s.raised.fetch_add(returned_wraps_after, std::memory_order_relaxed);
}

inline void dispatcher::give_back(record& r, bool delivered) noexcept
{
    subscription& s = *r.owner;
    if (s.kind == raising::common)
        return give_back_occasion(s, static_cast<occasion&>(r), delivered);
    if (s.one_shot) { // its notification has come to an end, and so has it
        if (statistics::wanted()) [[unlikely]] // of those that queue they count these only
            delivered ? statistics::delivered(s, r, 1) : statistics::discarded(s, 1);
        s.claim.fetch_or(claim_closing, std::memory_order_seq_cst);
        s.gate.fetch_or(gate_closing, std::memory_order_seq_cst);
    }
    if (&r == s.spare) {
        s.spare_out.store(false, std::memory_order_seq_cst);
        if (newest_state_of(s.newest.load_low()) == newest_state::kept) {
            overflowed_.set(s.index);
            wake();
        }
    } else {
        put_into_ring(s, static_cast<table_record&>(r));
    }
    // Where the gate is not closing yet, this is the drain, which leaves the subscription by an exchange, and looks then.
    if (s.gate.load(std::memory_order_seq_cst) & gate_closing)
        registry_.maybe_free(s);
}

// Its memory first, which may be used again for the same subscription's next one.
void dispatcher::give_back_occasion(subscription& s, occasion& o, bool delivered) noexcept
{
    if (statistics::wanted()) [[unlikely]]
        delivered ? statistics::delivered(s, o, 1) : statistics::discarded(s, 1);
    if (s.has_its_own_each() && o.value.sival_ptr)
        s.method->leave(o.value.sival_ptr);
    s.over(o);
    s.inflight.fetch_sub(1, std::memory_order_seq_cst);
    if (s.gate.load(std::memory_order_seq_cst) & gate_closing)
        registry_.maybe_free(s);
}

// The delivery is over: the ledger, and what becomes of the record. True: go again (merging only).
inline bool dispatcher::settle(record& r, spi::verdict v) noexcept
{
    subscription& s = *r.owner;
    if (s.kind == raising::merging)
        return settle_occurrences(s, static_cast<table_record&>(r), v);
    if (v == spi::verdict::delivered)
        count(s.delivered, 1, s.is_settled_by_the_drain());
    else
        s.discarded.fetch_add(1, std::memory_order_relaxed);
    give_back(r, v == spi::verdict::delivered);
    return false;
}

bool dispatcher::settle_occurrences(subscription& s, table_record& r, spi::verdict v) noexcept
{
    const std::uint64_t n = std::exchange(r.latched, 0);
    if (v != spi::verdict::delivered) {
        s.discarded.fetch_add(n, std::memory_order_relaxed);
    } else if (n != 0) {
        count(s.delivered, 1, true);
        if (n > 1)
            count(s.merged, n - 1, true);
    }
    if (statistics::wanted()) [[unlikely]]
        v == spi::verdict::delivered ? statistics::delivered(s, r, n) : statistics::discarded(s, n);
    count(s.inflight, 0 - n, true);
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
    if (s.kind != raising::merging) {
        s.discarded.fetch_add(1, std::memory_order_relaxed);
        give_back(r, false);
        return;
    }
    // `busy` keeps the slot from its next owner, so it goes last, when all has been counted.
    std::uint64_t word = s.occurrences.load(std::memory_order_acquire);
    for (;;) {
        const std::uint64_t count = occurrences_count(word);
        const std::uint64_t next = count != 0 ? occurrences_latch(word) : 0;
        if (!s.occurrences.compare_exchange_weak(word, next, std::memory_order_seq_cst, std::memory_order_acquire))
            continue;
        if (next == 0)
            break;
        s.discarded.fetch_add(count, std::memory_order_relaxed);
        if (statistics::wanted()) [[unlikely]]
            statistics::discarded(s, count);
        word = next;
    }
    registry_.maybe_free(s);
}

// ---- by a method that keeps it for a while -----------------------------------------------------------------------------------

bool dispatcher::begin(spi::delivery& d, sigev_notification& out) noexcept
{
    auto& r = static_cast<record&>(d);
    subscription& s = *r.owner;
    if (!start_running(s)) {
        discard(r);
        return false;
    }
    introduce(s, out);
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
        s.suspended.store(true, std::memory_order_seq_cst); // before the looks with which set() and wake() may content themselves
        overflowed_.set(s.index);
        wake();
    } else {
        if (s.on_trial.load(std::memory_order_relaxed)) {
            s.on_trial.store(false, std::memory_order_relaxed);
            trial_passed_.store(true, std::memory_order_relaxed);
        }
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

void dispatcher::approaches(const spi::delivery& d) noexcept
{
    fetch(*static_cast<const record&>(d).owner);
}

// ---- by the drain -------------------------------------------------------------------------------------------------------------

bool dispatcher::begin_visit(visit& here, subscription& s) noexcept
{
    if (!start_running(s))
        return false;
    introduce(s, here.notification);
    push_frame(s, here.notification);
    drainer_.store(&inside, std::memory_order_relaxed);
    return true;
}

void dispatcher::end_visit(subscription& s) noexcept
{
    drainer_.store(nullptr, std::memory_order_relaxed);
    pop_frame();
    if (stop_running(s))
        registry_.maybe_free(s);
}

// A callback, or a handler of the signal that has been sent, has come back in a process that it has forked. What waits here is the
// parent's, which delivers it.
spi::verdict dispatcher::forget_all() noexcept
{
    backlog_ = {};
    held_ = nullptr;
    retry_time_ = 0;
    return spi::verdict::gone;
}

// One delivery, and further ones as long as more was merged meanwhile. `retry`: the record is still the drain's.
inline spi::verdict dispatcher::call_here(visit& here, record& r) noexcept
{
    subscription& s = *r.owner;
    for (;;) {
        if (s.gate.load(std::memory_order_seq_cst) & gate_closing) {
            discard(r);
            return spi::verdict::gone;
        }
        const bool something = latch(r, here.notification);
        const spi::verdict v =
            something ? s.method->deliver(s.target, r, here.notification) : spi::verdict::delivered;
        if (is_inherited()) [[unlikely]]
            return forget_all();
        if (v == spi::verdict::retry) {
            unlatch(r);
            return v;
        }
        if (!settle(r, v))
            return v;
    }
}

// A loop of the caller's own: its code runs here, for this record and for those behind it that are the same subscription's.
// Only the first and the last of them change the gate: in between this thread is inside, as cancel_and_wait() sees it, and a
// look says whether the next one may start.
void dispatcher::call_in_turn(record& first) noexcept
{
    subscription& s = *first.owner;
    record* r = &first;
    visit here;
    if (!begin_visit(here, s))
        return discard(first);
    spi::verdict v = call_here(here, *r);
    while (v != spi::verdict::retry && (r = backlog_.front()) && r->owner == &s) {
        backlog_.pop_front();
        v = call_here(here, *r);
    }
    if (is_inherited())
        return;
    end_visit(s);
    if (v == spi::verdict::retry)
        hold(*r);
}

// One attempt, while this thread is seen to be inside (gate_delivering). `retry`: the record is still the drain's. Anything
// else: it is not (nor is anything, when is_inherited()). Where more was merged meanwhile, settle() has looked whether the next delivery may start.
inline spi::verdict dispatcher::attempt(record& r, sigev_notification& n) noexcept
{
    subscription& s = *r.owner;
    const spi::method& m = *s.method;
    if (m.deferred) {
        const spi::verdict v = entrust(s, r);
        if (v == spi::verdict::gone)
            discard(r);
        return v;
    }
    for (;;) {
        latch(r, n);
        const spi::verdict v = m.deliver(s.target, r, n);
        if (is_inherited()) [[unlikely]]
            return forget_all();
        if (v == spi::verdict::retry) {
            unlatch(r);
            return v;
        }
        if (!settle(r, v))
            return v;
    }
}

// The run of records at the front of the backlog, behind `first`, that are the same subscription's: they stay linked. The last.
inline record& dispatcher::take_run(record& first) noexcept
{
    record* last = &first;
    for (record* r; (r = backlog_.front()) && r->owner == first.owner; last = r) {
        backlog_.pop_front();
        last->next = r;
    }
    return *last;
}

// For this record and those behind it that are the same subscription's, to whatever is not the program's own code on this
// thread. As in call_in_turn(), only the first and the last of them change the gate. That is as good as doing it for each:
// cancel() sets `closing` first, and then waits until `delivering` is clear. A look that does not see `closing` has come
// before, so its delivery is waited for; and each has a look between the one before and itself.
void dispatcher::offer_in_turn(record& first) noexcept
{
    subscription& s = *first.owner;
    const spi::method& m = *s.method;
    if (!set(s, gate_delivering))
        return discard(first);
    record* r = &first;
    spi::verdict v = spi::verdict::accepted;
    if (s.lane) {
        team_->enqueue(*s.lane, first, take_run(first));
    } else if (m.deliver_all) {
        m.deliver_all(s.target, first, take_run(first));
    } else {
        sigev_notification n{};
        introduce(s, n);
        v = attempt(*r, n);
        while (v != spi::verdict::retry && (r = backlog_.front()) && r->owner == &s &&
               !(s.gate.load(std::memory_order_seq_cst) & gate_closing)) {
            backlog_.pop_front();
            v = attempt(*r, n);
        }
        if (is_inherited())
            return;
    }
    if (clear(s, gate_delivering))
        registry_.maybe_free(s);
    if (v == spi::verdict::retry)
        hold(*r);
}

// One that was refused before. `retry`: the record is still the drain's.
spi::verdict dispatcher::offer_again(record& r) noexcept
{
    subscription& s = *r.owner;
    const spi::method& m = *s.method;
    if (m.runs_user_code) { // a loop of the caller's own: those of a lane are held there
        visit here;
        if (!begin_visit(here, s)) {
            discard(r);
            return spi::verdict::gone;
        }
        const spi::verdict v = call_here(here, r);
        if (!is_inherited())
            end_visit(s);
        return v;
    }
    if (!set(s, gate_delivering)) {
        discard(r);
        return spi::verdict::gone;
    }
    sigev_notification n{};
    introduce(s, n);
    const spi::verdict v = attempt(r, n);
    if (is_inherited())
        return v;
    if (clear(s, gate_delivering))
        registry_.maybe_free(s);
    return v;
}

} // namespace sigev::core

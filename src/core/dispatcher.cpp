#include "core/dispatcher.hpp"

#include "core/inside.hpp"
#include "core/reactor.hpp"
#include "core/registry.hpp"
#include "sys/clock.hpp"
#include "sys/futex.hpp"

#include <cerrno>
#include <sched.h>
#include <utility>

namespace sigev::core {

const sigev_notification* dispatcher::current() noexcept
{
    const unsigned depth = frames_here();
    return depth ? inside.at[depth - 1].notification : nullptr;
}

bool dispatcher::is_draining_here() const noexcept
{
    return drainer_.load(std::memory_order_relaxed) == &inside;
}

// ---- raising ------------------------------------------------------------------------------------------------------------

// Whoever comes here has published what the drain is to find, by an exchange that the drain answers with one of its own after
// it has taken the post; so a look is enough to see that the drain is coming anyway.
void dispatcher::wake() noexcept
{
    const sigev_event_raw* const event = wakeup_ ? wakeup_->load(std::memory_order_acquire) : nullptr;
    if (!event || !is_told(*event))
        host_.wake();
}

inline void dispatcher::push(record& r) noexcept
{
    record* head = submitted_.load(std::memory_order_relaxed);
    do
        r.next = head;
    while (!submitted_.compare_exchange_weak(head, &r, std::memory_order_seq_cst, std::memory_order_relaxed));
    wake();
}

// The record of the slot at the claim word's place, or null: EINVAL and ECANCELED as `refusal`, or 0: none is free, or the
// newest has to be overtaken.
inline record* dispatcher::claim(subscription& s, std::uint32_t generation, int& refusal) noexcept
{
    refusal = 0;
    std::uint64_t word = s.claim.load(std::memory_order_acquire);
    for (;;) {
        if (!claim_is_of(word, generation)) {
            refusal = EINVAL;
            return nullptr;
        }
        if (claim_is_closing(word)) {
            refusal = ECANCELED;
            return nullptr;
        }
        if (newest_state_of(s.newest.load_low()) != newest_state::idle)
            return nullptr;
        const record* const place = registry_.records.at(s.first.load(std::memory_order_acquire) + claim_place(word));
        if (!place) { // the next owner's first, and a place that it does not have
            word = s.claim.load(std::memory_order_acquire);
            continue;
        }
        __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(place) + 512), 1);
        const std::uint64_t slot = place->slot.load(std::memory_order_acquire);
        if (!slot_is_good(slot, word)) {
            // Nothing is free; or the word is an old one, and so the slot has gone round.
            const std::uint64_t seen = std::exchange(word, s.claim.load(std::memory_order_acquire));
            if (seen == word)
                return nullptr;
            continue;
        }
        // That it is the same word means that it is the same owner's: what was read in between belongs to it.
        if (s.claim.compare_exchange_weak(word, claim_take(word, s.capacity.load(std::memory_order_relaxed)),
                                          std::memory_order_acq_rel, std::memory_order_acquire))
            return &registry_.records[slot_record(slot)];
    }
}

// No free record: the newest notification is kept, and the one that it replaces has merged. One exchange of its word checks
// the generation, finds the subscription open, counts, and puts the notification there. From then on nothing keeps the slot
// from its next owner, to whom a bit that is set for nothing does no harm.
inline int dispatcher::keep_newest(subscription& s, std::uint32_t generation, std::int64_t data, int error) noexcept
{
    sys::pair64 old = s.newest.guess();
    newest_step step;
    do {
        if (!newest_is_of(old.lo, generation))
            return EINVAL;
        if (newest_is_closing(old.lo))
            return ECANCELED;
        step = newest_put(old.lo, error);
        if (step.settle != 0 && !s.generation.pin(generation, generation_mask)) // once in 16384 times
            return EINVAL;
        if (s.newest.compare_exchange(old, {step.next, static_cast<std::uint64_t>(data)}))
            break;
        if (step.settle != 0)
            s.generation.unpin();
    } while (true);
    overflowed_.set(s.index);
    if (step.settle != 0) {
        s.raised.fetch_add(step.settle, std::memory_order_relaxed);
        s.merged.fetch_add(step.settle, std::memory_order_relaxed);
        s.generation.unpin(); // before the wakeup: the drain that it brings looks at the dead
    }
    wake();
    return 0;
}

int dispatcher::submit(subscription& s, std::uint32_t generation, std::int64_t data, int error) noexcept
{
    int refusal;
    record* r = claim(s, generation, refusal);
    if (!r) {
        if (refusal != 0)
            return refusal;
        return s.refuses_when_full.load(std::memory_order_relaxed) ? EAGAIN : keep_newest(s, generation, data, error);
    }
    r->data = data;
    r->error = error;
    r->scheduled = 0;
    push(*r);
    return 0;
}

void dispatcher::submit_only(subscription& s, std::int64_t data, int error, std::int64_t scheduled) noexcept
{
    int refusal;
    record* r = claim(s, s.generation.generation(), refusal);
    if (!r) { // cancelled, since its one record is free and nobody else submits
        s.raised.fetch_add(1, std::memory_order_relaxed);
        s.discarded.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    r->data = data;
    r->error = error;
    r->scheduled = scheduled;
    push(*r);
}

void dispatcher::raise(subscription& s, std::uint64_t n, std::int64_t scheduled, clockid_t clock) noexcept
{
    s.raised.fetch_add(n, std::memory_order_relaxed);
    if (s.gate.load(std::memory_order_seq_cst) & gate_closing) {
        s.discarded.fetch_add(n, std::memory_order_relaxed);
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

// Records are claimed in the order in which they lie, so where two follow each other, so do those after them. They come from
// another core: asked for in time, they are here when the list leads to them. A wrong guess costs nothing but itself.
void dispatcher::fetch_ahead(const spi::delivery& one, const spi::delivery* next) noexcept
{
    constexpr std::uintptr_t ahead = 6;
    const auto here = reinterpret_cast<std::uintptr_t>(&one);
    const auto step = reinterpret_cast<std::uintptr_t>(next) - here;
    __builtin_prefetch(reinterpret_cast<const void*>(here + ahead * step), 1);
}

// ---- the drain ----------------------------------------------------------------------------------------------------------

bool dispatcher::enter() noexcept
{
    drain word = word_.load(std::memory_order_relaxed);
    drain_step step;
    do
        step = drain_enter(word);
    while (!word_.compare_exchange_weak(word, step.next, std::memory_order_seq_cst));
    return step.mine;
}

bool dispatcher::leave() noexcept
{
    drain word = word_.load(std::memory_order_relaxed);
    drain_step step;
    do
        step = drain_leave(word);
    while (!word_.compare_exchange_weak(word, step.next, std::memory_order_seq_cst));
    return !step.mine;
}

void dispatcher::leave_for_later() noexcept
{
    const bool left = !backlog_.empty(); // the next owner's from the exchange on
    if (word_.exchange(drain::idle, std::memory_order_seq_cst) == drain::again || left)
        wake();
}

void dispatcher::take_submitted() noexcept
{
    if (!submitted_.load(std::memory_order_seq_cst))
        return;
    spi::delivery* newest_first = submitted_.exchange(nullptr, std::memory_order_seq_cst);
    record_queue batch;
    while (newest_first) {
        auto& r = static_cast<record&>(*newest_first);
        newest_first = r.next;
        fetch_ahead(r, newest_first);
        batch.push_front(r);
    }
    backlog_.append(batch);
}

void dispatcher::run() noexcept
{
    take_submitted();
    while (record* r = backlog_.pop_front())
        dispatch(*r);
    overflowed_.take_all([this](std::size_t index) { take_newest(static_cast<std::uint32_t>(index)); });
    if (held_ || retry_time_ != 0)
        retry_held();
}

// On the runtime the hooks of a registered method wait for a worker: the service thread runs no code of the program's.
void dispatcher::sweep() noexcept
{
    registry_.reap_dead(team_ == nullptr);
}

// The bit of a subscription: its lane rests after a `retry`, or its newest notification found no record. The slot may have
// changed hands since the bit was set, and belong to another reactor: everything here is looked at again, under a pin.
void dispatcher::take_newest(std::uint32_t index) noexcept
{
    subscription& s = registry_.subscriptions[index];
    s.generation.pin(0, 0);
    if (s.gate.load(std::memory_order_seq_cst) & gate_freed || s.road.load(std::memory_order_acquire) != this) {
        s.generation.unpin();
        return; // its end has discarded what there was; if it is freed only after this look, the pin keeps the spare
    }
    if (s.suspended.exchange(false, std::memory_order_acq_rel)) {
        if (keep(s))
            s.resume_due = true;
        else // the worker that was refused puts its delivery back into the lane; there begin() refuses it for good
            team_->resume(*s.lane);
    }
    // give_back() of the spare sets the bit again, so a `newest` that has to wait for it is not forgotten.
    if (newest_state_of(s.newest.load_low()) == newest_state::kept && !s.spare_out.exchange(true, std::memory_order_seq_cst))
        send_newest(s);
    s.generation.unpin();
}

// What its producer submitted before it is in the stack by now, and goes first. What it submits from now on finds the place
// in use until that has gone, and stays behind; then records may be claimed again.
void dispatcher::send_newest(subscription& s) noexcept
{
    record& r = *s.spare;
    sys::pair64 kept = s.newest.guess();
    do
        if (newest_state_of(kept.lo) != newest_state::kept) { // cancelled, and accounted for
            s.spare_out.store(false, std::memory_order_seq_cst);
            registry_.maybe_free(s); // who has cancelled it may have found the spare out
            return;
        }
    while (!s.newest.compare_exchange(kept, {newest_take(kept.lo), 0}));
    r.latched = 0;
    r.data = static_cast<std::int64_t>(kept.hi);
    r.error = newest_error(kept.lo);
    r.scheduled = 0;
    s.raised.fetch_add(newest_merged(kept.lo) + 1, std::memory_order_relaxed);
    s.merged.fetch_add(newest_merged(kept.lo), std::memory_order_relaxed);
    take_submitted();
    while (record* other = backlog_.pop_front())
        dispatch(*other);
    sys::pair64 left = s.newest.guess();
    while (newest_may_rest(left.lo) && !s.newest.compare_exchange(left, {newest_rest(left.lo), 0}))
        ;
    dispatch(r);
}

void dispatcher::dispatch(record& r) noexcept
{
    subscription& s = *r.owner;
    if (!s.held.empty()) // in order: behind those that were refused
        s.held.push_back(r);
    else if (s.method->runs_user_code && !s.lane)
        call_in_turn(r);
    else if (offer(r) == spi::verdict::retry)
        hold(r);
}

void dispatcher::hold(record& r) noexcept
{
    subscription& s = *r.owner;
    if (keep(s))
        s.held.push_back(r); // retry_held() sets the time: it follows in the same run()
    else
        discard(r);
}

// Among those that are looked at again when it is time; until then it is not freed. False: it is closing.
bool dispatcher::keep(subscription& s) noexcept
{
    if (s.gate.load(std::memory_order_relaxed) & gate_held)
        return true;
    if (!set(s, gate_held))
        return false;
    s.next_held = held_;
    held_ = &s;
    return true;
}

// It is closing, and out of the list: what is held comes to its end.
void dispatcher::let_go(subscription& s) noexcept
{
    while (record* r = s.held.pop_front())
        discard(*r);
    if (std::exchange(s.resume_due, false))
        team_->resume(*s.lane);
    clear(s, gate_held);
    registry_.maybe_free(s);
}

// A limit that is lifted wakes nobody, so what is held has a time: offered again with a back-off that starts over with
// every success.
void dispatcher::retry_held() noexcept
{
    const std::uint64_t now = sys::now(CLOCK_MONOTONIC);
    const bool due = retry_time_ != 0 && now >= retry_time_;
    bool progress = false;
    subscription* list = held_;
    held_ = nullptr;
    while (list) {
        subscription& s = *list;
        list = s.next_held;
        if (s.gate.load(std::memory_order_seq_cst) & gate_closing) {
            let_go(s);
            continue;
        }
        if (due) {
            if (std::exchange(s.resume_due, false))
                team_->resume(*s.lane);
            while (record* r = s.held.pop_front()) {
                if (offer(*r) == spi::verdict::retry) {
                    s.held.push_front(*r);
                    break;
                }
                progress = true;
            }
        }
        if (!s.held.empty() || s.resume_due) {
            s.next_held = held_;
            held_ = &s;
        } else if (clear(s, gate_held)) {
            registry_.maybe_free(s);
        }
    }
    if (!held_) {
        backoff_ = 0;
        retry_time_ = 0;
        host_.retry_at(0);
    } else if (due || retry_time_ == 0) {
        backoff_ = progress ? first_backoff : next_backoff(backoff_);
        retry_time_ = now + backoff_;
        host_.retry_at(retry_time_);
    }
}

// ---- ending -------------------------------------------------------------------------------------------------------------

void dispatcher::cancel(subscription& s) noexcept
{
    s.claim.fetch_or(claim_closing, std::memory_order_seq_cst);
    s.gate.fetch_or(gate_closing, std::memory_order_seq_cst);
    // The drain may be inside a method for this subscription: a system call or an append, so it is soon out again, and it
    // cannot be this thread, since no code of the program runs there.
    while (s.gate.load(std::memory_order_seq_cst) & gate_delivering)
        ::sched_yield();
    withdraw(s);
    discard_newest(s);
    purge(s);
}

void dispatcher::withdraw(subscription& s) noexcept
{
    if (s.lane)
        team_->withdraw(*s.lane);
    if (s.method->withdraw)
        s.method->withdraw(s.target);
}

// From outside of every callback: until none runs. From inside: a callback that is itself in this call is not waited for, or
// two would wait for each other for ever, and one for itself too. It goes on running for everybody else.
void dispatcher::wait(subscription& s) noexcept
{
    const unsigned depth = frames_here();
    for (unsigned i = 0; i != depth; ++i)
        inside.at[i].s->parked.fetch_add(1, std::memory_order_seq_cst);
    std::uint32_t gate = s.gate.load(std::memory_order_seq_cst);
    while (gate_running(gate) > (depth ? s.parked.load(std::memory_order_seq_cst) : 0)) {
        if (!(gate & gate_waited)) {
            if (!s.gate.compare_exchange_weak(gate, gate | gate_waited, std::memory_order_seq_cst))
                continue;
            gate |= gate_waited;
        }
        // That another callback parks changes nothing in the gate, so a callback that waits looks again now and then.
        constexpr timespec look_again{0, 1'000'000};
        sys::futex_wait(s.gate, gate, depth ? &look_again : nullptr);
        gate = s.gate.load(std::memory_order_seq_cst);
    }
    for (unsigned i = 0; i != depth; ++i)
        inside.at[i].s->parked.fetch_sub(1, std::memory_order_seq_cst);
    purge(s);
}

// Closes it as well: nothing is kept from here on.
void dispatcher::discard_newest(subscription& s) noexcept
{
    sys::pair64 old = s.newest.guess();
    while (!s.newest.compare_exchange(old, {newest_close(old.lo), 0}))
        ;
    const std::uint64_t merged = newest_merged(old.lo);
    const std::uint64_t kept = newest_state_of(old.lo) == newest_state::kept ? 1 : 0;
    s.raised.fetch_add(merged + kept, std::memory_order_relaxed);
    s.merged.fetch_add(merged, std::memory_order_relaxed);
    s.discarded.fetch_add(kept, std::memory_order_relaxed);
}

// Takes the records of a cancelled subscription out of the road without delivering anything, so that its ledger is settled
// also on a context that nobody runs. If a drain is under way, that drain meets them and discards them.
void dispatcher::purge(subscription& s) noexcept
{
    if (!enter())
        return;
    take_submitted();
    record_queue others;
    while (record* r = backlog_.pop_front()) {
        if (r->owner == &s)
            discard(*r);
        else
            others.push_back(*r);
    }
    backlog_ = others;
    for (subscription** place = &held_; *place; place = &(*place)->next_held)
        if (*place == &s) {
            *place = s.next_held;
            let_go(s);
            break;
        }
    leave_for_later();
}

} // namespace sigev::core

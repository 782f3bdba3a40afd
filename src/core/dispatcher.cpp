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

record* dispatcher::claim(subscription& s, std::uint64_t& word, std::uint32_t generation) noexcept
{
    word = s.claim.load(std::memory_order_acquire);
    for (;;) {
        const std::uint32_t head = claim_head(word);
        if (claim_generation(word) != (generation & 0x7fff) || claim_is_closing(word) || head == no_record ||
            s.overflowing.load(std::memory_order_relaxed))
            return nullptr;
        record* r = &registry_.records[head];
        // If the record is taken meanwhile this link is stale, and then so is the count in the word: the exchange fails.
        const std::uint32_t next = r->free_next.load(std::memory_order_relaxed);
        if (s.claim.compare_exchange_weak(word, claim_take(word, next), std::memory_order_acq_rel,
                                          std::memory_order_acquire)) {
            r->claimed = claim_count(word);
            return r;
        }
    }
}

int dispatcher::submit(subscription& s, std::uint32_t generation, std::int64_t data, int error) noexcept
{
    std::uint64_t word;
    record* r = claim(s, word, generation);
    if (!r) {
        if (claim_generation(word) != (generation & 0x7fff))
            return EINVAL;
        if (claim_is_closing(word))
            return ECANCELED;
        return s.refuses_when_full ? EAGAIN : overflow(s, generation, claim_count(word), data, error);
    }
    s.raised.fetch_add(1, std::memory_order_relaxed);
    r->data = data;
    r->error = error;
    r->scheduled = 0;
    push(*r);
    return 0;
}

void dispatcher::submit_only(subscription& s, std::int64_t data, int error, std::int64_t scheduled) noexcept
{
    std::uint64_t word;
    s.raised.fetch_add(1, std::memory_order_relaxed);
    record* r = claim(s, word, s.generation.generation());
    if (!r) { // cancelled, since its one record is free and nobody else submits
        s.discarded.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    r->data = data;
    r->error = error;
    r->scheduled = scheduled;
    push(*r);
}

// No free record: the newest notification is kept, and the one that it replaces has merged. The slot is pinned, since
// nothing claimed keeps it from its next owner.
int dispatcher::overflow(subscription& s, std::uint32_t generation, std::uint32_t claimed, std::int64_t data,
                         int error) noexcept
{
    if (!s.generation.pin(generation, generation_mask))
        return EINVAL;
    s.raised.fetch_add(1, std::memory_order_relaxed);
    const sys::pair64 old =
        s.newest.exchange({static_cast<std::uint64_t>(data), std::uint64_t{claimed} << newest_claimed_shift | newest_valid |
                                                                 static_cast<std::uint32_t>(error)});
    if (old.hi & newest_valid)
        s.merged.fetch_add(1, std::memory_order_relaxed);
    s.overflowing.store(true, std::memory_order_seq_cst);
    // cancel() sets `closing` and then takes `newest`; this sets `newest` and then looks at `closing`: one of the two
    // finds it.
    if (s.gate.load(std::memory_order_seq_cst) & gate_closing)
        discard_newest(s);
    overflowed_.set(s.index);
    host_.wake();
    s.generation.unpin(); // the dead are looked at again by the drain that was woken
    return 0;
}

void dispatcher::push(record& r) noexcept
{
    record* head = submitted_.load(std::memory_order_relaxed);
    do
        r.next = head;
    while (!submitted_.compare_exchange_weak(head, &r, std::memory_order_release, std::memory_order_relaxed));
    host_.wake();
}

void dispatcher::raise(subscription& s, std::uint64_t n, std::int64_t scheduled) noexcept
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
        if (occurrences_count(word) == 0)
            s.scheduled.store(scheduled, std::memory_order_relaxed);
        step = occurrences_raise(word, n);
    } while (!s.occurrences.compare_exchange_weak(word, step.next, std::memory_order_acq_rel, std::memory_order_acquire));
    if (step.start)
        dispatch(*s.spare);
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
        host_.wake();
}

void dispatcher::take_submitted() noexcept
{
    spi::delivery* newest_first = submitted_.exchange(nullptr, std::memory_order_acquire);
    record_queue batch;
    while (newest_first) {
        auto& r = static_cast<record&>(*newest_first);
        newest_first = r.next;
        batch.push_front(r);
    }
    while (record* r = batch.pop_front())
        backlog_.push_back(*r);
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
// changed hands since the bit was set: everything here is looked at again, under a pin.
void dispatcher::take_newest(std::uint32_t index) noexcept
{
    subscription& s = registry_.subscriptions[index];
    s.generation.pin(0, 0);
    if (s.gate.load(std::memory_order_seq_cst) & gate_freed) {
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
    if (s.overflowing.load(std::memory_order_seq_cst) && !s.spare_out.exchange(true, std::memory_order_seq_cst)) {
        s.overflowing.store(false, std::memory_order_seq_cst);
        s.returned.fetch_sub(1, std::memory_order_seq_cst); // the spare is out
        const sys::pair64 newest = s.newest.exchange({0, 0});
        record& r = *s.spare;
        r.latched = 0;
        if (newest.hi & newest_valid) {
            r.data = static_cast<std::int64_t>(newest.lo);
            r.error = static_cast<std::int32_t>(newest.hi & 0xffffffff);
            r.scheduled = 0;
            // What its producer submitted before it is in the stack by now, and goes first; what came after it goes later.
            const auto claimed = static_cast<std::uint32_t>(newest.hi >> newest_claimed_shift);
            record_queue later;
            take_submitted();
            while (record* other = backlog_.pop_front())
                if (other->owner == &s && claimed_after(other->claimed, claimed))
                    later.push_back(*other);
                else
                    dispatch(*other);
            dispatch(r);
            while (record* other = later.pop_front())
                dispatch(*other);
        } else {
            give_back(r);
        }
    }
    s.generation.unpin();
}

void dispatcher::dispatch(record& r) noexcept
{
    subscription& s = *r.owner;
    if (!s.held.empty()) // in order: behind those that were refused
        s.held.push_back(r);
    else if (offer(r) == spi::verdict::retry)
        hold(r);
}

// One attempt. `retry`: the record is still the drain's. Anything else: it is not.
spi::verdict dispatcher::offer(record& r) noexcept
{
    subscription& s = *r.owner;
    const spi::method& m = *s.method;
    sigev_notification n{};
    spi::verdict v;
    do {
        if (m.runs_user_code && !s.lane) {
            // A loop of the caller's own: its code runs here, and cancel_and_wait() waits for it.
            if (!begin(r, n))
                return spi::verdict::accepted;
            drainer_.store(&inside, std::memory_order_relaxed);
            v = m.deliver(s.target, r, n);
            drainer_.store(nullptr, std::memory_order_relaxed);
            pop_frame();
            const bool again = v != spi::verdict::retry && settle(r, v);
            if (v == spi::verdict::retry)
                unlatch(r);
            if (stop_running(s))
                registry_.maybe_free(s);
            if (!again)
                return v;
            continue;
        }
        if (!set(s, gate_delivering)) {
            discard(r);
            return spi::verdict::gone;
        }
        if (s.lane) {
            team_->enqueue(*s.lane, r);
            v = spi::verdict::accepted;
        } else if (m.deferred) {
            v = m.deliver(s.target, r, n);
            if (v == spi::verdict::gone)
                discard(r);
        } else {
            latch(r, n);
            v = m.deliver(s.target, r, n);
            if (v == spi::verdict::retry)
                unlatch(r);
            else if (settle(r, v)) {
                clear(s, gate_delivering);
                continue;
            }
        }
        if (clear(s, gate_delivering))
            registry_.maybe_free(s);
        return v;
    } while (true);
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

void dispatcher::discard_newest(subscription& s) noexcept
{
    if (s.kind == raising::queueing && (s.newest.exchange({0, 0}).hi & newest_valid))
        s.discarded.fetch_add(1, std::memory_order_relaxed);
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

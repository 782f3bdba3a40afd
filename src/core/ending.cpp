// The end of a subscription: nothing starts any more, nothing runs any more, and what is on the road has come to its account.
#include "core/dispatcher.hpp"

#include "core/inside.hpp"
#include "core/registry.hpp"
#include "sys/futex.hpp"

#include <sched.h>

namespace sigev::core {

void dispatcher::cancel(subscription& s) noexcept
{
    s.claim.fetch_or(claim_closing, std::memory_order_seq_cst);
    s.gate.fetch_or(gate_closing, std::memory_order_seq_cst);
    // The drain, or who posts, may be inside a method for this subscription: a system call or an append, so it is soon out again,
    // and it cannot be this thread, since no code of the program runs there.
    while ((s.gate.load(std::memory_order_seq_cst) & gate_delivering) || s.posting.load(std::memory_order_seq_cst) != 0)
        ::sched_yield();
    withdraw(s);
    discard_newest(s);
    purge();
}

void dispatcher::withdraw(subscription& s) noexcept
{
    if (s.lane)
        team_->withdraw(*s.lane);
    if (s.has_its_own_each()) {
        if (s.inflight.load(std::memory_order_seq_cst) != 0)
            s.method->withdraw_all(
                registry_.kqueues(),
                [](const spi::delivery& d, const void* owner) { return static_cast<const record&>(d).owner == owner; }, &s);
    } else if (s.method->withdraw) {
        s.method->withdraw(s.target);
    }
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
    purge();
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

// Takes the records of cancelled subscriptions out of the road without delivering anything, so that their ledgers are settled
// also on a context that nobody runs. If a drain is under way, that drain meets them and discards them. What is under way may be
// another call of this, though, that has met them already and is followed by nobody: so each takes what anybody has cancelled,
// and goes round once more when somebody came meanwhile. (Not for ever: threads that run the loop come as well.)
void dispatcher::purge() noexcept
{
    if (!enter())
        return;
    bool somebody_came = false;
    for (unsigned round = 0; round != most_rounds; ++round) {
        take_submitted();
        record_queue others;
        while (record* r = backlog_.pop_front()) {
            if (r->owner->gate.load(std::memory_order_seq_cst) & gate_closing)
                discard(*r);
            else
                others.push_back(*r);
        }
        backlog_ = others;
        for (subscription** place = &held_; *place;) {
            subscription& s = **place;
            if (s.gate.load(std::memory_order_seq_cst) & gate_closing) {
                *place = s.next_held;
                let_go(s);
            } else {
                place = &s.next_held;
            }
        }
        somebody_came |= !backlog_.empty();
        if (leave()) {
            if (somebody_came)
                wake();
            return;
        }
        somebody_came = true;
    }
    leave_for_later();
    wake();
}

} // namespace sigev::core

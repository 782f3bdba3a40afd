// The drain: what has been submitted is taken, and goes its way; what was refused is offered again. core/submit.cpp and
// core/raise.cpp put it on the road, core/one_delivery.cpp takes it off, core/ending.cpp ends it all.
#include "core/dispatcher.hpp"

#include "core/inside.hpp"
#include "core/registry.hpp"
#include "sys/clock.hpp"
#include "sys/sender.hpp"

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

// Records are claimed in the order in which they lie, so where two follow each other, so do those after them. They come from
// another core: asked for in time, they are here when the list leads to them. A wrong guess costs nothing but itself.
void dispatcher::fetch_ahead(const spi::delivery& one, const spi::delivery* next) noexcept
{
    constexpr std::uintptr_t ahead = 6;
    const auto here = reinterpret_cast<std::uintptr_t>(&one);
    const auto step = reinterpret_cast<std::uintptr_t>(next) - here;
    __builtin_prefetch(reinterpret_cast<const void*>(here + ahead * step), 1);
}

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
    {
        const sys::one_user batch; // of all that has been taken
        while (record* r = backlog_.pop_front())
            dispatch(*r);
    }
    overflowed_.take_all([this](std::size_t index) {
        if (!is_inherited())
            take_newest(static_cast<std::uint32_t>(index));
    });
    if (!is_inherited() && (held_ || retry_time_ != 0))
        retry_held();
}

// On the runtime the hooks of a registered method wait for a worker: the service thread runs no code of the program's.
void dispatcher::sweep() noexcept
{
    // An expiry is dispatched after run(): what it has put among the held has no time yet, and nobody else may come by.
    if (held_ && retry_time_ == 0)
        retry_held();
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
    if (s.suspended.exchange(false, std::memory_order_seq_cst)) {
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
    table_record& r = *s.spare;
    sys::pair64 kept = s.newest.guess();
    do
        if (newest_state_of(kept.lo) != newest_state::kept) { // cancelled, and accounted for
            s.spare_out.store(false, std::memory_order_seq_cst);
            registry_.maybe_free(s); // who has cancelled it may have found the spare out
            return;
        }
    while (!s.newest.compare_exchange(kept, {newest_take(kept.lo), s.generation.generation()}));
    r.latched = newest_merged(kept.lo) + s.settled.exchange(0, std::memory_order_relaxed);
    r.data = static_cast<std::int64_t>(kept.hi);
    r.error = newest_error(kept.lo);
    r.scheduled = 0;
    s.raised.fetch_add(newest_merged(kept.lo) + 1, std::memory_order_relaxed);
    s.merged.fetch_add(newest_merged(kept.lo), std::memory_order_relaxed);
    take_submitted();
    while (record* other = backlog_.pop_front())
        dispatch(*other);
    if (is_inherited())
        return;
    sys::pair64 left = s.newest.guess();
    while (newest_may_rest(left.lo) && !s.newest.compare_exchange(left, {newest_rest(left.lo), s.generation.generation()}))
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
    else
        offer_in_turn(r);
}

void dispatcher::hold(record& r) noexcept
{
    subscription& s = *r.owner;
    if (keep(s))
        s.held.push_back(r); // retry_held() sets the time, at the end of run() or in sweep()
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
    bool progress = trial_passed_.exchange(false, std::memory_order_relaxed), on_trial = false;
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
            if (std::exchange(s.resume_due, false)) {
                s.on_trial.store(true, std::memory_order_relaxed);
                on_trial = true;
                team_->resume(*s.lane);
            }
            while (record* r = s.held.pop_front()) {
                const spi::verdict v = offer_again(*r);
                if (is_inherited())
                    return;
                if (v == spi::verdict::retry) {
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
        if (!on_trial) // whether a lane is refused again is for its worker to find out
            backoff_ = 0;
        retry_time_ = 0;
        host_.retry_at(0);
    } else if (due || retry_time_ == 0) {
        backoff_ = progress ? first_backoff : next_backoff(backoff_);
        retry_time_ = now + backoff_;
        host_.retry_at(retry_time_);
    }
}

} // namespace sigev::core

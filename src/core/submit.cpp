// Raising: from the call of a source to the drain's being told. All of it may run in a signal handler that interrupts any other
// part of it, or the drain, and be left in the middle (but for what goes without a hop, which no handler raises); see
// core/delivery.hpp for the words.
#include "core/dispatcher.hpp"

#include "core/inside.hpp"
#include "core/registry.hpp"
#include "core/statistics.hpp"

#include <cerrno>
#include <utility>

namespace sigev::core {

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

namespace {

// The words have room for 15 bits of it. The rest is looked at after a word has been read: then the word was of this owner, and
// an exchange of it succeeds only if it still is.
bool is_of(const subscription& s, std::uint32_t generation) noexcept
{
    return ((s.generation.generation() ^ generation) & generation_mask) == 0;
}

} // namespace

// The record of the slot at the claim word's place, or null: EINVAL and ECANCELED as `refusal`, or 0: none is free.
inline table_record* dispatcher::claim(subscription& s, std::uint32_t generation, int& refusal) noexcept
{
    refusal = 0;
    std::uint64_t word = s.claim.load(std::memory_order_acquire);
    for (;;) {
        if (!claim_is_of(word, generation) || !is_of(s, generation)) {
            refusal = EINVAL;
            return nullptr;
        }
        if (claim_is_closing(word)) {
            refusal = ECANCELED;
            return nullptr;
        }
        const table_record* const place = registry_.records.at(s.first.load(std::memory_order_acquire) + claim_place(word));
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
        if (!newest_is_of(old.lo, generation) || !is_of(s, generation))
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
        s.settled.fetch_add(step.settle, std::memory_order_relaxed);
        s.generation.unpin(); // before the wakeup: the drain that it brings looks at the dead
    }
    wake();
    return 0;
}

int dispatcher::submit(subscription& s, std::uint32_t generation, std::int64_t data, int error) noexcept
{
    // While a newest one waits, or leaves, no other takes a record: what this producer has put there itself goes first.
    if (newest_state_of(s.newest.load_low()) == newest_state::idle) {
        int refusal;
        if (record* const r = claim(s, generation, refusal)) {
            r->data = data;
            r->error = error;
            r->scheduled = 0;
            push(*r);
            return 0;
        }
        if (refusal != 0)
            return refusal;
        if (s.refuses_when_full.load(std::memory_order_relaxed))
            return EAGAIN;
    }
    return keep_newest(s, generation, data, error);
}

namespace {

// Not a list's, which comes after those of its requests, by whatever way they go. And not, where the method takes many at once,
// while notifications come in bursts: then the hop is made anyway, and the calls share it.
bool goes_without_a_hop(const subscription& s, std::int64_t now) noexcept
{
    constexpr unsigned quiet_for = 32;    // so many lone ones, and the bursts are over
    static constinit std::atomic<std::int64_t> last_call{0};
    static constinit std::atomic<unsigned> restless{0};
    const spi::method& m = *s.method;
    if (!m.anywhere || s.source != SIGEV_SOURCE_AIO)
        return false;
    if (!m.deliver_all)
        return true;
    const std::int64_t last = last_call.load(std::memory_order_relaxed);
    last_call.store(now, std::memory_order_relaxed);
    const unsigned before = restless.load(std::memory_order_relaxed);
    const unsigned left = now - last < dispatcher::burst_gap ? quiet_for : before == 0 ? 0 : before - 1;
    if (left != before)
        restless.store(left, std::memory_order_relaxed);
    return left == 0;
}

} // namespace

void dispatcher::submit_only(subscription& s, std::int64_t data, int error, std::int64_t scheduled) noexcept
{
    if (statistics::wanted()) [[unlikely]]
        statistics::raised(s, 1);
    int refusal;
    record* r = claim(s, s.generation.generation(), refusal);
    if (!r) { // cancelled, since its one record is free and nobody else submits
        s.raised.fetch_add(1, std::memory_order_relaxed);
        s.discarded.fetch_add(1, std::memory_order_relaxed);
        if (statistics::wanted()) [[unlikely]]
            statistics::discarded(s, 1);
        return;
    }
    r->data = data;
    r->error = error;
    r->scheduled = scheduled;
    if (goes_without_a_hop(s, scheduled))
        deliver_here(*r);
    else
        push(*r);
}

// Counted first, then looked at: who closes the subscription does it the other way round, and frees it only when nothing is out.
void dispatcher::submit(occasion& o, std::int64_t data, int error, std::int64_t scheduled) noexcept
{
    subscription& s = *o.owner;
    if (statistics::wanted()) [[unlikely]]
        statistics::raised(s, 1);
    o.data = data;
    o.error = error;
    o.scheduled = scheduled;
    s.inflight.fetch_add(1, std::memory_order_seq_cst);
    s.raised.fetch_add(1, std::memory_order_relaxed);
    if (s.gate.load(std::memory_order_seq_cst) & gate_closing)
        discard(o);
    else if (goes_without_a_hop(s, scheduled))
        deliver_among_others(o);
    else {
        last_request_.store(scheduled, std::memory_order_relaxed);
        push(o);
    }
}

// ---- without a hop -----------------------------------------------------------------------------------------------------------

// By who has raised it, on whatever thread: the only one of its subscription, so no other stands before it, and the drain has
// none to offer meanwhile. Who cancels waits for it as for the drain.
void dispatcher::deliver_here(record& r) noexcept
{
    subscription& s = *r.owner;
    if (!set(s, gate_delivering))
        return discard(r);
    if (entrust(s, r) == spi::verdict::gone)
        discard(r);
    if (clear(s, gate_delivering))
        registry_.maybe_free(s);
}

// The same for an occasion: others may be here too, and the drain. (The pin keeps the subscription until after the count.)
void dispatcher::deliver_among_others(occasion& o) noexcept
{
    subscription& s = *o.owner;
    s.posting.fetch_add(1, std::memory_order_seq_cst);
    if ((s.gate.load(std::memory_order_seq_cst) & gate_closing) || entrust(s, o) == spi::verdict::gone)
        discard(o);
    s.posting.fetch_sub(1, std::memory_order_seq_cst);
}

} // namespace sigev::core

// The reactor's side of the protocol; see heap_engine.hpp. One thread at a time.
#include "backends/timer/heap/heap_engine.hpp"

#include "sys/errno_guard.hpp"

#include <algorithm>
#include <utility>

namespace sigev::spi::heap {

bool heap_engine::reap() noexcept
{
    const sys::errno_guard guard;
    // From here to publish() setters need not wake anybody: their bits are taken, or found at the end.
    for (unsigned b = 0; b < bases; ++b)
        now_[b] = alarms_[b].now();
    if (lead_.load(std::memory_order_relaxed) != 0)
        observe_lateness();
    for (auto& horizon : horizon_)
        horizon.store(0, std::memory_order_relaxed);

    // Slots come in the order of their memory, and lead anywhere in the heaps.
    slots_.ready().take_all(
        [this](std::size_t slot) {
            if (!is_inherited())
                settle(static_cast<std::uint32_t>(slot));
        },
        [this](std::size_t slot) { slots_.fetch_entry(static_cast<std::uint32_t>(slot)); });
    // The clock stands still meanwhile, so each timer is raised once, however short its interval.
    for (unsigned b = 0; b < bases; ++b)
        settle_due(b);
    if (is_inherited()) // by a process that was forked in a callback: the alarms are its parent's
        return false;

    slots_.recycle(retired_);
    return publish();
}

void heap_engine::settle_due(unsigned b) noexcept
{
    // Each step fetches what the next one reads: the slot; what the owner keeps of it; and what that leads to, in two steps.
    constexpr std::size_t far = 24, mid = 18, near = 12, next = 6;
    deadlines& heap = heaps_[b];
    while (!is_inherited() && !heap.empty() && heap.top().key <= now_[b]) {
        // The other heap's entries have as much room as there are slots: what is free behind its end is enough to put aside what
        // stands in this one.
        slot_table::entries& others = slots_.heap_memory(1 - b);
        const std::size_t behind = heaps_[1 - b].size() + heap_offset;
        const std::size_t due = heap.take_until(now_[b], [&](std::size_t n) -> heap_entry& { return others[behind + n]; });
        const std::size_t end = heap.size();
        const auto fetch = [&](std::size_t i, std::size_t ahead) {
            if (i + ahead >= due)
                return;
            const std::uint32_t slot = heap.taken(end, i + ahead).slot;
            switch (ahead) {
            case far: return slots_.fetch(slot);
            case mid: return sink_.approaches(slot, timer_sink::distance::far);
            case near: return sink_.approaches(slot, timer_sink::distance::near);
            default: return sink_.approaches(slot, timer_sink::distance::next);
            }
        };
        for (std::size_t i = 0; i != due && !is_inherited(); ++i) {
            for (const std::size_t ahead : {far, mid, near, next})
                fetch(i, ahead);
            settle(heap.taken(end, i).slot, true);
        }
    }
}

// What the dead have left in the heaps goes too: it covers for their slots' next owners, and no alarm will ring for
// it.
void heap_engine::close_descriptors() noexcept
{
    for (unsigned b = 0; b < bases; ++b) {
        heaps_[b].clear([this](std::uint32_t slot) { slots_[slot].hkey.store(none, std::memory_order_seq_cst); });
        alarms_[b].close();
        horizon_[b].store(none, std::memory_order_seq_cst);
    }
}

// True: something was armed, or a clock stepped, while it went on; or a precise timer is about to be due.
bool heap_engine::publish() noexcept
{
    bool again = false;
    std::uint64_t next[bases];
    for (unsigned b = 0; b < bases; ++b) {
        next[b] = heaps_[b].empty() ? none : heaps_[b].top().key;
        if (lead_.load(std::memory_order_relaxed) != 0) {
            look_ahead(b);
            if (awaited_[b] != none && may_spin_)
                return true; // awake: the horizons stay 0
            if (awaited_[b] != none)
                next[b] = now_[b]; // so near that it is as good as due, but the loop turns first
        }
        again |= !alarms_[b].set(next[b]);
    }
    may_spin_ = true;
    for (unsigned b = 0; b < bases; ++b)
        horizon_[b].store(next[b], std::memory_order_seq_cst);
    again |= slots_.ready().any();
    if (again)
        for (auto& horizon : horizon_)
            horizon.store(0, std::memory_order_relaxed);
    return again;
}

void heap_engine::settle(std::uint32_t slot, bool taken) noexcept
{
    timer_slot& s = slots_[slot];
    for (;;) {
        if (!lives(generation_of(s.w.load_high()))) {
            const std::uint64_t hkey = s.hkey.load(std::memory_order_relaxed);
            if (hkey != none && hkey <= now_[base_of(hkey)])
                place(slot, s, none, taken); // surfaced. Otherwise it stays, for the next owner
        } else {
            const std::uint64_t key = expire_if_due(slot, s);
            place(slot, s, key == 0 ? none : stand(slot, key), taken);
        }
        const std::uint64_t key = s.w.load_low();
        if (key == 0 || covers(s.hkey.load(std::memory_order_relaxed), stand(slot, key)))
            break;
    }
    retire(slot, s);
}

// Returns the key under which w is to be looked at next, 0: not at all.
std::uint64_t heap_engine::expire_if_due(std::uint32_t slot, timer_slot& s) noexcept
{
    sys::pair64 w = s.w.guess();
    while (is_due(w)) {
        if (is_wide(w)) [[unlikely]] {
            w = expire_wide(slot, s);
            continue;
        }
        const timer_value v = unpack(w);
        timer_value next;
        std::uint64_t missed = 0;
        if (v.interval != 0) {
            const reloaded r = reload(v.deadline, v.interval, deadline_of(now_[base_of(w.lo)]));
            next = {r.deadline, v.interval, v.base};
            missed = r.missed;
        }
        const std::uint32_t generation = generation_of(w.hi);
        const sys::pair64 packed = pack(next, generation);
        if (s.w.compare_exchange(w, packed)) {
            sink_.expired(slot, generation, missed, v.deadline, v.base);
            return packed.lo;
        }
    }
    return w.lo;
}

// Returns what w is then.
sys::pair64 heap_engine::expire_wide(std::uint32_t slot, timer_slot& s) noexcept
{
    sys::pair64 w;
    sys::pair64 reloaded_to;
    reloaded r{};
    {
        const sys::handler_lock::hold hold(wide_);
        w = s.w.load();
        if (!is_due(w) || !is_wide(w))
            return w;
        r = reload(deadline_of(w.lo), s.interval.load(std::memory_order_relaxed), deadline_of(now_[base_of(w.lo)]));
        reloaded_to = {pack(r.deadline, static_cast<timer_base>(base_of(w.lo))), w.hi};
        for (sys::pair64 expected = w; !s.w.compare_exchange(expected, reloaded_to);) // only ours while it is wide
            expected = w;
    }
    sink_.expired(slot, generation_of(w.hi), r.missed, deadline_of(w.lo), static_cast<timer_base>(base_of(w.lo)));
    return reloaded_to;
}

// Where a slot that is armed for `key` belongs in the heap. A precise one that is nearer than the lead stands under its deadline,
// and is waited for.
inline std::uint64_t heap_engine::stand(std::uint32_t slot, std::uint64_t key) noexcept
{
    if (!any_wishes_.load(std::memory_order_relaxed)) [[likely]]
        return key;
    const wishes w = wishes_of(slot);
    if (!w.any())
        return key;
    const unsigned b = base_of(key);
    const std::uint64_t place = stand_of(w, key, wakes_.lead());
    if (!w.precise() || place > now_[b])
        return place;
    if (key > now_[b])
        awaited_[b] = std::min(awaited_[b], key);
    return key;
}

// How late the loop is back that has slept until a precise timer's place. Its horizon is still the one of its sleep.
void heap_engine::observe_lateness() noexcept
{
    for (unsigned b = 0; b < bases; ++b) {
        const std::uint64_t until = horizon_[b].load(std::memory_order_relaxed);
        if (std::exchange(sleeps_for_precise_[b], false) && until != 0 && until <= now_[b])
            wakes_.observe(deadline_of(now_[b]) - deadline_of(until));
        if (awaited_[b] <= now_[b]) {
            awaited_[b] = none; // it comes now
            may_spin_ = false;
        } else if (awaited_[b] != none && awaited_[b] - now_[b] > wake_estimate::most << 1) {
            awaited_[b] = none; // the clock has been set back
        }
    }
    lead_.store(wakes_.lead(), std::memory_order_relaxed);
}

// What is next is precise: it stands under its deadline and is waited for, after another one, or earlier than that, and the alarm
// is set for it.
void heap_engine::look_ahead(unsigned b) noexcept
{
    if (heaps_[b].empty() || !wishes_of(heaps_[b].top().slot).precise())
        return;
    const heap_entry& top = heaps_[b].top();
    if (slots_[top.slot].w.load_low() == top.key)
        awaited_[b] = std::min(awaited_[b], top.key);
    sleeps_for_precise_[b] = awaited_[b] == none;
}

// R2. A key of `none`: out of the heaps. What is taken is out of them, whatever its hkey says.
void heap_engine::place(std::uint32_t slot, timer_slot& s, std::uint64_t after, bool& taken) noexcept
{
    const std::uint64_t before = s.hkey.load(std::memory_order_relaxed);
    if (std::exchange(taken, false)) {
        if (after != none)
            heaps_[base_of(after)].insert(slot, after);
    } else if (after == before)
        return;
    else if (before == none)
        heaps_[base_of(after)].insert(slot, after);
    else if (after == none)
        heaps_[base_of(before)].remove(slot);
    else if (base_of(before) == base_of(after))
        heaps_[base_of(after)].move(slot, after);
    else {
        heaps_[base_of(before)].remove(slot);
        heaps_[base_of(after)].insert(slot, after);
    }
    s.hkey.store(after, std::memory_order_seq_cst);
}

// Out of limbo, if it is in it.
void heap_engine::retire(std::uint32_t slot, timer_slot& s) noexcept
{
    const std::uint64_t high = s.w.load_high();
    if (lives(generation_of(high)) || !(high & limbo))
        return;
    s.w.store_high(high & ~limbo); // dead, so the reactor's alone
    sink_.retired(slot, before(generation_of(high)));
    slots_.link(retired_, slot);
}

} // namespace sigev::spi::heap

// The user-space timer engine: a heap of deadlines per base, one timerfd per base, and settime() without a lock.
//
// Who touches what. settime(), gettime(), destroy(): any thread, any signal handler; they touch the slot's three
// words (timer_slot.hpp), the bitmap and the horizons. reap(): one thread at a time, "the reactor"; the heaps, the
// alarms and cold_slot::position are its own. create(): any thread; the only one that takes a mutex (besides a
// recycle in reap()).
//
// The protocol (every step seq_cst: each argument below is "both store, then load what the other stored").
//   settime  S1 old = compare-exchange(w, v), which expects and keeps the generation
//            S2 if hkey does not cover v: set the slot's bit; if v is earlier than its base's horizon: wake
//   settle   R1 due: w -> reloaded or 0 by compare-exchange, then raise; lost: look again
//            R2 move the slot in its heap; hkey = where it stands now
//            R3 read w again: not covered -> R1
//   reap     horizons = 0 (awake: nobody need wake it); settle all bits, then all that is due; set the alarms;
//            horizons = the tops; any bit set -> awake again, and the caller runs it once more
//
// Why. R3: a setter that read the old hkey stayed silent, and the reactor that read the old w publishes a later hkey:
// one of the two must see the other. The look at the bitmap after the horizons: the same for "bit, then horizon"
// against "horizon, then bits". A later deadline changes nothing shared: its slot surfaces under the old key and is
// settled then. Each arming is consumed by exactly one compare-exchange of R1 or returned by exactly one of S1.
//
// Deleting. destroy() is an exchange as settime() is: for the next generation, which is dead and in limbo, and disarmed. From
// then on no exchange of the old generation can succeed, so whoever is held up before his cannot do harm, and nobody counts
// who is inside. destroy() sets the slot's bit, and the reactor, which alone changes a dead slot, retires it. Who has armed the
// timer before its end and is held up in S2 may then set the bit of the slot's next owner: it is settled for nothing.
// Retiring happens in settle() only, so during a settle() its slot cannot get a new owner.
// The heap entry stays with the slot, and covers for the slot's next owner, until it surfaces.
// create() and retiring write the generation by a store of release, outside the one order: of a dead slot nothing is armed that
// somebody could miss, and whoever has the new handle has it from create().
//
// A wide value's interval has no room in w. Who finds one there, or puts one there, does it behind a lock that a handler may take
// (sys/handler_lock.hpp): while w is wide nothing else exchanges it, and while it is not nobody looks at the other word.
//
// What is due is taken out of a heap all at once, in the order of its deadlines, and settled then: taking out one by one sinks
// another entry through the whole heap for each, and what a timer that is due needs stands in half a dozen cache lines, which are
// fetched ahead where it is known who comes next. Such a slot is *taken*: its hkey still says where it stood, so it covers what it
// did, which is right, since it is settled in this reap().
//
// Slack and precision (wishes.hpp) only move a slot's place in the heap: "covers" is asked for that place where the
// reactor asks it, and for the deadline itself in S2, which sets a bit too many at most. Whether to wake is then
// asked for the place, out of the straight way. While a precise timer is about to be due reap() asks to be run again,
// so that its owner's loop, which also does what else has come, is the spin; one at a time, and then the loop turns.
//
// Left by siglongjmp inside settime(): between S1 and S2 the timer may be late, until the next settime() or gettime()
// of it, which repeat S2. No other timer is touched, and nothing of the slot is held.
//
// Forked: nothing here is static, and nothing refers to the process. The child lets the object be: its destructor
// would only close the child's copies of the timerfds.
#pragma once

#include "backends/timer/heap/alarm.hpp"
#include "backends/timer/heap/deadline_heap.hpp"
#include "backends/timer/heap/slot_table.hpp"
#include "backends/timer/heap/wishes.hpp"
#include "sys/fork_epoch.hpp"
#include "sys/handler_lock.hpp"

namespace sigev::spi::heap {

class heap_engine final : public timer_engine {
public:
    heap_engine(clockid_t steady_clock, timer_sink& sink, const sys::manual_time* manual) noexcept;

    void expect(std::uint32_t slot) const noexcept override;
    int create(bool wall, std::uint32_t& slot, std::uint32_t& generation) noexcept override;
    void wish(std::uint32_t slot, std::uint64_t slack, bool precise) noexcept override;
    std::uint64_t next(timer_base base) const noexcept override;
    timer_exchange settime(std::uint32_t slot, std::uint32_t generation, const timer_value& value) noexcept override;
    timer_exchange settime_from_now(
        std::uint32_t slot, std::uint32_t generation, std::uint64_t delay, std::uint64_t interval) noexcept override;
    timer_exchange gettime(std::uint32_t slot, std::uint32_t generation) noexcept override;
    timer_exchange destroy(std::uint32_t slot, std::uint32_t generation) noexcept override;
    unsigned descriptors(int* out) const noexcept override;
    void close_descriptors() noexcept override;
    bool reap() noexcept override;

private:
    struct position_of {
        slot_table* slots;
        std::uint32_t& operator()(std::uint32_t slot) const noexcept { return slots->cold(slot).position; }
    };
    using deadlines = deadline_heap<slot_table::entries, position_of>;

    timer_exchange arm(std::uint32_t slot, timer_slot& s, std::uint32_t generation, sys::pair64 wanted, std::uint64_t interval) noexcept;
    timer_exchange arm_by_trying(
        std::uint32_t slot, timer_slot& s, std::uint32_t generation, sys::pair64 wanted, std::uint64_t interval) noexcept;
    timer_exchange replace(timer_slot& s, std::uint32_t generation, sys::pair64 wanted, std::uint64_t interval) noexcept;
    timer_exchange replace_wide(timer_slot& s, std::uint32_t generation, sys::pair64 wanted, std::uint64_t interval) noexcept;
    timer_exchange look_wide(timer_slot& s, std::uint32_t generation) noexcept;
    void announce(std::uint32_t slot, const timer_slot& s, std::uint64_t key) noexcept;
    void announce_earlier(std::uint32_t slot, std::uint64_t key) noexcept;
    void announce_end(std::uint32_t slot) noexcept;

    wishes wishes_of(std::uint32_t slot) const noexcept;
    std::uint64_t stand(std::uint32_t slot, std::uint64_t key) noexcept;
    void observe_lateness() noexcept;
    void look_ahead(unsigned base) noexcept;

    void settle_due(unsigned base) noexcept;
    void settle(std::uint32_t slot, bool taken = false) noexcept;
    bool is_due(const sys::pair64& w) const noexcept { return w.lo != 0 && w.lo <= now_[base_of(w.lo)]; }
    std::uint64_t expire_if_due(std::uint32_t slot, timer_slot& s) noexcept;
    sys::pair64 expire_wide(std::uint32_t slot, timer_slot& s) noexcept;
    void place(std::uint32_t slot, timer_slot& s, std::uint64_t key, bool& taken) noexcept;
    void retire(std::uint32_t slot, timer_slot& s) noexcept;
    bool publish() noexcept;

    bool is_inherited() const noexcept { return sys::current_epoch() != epoch_; }

    const std::uint32_t epoch_ = sys::ensure_epoch();
    timer_sink& sink_;
    slot_table slots_;
    sys::handler_lock wide_; ///< of timer_slot::interval, and of w where it is wide

    // The reactor's.
    deadlines heaps_[bases];
    alarm alarms_[bases];
    std::uint64_t now_[bases] = {};
    slot_table::chain retired_;
    std::uint64_t awaited_[bases] = {none, none}; ///< the first precise deadline that is less than the lead away
    bool may_spin_ = true;                        ///< none has come since the loop last turned
    bool sleeps_for_precise_[bases] = {};         ///< what the alarm is set to is the place of a precise timer
    wake_estimate wakes_;

    // Before this key of its base nothing will be looked at; 0: the reactor is awake, `none`: it sleeps without an
    // alarm. On a line of their own: the reactor writes them at each turn.
    alignas(64) std::atomic<std::uint64_t> horizon_[bases] = {none, none};
    std::atomic<bool> any_wishes_{false}; ///< there has been a timer that had some
    std::atomic<std::uint64_t> lead_{0}; ///< of wakes_, for setters; 0: there never was a precise timer
};

} // namespace sigev::spi::heap

// The user-space timer engine: a heap of deadlines per base, one timerfd per base, and settime() without a lock.
//
// Who touches what. settime(), gettime(), destroy(): any thread, any signal handler; they touch the slot's three
// words (timer_slot.hpp), the bitmap and the horizons. reap(): one thread at a time, "the reactor"; the heaps, the
// alarms and cold_slot::position are its own. create(): any thread; the only one that takes a mutex (besides a
// recycle in reap()).
//
// The protocol (every step seq_cst: each argument below is "both store, then load what the other stored").
//   settime  S1 pin, and check the generation in the same word
//            S2 old = exchange(w, v)
//            S3 if hkey does not cover v: set the slot's bit; if v is earlier than its base's horizon: wake
//            S4 unpin
//   settle   R1 due: w -> reloaded or 0 by compare-exchange, then raise; lost: look again
//            R2 move the slot in its heap; hkey = where it stands now
//            R3 read w again: not covered -> R1
//   reap     horizons = 0 (awake: nobody need wake it); settle all bits, then all that is due; set the alarms;
//            horizons = the tops; any bit set -> awake again, and the caller runs it once more
//
// Why. R3: a setter that read the old hkey stayed silent, and the reactor that read the old w publishes a later hkey:
// one of the two must see the other. The look at the bitmap after the horizons: the same for "bit, then horizon"
// against "horizon, then bits". A later deadline touches nothing shared: its slot surfaces under the old key and is
// settled then. Each arming is consumed by exactly one compare-exchange of R1 or returned by exactly one exchange of
// S2.
//
// Deleting. destroy() kills the generation and pins in one step, clears w, unpins. Whoever takes the last pin off a
// dead slot sets its bit, and the reactor retires it when it finds it without pins: there is no list of waiting slots
// to search. A settime() that passed S1 before may still arm it, so retiring clears w once more.
// Retiring happens in settle() only, so during a settle() its slot cannot get a new owner: the compare-exchange of R1
// cannot succeed on an equal deadline of another timer, and the reactor needs no pin against that.
// The heap entry stays with the slot, and covers for the slot's next owner, until it surfaces.
//
// What is due is taken out of a heap all at once, in the order of its deadlines, and settled then: taking out one by one sinks
// another entry through the whole heap for each, and what a timer that is due needs stands in half a dozen cache lines, which are
// fetched ahead where it is known who comes next. Such a slot is *taken*: its hkey still says where it stood, so it covers what it
// did, which is right, since it is settled in this reap().
//
// Slack and precision (wishes.hpp) only move a slot's place in the heap: "covers" is asked for that place where the
// reactor asks it, and for the deadline itself in S3, which sets a bit too many at most. Whether to wake is then
// asked for the place, out of the straight way. While a precise timer is about to be due reap() asks to be run again,
// so that its owner's loop, which also does what else has come, is the spin; one at a time, and then the loop turns.
//
// Left by siglongjmp inside settime(): between S2 and S3 the timer may be late, until the next settime() or gettime()
// of it, which repeat S3; and its pin keeps the slot from being used again once it is deleted. No other timer is
// touched.
//
// Forked: nothing here is static, and nothing refers to the process. The child lets the object be: its destructor
// would only close the child's copies of the timerfds.
#pragma once

#include "backends/timer/heap/alarm.hpp"
#include "backends/timer/heap/deadline_heap.hpp"
#include "backends/timer/heap/slot_table.hpp"
#include "backends/timer/heap/wishes.hpp"
#include "sys/fork_epoch.hpp"

namespace sigev::spi::heap {

class heap_engine final : public timer_engine {
public:
    heap_engine(clockid_t steady_clock, timer_sink& sink, const sys::manual_time* manual) noexcept;

    void expect(std::uint32_t slot) const noexcept override;
    int create(bool wall, std::uint32_t& slot, std::uint32_t& generation) noexcept override;
    void wish(std::uint32_t slot, std::uint64_t slack, bool precise) noexcept override;
    std::uint64_t next(timer_base base) const noexcept override;
    timer_exchange settime(std::uint32_t slot, std::uint32_t generation, const timer_value& value) noexcept override;
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

    timer_slot* pin(std::uint32_t slot, std::uint32_t generation) noexcept;
    void unpin(std::uint32_t slot, timer_slot& s) noexcept;
    void announce(std::uint32_t slot, const timer_slot& s, std::uint64_t key) noexcept;
    void announce_earlier(std::uint32_t slot, std::uint64_t key) noexcept;
    void announce_end(std::uint32_t slot) noexcept;

    wishes wishes_of(std::uint32_t slot) const noexcept;
    std::uint64_t stand(std::uint32_t slot, std::uint64_t key) noexcept;
    void observe_lateness() noexcept;
    void look_ahead(unsigned base) noexcept;

    void settle_due(unsigned base) noexcept;
    void settle(std::uint32_t slot, bool taken = false) noexcept;
    std::uint64_t expire_if_due(std::uint32_t slot, timer_slot& s, std::uint32_t generation) noexcept;
    void place(std::uint32_t slot, timer_slot& s, std::uint64_t key, bool& taken) noexcept;
    void retire(std::uint32_t slot, timer_slot& s) noexcept;
    bool publish() noexcept;

    bool is_inherited() const noexcept { return sys::current_epoch() != epoch_; }

    const std::uint32_t epoch_ = sys::ensure_epoch();
    timer_sink& sink_;
    slot_table slots_;

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

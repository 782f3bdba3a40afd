// What any thread calls. The protocol stands in heap_engine.hpp, the reactor's side in settle.cpp.
#include "backends/timer/heap/heap_engine.hpp"

#include <cerrno>

namespace sigev::spi::heap {

namespace {
constexpr auto steady = static_cast<unsigned>(timer_base::steady);
constexpr auto wall_base = static_cast<unsigned>(timer_base::wall);
} // namespace

heap_engine::heap_engine(clockid_t steady_clock, timer_sink& sink, const sys::manual_time* manual) noexcept
    : sink_(sink), heaps_{{slots_.heap_memory(steady), {&slots_}}, {slots_.heap_memory(wall_base), {&slots_}}},
      alarms_{alarm(steady_clock, manual), alarm(CLOCK_REALTIME, manual)}
{
    sys::atomic16_is_lock_free(); // decided here, not in a handler
}

int heap_engine::create(bool wall, std::uint32_t& slot, std::uint32_t& generation) noexcept
{
    if (const int error = alarms_[steady].open())
        return error;
    if (wall)
        if (const int error = alarms_[wall_base].open())
            return error;
    if (const int error = slots_.acquire(slot))
        return error;
    slots_.cold(slot).wishes.store(0, std::memory_order_relaxed);
    timer_slot& s = slots_[slot];
    generation = after(generation_of(s.w.load_high()));
    s.w.store_high(high_of(generation)); // dead until now, so ours alone
    return 0;
}

void heap_engine::wish(std::uint32_t slot, std::uint64_t slack, bool precise) noexcept
{
    // A clock that moves in steps has nothing to spin for.
    const wishes w(slack, precise && !alarms_[steady].is_manual());
    slots_.cold(slot).wishes.store(w.bits(), std::memory_order_relaxed);
    if (w.any())
        any_wishes_.store(true, std::memory_order_relaxed); // seen by whoever has heard of the slot
    std::uint64_t unused = 0;
    if (w.precise())
        lead_.compare_exchange_strong(unused, wake_estimate().lead(), std::memory_order_relaxed);
}

wishes heap_engine::wishes_of(std::uint32_t slot) const noexcept
{
    return wishes::from(slots_.cold(slot).wishes.load(std::memory_order_relaxed));
}

std::uint64_t heap_engine::next(timer_base base) const noexcept
{
    const std::uint64_t horizon = horizon_[static_cast<unsigned>(base)].load(std::memory_order_seq_cst);
    return horizon == none ? never : deadline_of(horizon);
}

// The straight way through settime() is inline and short; what is rare stands apart and out of line.

// S1. `wanted` has the generation that is to be there, or the next one.
inline timer_exchange heap_engine::replace(
    timer_slot& s, std::uint32_t generation, sys::pair64 wanted, std::uint64_t interval) noexcept
{
    sys::pair64 old;
    do {
        old = s.w.guess();
        // Of what may be halves of two values each half has been there: another generation has come, and the old one does not return.
        if (!is_of(old.hi, generation)) [[unlikely]]
            return {};
        if ((old.hi | wanted.hi) & wide) [[unlikely]]
            return replace_wide(s, generation, wanted, interval);
    } while (!s.w.replace(old, wanted)); // only others' success makes it fail, but for exclusives that are lost
    return {true, unpack(old)};
}

[[gnu::noinline]] timer_exchange heap_engine::replace_wide(
    timer_slot& s, std::uint32_t generation, sys::pair64 wanted, std::uint64_t interval) noexcept
{
    const sys::handler_lock::hold hold(wide_);
    sys::pair64 old = s.w.guess();
    if (!is_of(old.hi, generation)) // before anything is written: the other word is perhaps its next owner's
        return {};
    const std::uint64_t kept = s.interval.load(std::memory_order_relaxed);
    if (is_wide(wanted))
        s.interval.store(std::min(interval, latest), std::memory_order_relaxed);
    while (!s.w.compare_exchange(old, wanted))
        if (!is_of(old.hi, generation))
            return {}; // it was not wide, and its next owner's is not before this lock is free
    timer_value before = unpack(old);
    if (is_wide(old))
        before.interval = kept;
    return {true, before};
}

// S2. `key` is what w was seen to hold, 0: disarmed, and then whatever stands in the heap may surface for nothing.
//
// Which of two deadlines is the earlier one is not to be foreseen, and a branch that is guessed wrong costs as much as all else here
// but for the clock. So the question is whether there is anything left to do: earlier or not, there seldom is, once the bit stands.
inline void heap_engine::announce(std::uint32_t slot, const timer_slot& s, std::uint64_t key) noexcept
{
    if (key == 0)
        return;
    const std::uint64_t covered = coverage(s.hkey.load(std::memory_order_seq_cst), key);
    std::uint64_t told = slots_.ready().stands(slot);
    told &= std::uint64_t{key >= horizon_[base_of(key)].load(std::memory_order_seq_cst)};
    told &= std::uint64_t{!any_wishes_.load(std::memory_order_relaxed)}; // else it is a place that counts, not the deadline
    if (!(covered | told)) [[unlikely]]
        announce_earlier(slot, key);
}

[[gnu::noinline]] void heap_engine::announce_earlier(std::uint32_t slot, std::uint64_t key) noexcept
{
    slots_.ready().set(slot);
    if (any_wishes_.load(std::memory_order_relaxed)) [[unlikely]] // else their line need not come
        key = stand_of(wishes_of(slot), key, lead_.load(std::memory_order_relaxed));
    if (key < horizon_[base_of(key)].load(std::memory_order_seq_cst))
        sink_.wake();
}

[[gnu::noinline]] void heap_engine::announce_end(std::uint32_t slot) noexcept
{
    slots_.ready().set(slot);
    // Not a question of deadlines, only of whether the reactor sleeps: awake, both horizons are 0.
    if (horizon_[steady].load(std::memory_order_seq_cst) != 0)
        sink_.wake();
}

void heap_engine::expect(std::uint32_t slot) const noexcept
{
    if (const timer_slot* s = slots_.find(slot))
        __builtin_prefetch(s, 1);
}

inline timer_exchange heap_engine::arm(
    std::uint32_t slot, timer_slot& s, std::uint32_t generation, sys::pair64 wanted, std::uint64_t interval) noexcept
{
    const sys::pair64 old = s.w.guess();
    if (is_wide(wanted) || !is_narrow_of(old.hi, generation) || !s.w.replace(old, wanted)) [[unlikely]]
        return arm_by_trying(slot, s, generation, wanted, interval);
    announce(slot, s, wanted.lo);
    return {true, unpack(old)};
}

// What has not come out right at once.
[[gnu::noinline]] timer_exchange heap_engine::arm_by_trying(
    std::uint32_t slot, timer_slot& s, std::uint32_t generation, sys::pair64 wanted, std::uint64_t interval) noexcept
{
    const timer_exchange done = replace(s, generation, wanted, interval);
    if (done.valid)
        announce(slot, s, wanted.lo);
    return done;
}

timer_exchange heap_engine::settime(std::uint32_t slot, std::uint32_t generation, const timer_value& value) noexcept
{
    if (value.base == timer_base::wall && !alarms_[wall_base].is_open())
        return {}; // no timer was created that may be armed on it
    timer_slot* s = slots_.find(slot);
    if (!s || !lives(generation)) [[unlikely]]
        return {};
    return arm(slot, *s, generation, pack(value, generation), value.interval);
}

timer_exchange heap_engine::settime_from_now(
    std::uint32_t slot, std::uint32_t generation, std::uint64_t delay, std::uint64_t interval) noexcept
{
    timer_slot* s = slots_.find(slot);
    if (!s || !lives(generation)) [[unlikely]]
        return {};
    // A cache line that is fetched while the clock is read costs nothing: at a million timers it is most of what this takes.
    __builtin_prefetch(s, 1);
    const std::uint64_t present = alarms_[steady].present();
    std::uint64_t deadline = present + delay;
    if (delay >= latest - present) [[unlikely]]
        deadline = latest;
    return arm(slot, *s, generation, {deadline << 1 | steady, high_of(generation, interval)}, interval);
}

timer_exchange heap_engine::gettime(std::uint32_t slot, std::uint32_t generation) noexcept
{
    timer_slot* s = slots_.find(slot);
    if (!s || !lives(generation))
        return {};
    const sys::pair64 seen = s->w.load();
    if (!is_of(seen.hi, generation))
        return {};
    const timer_exchange done = is_wide(seen) ? look_wide(*s, generation) : timer_exchange{true, unpack(seen)};
    if (done.valid)
        announce(slot, *s, pack(done.old.deadline, done.old.base));
    return done;
}

[[gnu::noinline]] timer_exchange heap_engine::look_wide(timer_slot& s, std::uint32_t generation) noexcept
{
    const sys::handler_lock::hold hold(wide_);
    const sys::pair64 seen = s.w.load(); // it may be another one than before the lock
    if (!is_of(seen.hi, generation))
        return {};
    timer_value value = unpack(seen);
    if (is_wide(seen))
        value.interval = s.interval.load(std::memory_order_relaxed);
    return {true, value};
}

timer_exchange heap_engine::destroy(std::uint32_t slot, std::uint32_t generation) noexcept
{
    timer_slot* s = slots_.find(slot);
    if (!s || !lives(generation))
        return {};
    slots_.fetch_cold(slot); // its way back will write it
    const timer_exchange done = replace(*s, generation, {0, high_of(after(generation)) | limbo}, 0);
    if (done.valid)
        announce_end(slot);
    return done;
}

unsigned heap_engine::descriptors(int* out) const noexcept
{
    unsigned count = 0;
    for (const alarm& a : alarms_)
        if (const int fd = a.descriptor(); fd >= 0)
            out[count++] = fd;
    return count;
}

} // namespace sigev::spi::heap

namespace sigev::spi {

std::unique_ptr<timer_engine> make_heap_engine(clockid_t steady_clock, timer_sink& sink, const sys::manual_time* manual)
{
    return std::make_unique<heap::heap_engine>(steady_clock, sink, manual);
}

} // namespace sigev::spi

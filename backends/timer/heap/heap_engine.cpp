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
    // An addition, since stale handles may pin the word for a moment; its generation is ours alone to change.
    const std::uint64_t before = slots_[slot].gp.fetch_add(one_generation, std::memory_order_seq_cst);
    generation = generation_of(before + one_generation);
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

inline timer_slot* heap_engine::pin(std::uint32_t slot, std::uint32_t generation) noexcept
{
    timer_slot* s = slots_.find(slot);
    if (!s || !lives(generation)) [[unlikely]]
        return nullptr;
    if (same(generation_of(s->gp.fetch_add(one_pin, std::memory_order_seq_cst)), generation)) [[likely]]
        return s;
    unpin(slot, *s);
    return nullptr;
}

inline void heap_engine::unpin(std::uint32_t slot, timer_slot& s) noexcept
{
    if (last_pin_in_limbo(s.gp.fetch_sub(one_pin, std::memory_order_seq_cst))) [[unlikely]]
        announce_end(slot);
}

// S3. `key` is what w was seen to hold, 0: disarmed, and then whatever stands in the heap may surface for nothing.
inline void heap_engine::announce(std::uint32_t slot, const timer_slot& s, std::uint64_t key) noexcept
{
    if (key != 0 && !covers(s.hkey.load(std::memory_order_seq_cst), key))
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

// A cache line that is fetched while the clock is read costs nothing: at a million timers it is most of what settime() takes.
void heap_engine::expect(std::uint32_t slot) const noexcept
{
    if (const timer_slot* s = slots_.find(slot))
        __builtin_prefetch(s, 1);
}

timer_exchange heap_engine::settime(std::uint32_t slot, std::uint32_t generation, const timer_value& value) noexcept
{
    if (value.base == timer_base::wall && !alarms_[wall_base].is_open())
        return {}; // no timer was created that may be armed on it
    timer_slot* s = pin(slot, generation);
    if (!s)
        return {};
    const sys::pair64 packed = pack(value);
    const sys::pair64 old = s->w.exchange(packed);
    announce(slot, *s, packed.lo);
    unpin(slot, *s);
    return {true, unpack(old)};
}

timer_exchange heap_engine::gettime(std::uint32_t slot, std::uint32_t generation) noexcept
{
    timer_slot* s = pin(slot, generation);
    if (!s)
        return {};
    const sys::pair64 seen = s->w.load();
    announce(slot, *s, seen.lo);
    unpin(slot, *s);
    return {true, unpack(seen)};
}

timer_exchange heap_engine::destroy(std::uint32_t slot, std::uint32_t generation) noexcept
{
    timer_slot* s = slots_.find(slot);
    if (!s || !lives(generation))
        return {};
    slots_.fetch(slot); // its other line, which its way back will write
    std::uint64_t gp = s->gp.load(std::memory_order_relaxed);
    do
        if (!same(generation_of(gp), generation))
            return {};
    while (!s->gp.compare_exchange_weak(gp, (gp + one_generation + one_pin) | limbo, std::memory_order_seq_cst));
    // Pinned by the same step: the reactor may meet the slot for another reason, and give it away before w is
    // cleared.
    const sys::pair64 old = s->w.load_low() == 0 ? sys::pair64{} : s->w.exchange({});
    unpin(slot, *s);
    return {true, unpack(old)};
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

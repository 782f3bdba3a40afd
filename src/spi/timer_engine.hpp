// The contract of a timer engine: who keeps the deadlines of one reactor's timers. backends/timer fills it.
//
// Times are nanoseconds since the epoch of their base's clock. A value is {deadline, interval}; deadline 0 is disarmed.
#pragma once

#include <cstdint>
#include <memory>
#include <time.h>

namespace sigev::sys {
class manual_time;
}

namespace sigev::spi {

/// The clock that a deadline is measured on. One POSIX timer on CLOCK_REALTIME moves between the two: a relative timer
/// must not follow a step of the clock, an absolute one must.
enum class timer_base : std::uint8_t {
    steady = 0, ///< the engine's own clock: CLOCK_MONOTONIC or CLOCK_BOOTTIME
    wall = 1    ///< CLOCK_REALTIME, absolute
};

struct timer_value {
    std::uint64_t deadline = 0; ///< 0: disarmed
    std::uint64_t interval = 0; ///< 0: one-shot
    timer_base base = timer_base::steady;
};

/// What an engine calls, and what calls an engine's owner.
class timer_sink {
public:
    /// Slot `slot` of generation `generation` has expired 1 + missed times; the first at `scheduled` of `base`. On the thread
    /// that holds the reactor's drain word, inside timer_engine::reap(); the slot gets no new owner before it returns. Must not
    /// block; may call settime(), gettime(), create() and destroy(), of this timer too, but not reap().
    virtual void expired(std::uint32_t slot, std::uint32_t generation, std::uint64_t missed,
                         std::uint64_t scheduled, timer_base base) noexcept = 0;

    /// Its expired() may follow, after a few others: what that touches may be fetched meanwhile. A slot that approaches is `far`
    /// first, and may be nearer later; what one step reads the step before may have fetched. On the thread of reap(), which gives
    /// the slot no new owner before expired() has been called, or will not be.
    enum class distance { far, near, next };
    virtual void approaches(std::uint32_t slot, distance how_far) noexcept { static_cast<void>(slot), static_cast<void>(how_far); }

    /// A deadline earlier than the published horizon was armed: run reap() soon. Async-signal-safe; any thread.
    virtual void wake() noexcept = 0;

    /// A slot has left limbo: no expired() of that generation will come any more. On the thread of reap().
    virtual void retired(std::uint32_t slot, std::uint32_t generation) noexcept = 0;

protected:
    ~timer_sink() = default;
};

/// The result of settime(), gettime() and destroy(). Not valid: no such timer (the generation is stale).
struct timer_exchange {
    bool valid = false;
    timer_value old; ///< exactly what this call replaced; a periodic deadline that is due may be in the past

    explicit operator bool() const noexcept { return valid; }
};

/// What a caller has of a generation: its lower bits, as many as a handle has room for. Where an engine is given one it looks at
/// these; where it gives one out, it may have more.
inline constexpr std::uint32_t generation_mask = 0xffff;

class timer_engine {
public:
    /// Of next(): never, and at once.
    static constexpr std::uint64_t never = ~std::uint64_t{0}, now = 0;

    virtual ~timer_engine() = default;

    /// destroy() of that slot follows, after something else: what it touches may be fetched meanwhile. Any slot there is or not;
    /// async-signal-safe.
    virtual void expect(std::uint32_t slot) const noexcept = 0;

    /// Reserves a slot, disarmed; a generation is never 0. Any thread, may allocate. Returns 0, or ENOMEM, EAGAIN, EMFILE,
    /// ENFILE (the engine opens its descriptors with the first timer that needs them: the wall one only when `wall`).
    virtual int create(bool wall, std::uint32_t& slot, std::uint32_t& generation) noexcept = 0;

    /// After create(), before anybody else knows the slot: it may come as late as `slack` nanoseconds after its deadline,
    /// together with others; or is `precise`, for which reap() may spin. An engine that can do neither does as ever.
    virtual void wish(std::uint32_t slot, std::uint64_t slack, bool precise) noexcept
    {
        static_cast<void>(slot), static_cast<void>(slack), static_cast<void>(precise);
    }

    /// Allocation-free, async-signal-safe, and lock-free but for intervals of 2^47 nanoseconds and more, as are the three that follow. A
    /// deadline after 2^63 - 2 is that one. `wall` values only for engines
    /// that have created a `wall` timer; otherwise not valid.
    virtual timer_exchange settime(std::uint32_t slot, std::uint32_t generation, const timer_value& value) noexcept = 0;

    /// The same, for `delay` nanoseconds, 1 or more, after the present of the steady clock: the clock is read here, while the slot's memory
    /// is on its way.
    virtual timer_exchange settime_from_now(
        std::uint32_t slot, std::uint32_t generation, std::uint64_t delay, std::uint64_t interval) noexcept = 0;

    /// Async-signal-safe. Repairs what a settime() that siglongjmp left half done.
    virtual timer_exchange gettime(std::uint32_t slot, std::uint32_t generation) noexcept = 0;

    /// The generation dies now and the slot goes to limbo: retired() follows from a later reap(), for which the sink is woken.
    /// Waits for nothing. Of two callers that race one finds it valid. Async-signal-safe.
    virtual timer_exchange destroy(std::uint32_t slot, std::uint32_t generation) noexcept = 0;

    /// Descriptors to watch: at most two; returns how many exist. The set only grows.
    virtual unsigned descriptors(int* out) const noexcept = 0;

    /// When reap() is to run next, on the clock of the base, as of the end of the last one; armed since for earlier: the
    /// sink was woken. `now`: it runs, or is to run. Any thread, async-signal-safe.
    virtual std::uint64_t next(timer_base base) const noexcept
    {
        static_cast<void>(base);
        return never;
    }

    /// No timer lives and nobody watches the descriptors: closes them. A later create() opens them again. Where reap() runs.
    virtual void close_descriptors() noexcept = 0;

    /// Settles what was armed since, raises what is due, and publishes the next horizon. On the thread that holds the drain
    /// word. True: something was armed while the horizon was being published, or is about to be due, so it must run again
    /// before the loop sleeps.
    virtual bool reap() noexcept = 0;
};

/// The user-space heap over one timerfd per base. `steady_clock` is CLOCK_MONOTONIC or CLOCK_BOOTTIME. With a manual time that
/// is what both bases are on, there are no descriptors, and whoever sets it runs reap().
std::unique_ptr<timer_engine> make_heap_engine(clockid_t steady_clock, timer_sink& sink,
                                               const sys::manual_time* manual = nullptr);

} // namespace sigev::spi

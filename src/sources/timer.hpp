// Timers as a source: timer_create() and its family over a timer engine, each timer a merging subscription (but for those whose
// signals the kernel sends: sources/kernel_timer.hpp).
//
// A reactor that has timers has a *bank* of them per family of clocks: an engine, and beside each of its slots what the engine
// need not know. Banks are kept for as long as the registry lives and pass from a reactor that closes to the next one, so a
// stale handle can always be looked at.
//
// Who ends what: destroy() of the engine decides which of two deletes won. The winner cancels the subscription, so that nothing
// starts any more; the slot is still known to the drain until the engine reports it retired, and only then is the
// subscription given up.
//
// A timer that tells by a method with nothing to reserve *rests* until it first expires: it has what its subscription will be made
// of, and the promise that there is room for one. So a million timeouts that hardly ever expire take a hundred bytes each.
//
// Async-signal-safe: settime, gettime, getoverrun. They take no lock and touch only tables that do not move.
#pragma once

#include "core/registry.hpp"
#include "core/slab.hpp"
#include "sources/manual_clock.hpp"
#include "sources/timer_state.hpp"
#include "spi/kernel_timers.hpp"
#include "spi/timer_engine.hpp"
#include "sys/segmented_array.hpp"

#include <sigev.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

namespace sigev::sources {

class clock_steps;

/// What a timer is made with.
struct timer_request {
    clockid_t clock;
    const sigevent* event; ///< null: SIGALRM with the timer's id
    int engine = SIGEV_ENGINE_DEFAULT;
    std::uint64_t slack = 0;
    bool precise = false;
    manual_clock* on_clock = nullptr; ///< pinned by the caller
};

/// What the banks have in common: whose they are, and the way from a handle to a timer.
class bank : public core::reactor_source {
public:
    /// time: of a manual clock; else null.
    bank(core::registry& all, clock_family family, std::uint32_t number, const sys::manual_time* time = nullptr) noexcept
        : registry_(all), family_(family), number_(number), time_(time)
    {}
    bank(const bank&) = delete;
    bank& operator=(const bank&) = delete;

    bool claim(core::reactor& r) noexcept;
    void unclaim() noexcept { on_.store(nullptr, std::memory_order_release); }
    clock_family family() const noexcept { return family_; }
    const sys::manual_time* time() const noexcept { return time_; }
    core::reactor* on() const noexcept { return on_.load(std::memory_order_acquire); }

    /// A timer of this bank as its handle names it; whether there is one is for the engine to tell.
    struct timer {
        std::uint32_t slot;
        std::uint32_t generation; ///< as much as the handle has of it
    };

protected:
    /// False: the reactor has been closed meanwhile, and the bank is perhaps another one's.
    bool serves(const core::reactor& r) const noexcept { return on() == &r; }

    std::uint64_t handle_of(std::uint32_t slot, std::uint32_t generation) const noexcept
    {
        return core::encode({core::handle_kind::timer, registry_.life, number_, generation, slot});
    }

    core::registry& registry_;
    const clock_family family_;
    const std::uint32_t number_;
    const sys::manual_time* const time_;
    std::atomic<core::reactor*> on_{nullptr};
    std::mutex mutex_; ///< creating
};

/// The timers of one reactor on one family of clocks, or on one manual clock.
class timer_bank final : public bank, spi::timer_sink {
public:
    timer_bank(core::registry& all, clock_family family, std::uint32_t number, const sys::manual_time* time);

    /// 0 or an errno. The caller has the reactor pinned.
    int create(core::reactor& on, const timer_request& wanted, std::uint64_t& number) noexcept;

    int settime(timer t, int flags, const itimerspec& value, itimerspec* old) noexcept;
    int gettime(const timer& t, itimerspec& value) noexcept;
    int overrun(const timer& t, int& out) noexcept;
    int destroy(const timer& t, bool wait) noexcept;
    int ledger(const timer& t, sigev_ledger& out) noexcept;

    /// Deletes all that are left, and waits for their callbacks.
    void end_all() noexcept;

    /// On a manual clock: when it wants to be looked at next, on the steady side; at once is not after the present. never.
    std::uint64_t next_after(const sys::manual_time& time) const noexcept;

    bool reap() noexcept override;
    unsigned descriptors(int* out) const noexcept override { return engine_->descriptors(out); }
    std::uint64_t remaining() const noexcept override;
    void detach() noexcept override;

private:
    /// What the engine need not know of a timer, nor settime() of a relative one. Zero bytes: never used.
    struct cold {
        // All that a delete reads of a timer that rests: 16 bytes, which never stand in two cache lines.
        std::atomic<std::uint32_t> generation; ///< the engine's, of the timer that has the slot
        std::atomic<bool> rests; ///< `promise` and `value` are its, and there is no subscription yet
        std::atomic<core::subscription*> subscription;
        std::atomic<clockid_t> clock;
        core::registry::promise promise;
        sigval value;
    };
    static_assert(sizeof(cold) % 16 == 0);
    core::subscription* subscription_of(std::uint32_t slot) const noexcept
    {
        const cold* const c = cold_.find(slot);
        return c ? c->subscription.load(std::memory_order_acquire) : nullptr;
    }

    void expired(std::uint32_t slot, std::uint32_t generation, std::uint64_t missed,
                 std::uint64_t scheduled, spi::timer_base base) noexcept override;
    void approaches(std::uint32_t slot, distance how_far) noexcept override;
    void wake() noexcept override;
    void retired(std::uint32_t slot, std::uint32_t generation) noexcept override;

    clockid_t steady() const noexcept { return family_ == clock_family::boottime ? CLOCK_BOOTTIME : CLOCK_MONOTONIC; }
    clockid_t clock_of(spi::timer_base base) const noexcept
    {
        return base == spi::timer_base::wall ? CLOCK_REALTIME : steady();
    }
    std::uint64_t now(clockid_t clock) const noexcept { return time_ ? time_->now(clock) : sys::now(clock); }
    spi::timer_exchange exchange(timer t, int flags, const itimerspec& value) noexcept;
    core::subscription_spec spec_for(core::reactor& on, std::uint64_t number, const sigevent& event) const noexcept;
    core::subscription* wake_up(std::uint32_t slot, std::uint32_t generation, cold& c) noexcept;
    core::subscription* pin_late(const timer& t) noexcept;
    bool rests(std::uint32_t slot) const noexcept
    {
        const cold* const c = cold_.find(slot);
        return c && c->rests.load(std::memory_order_acquire);
    }
    itimerspec spec_of(const spi::timer_value& v) const noexcept;

    std::unique_ptr<spi::timer_engine> engine_;
    sys::segmented_array<cold, 64> cold_;
    std::uint32_t dropped_ = 0; ///< promises of the timers that this reap() has retired; the reactor's
};

/// All banks of a process.
class timers final : public core::extension {
public:
    explicit timers(core::registry& all) : registry_(all), receiver_(spi::make_kernel_timer_receiver()) {}
    ~timers() override;

    static timers* ensure(core::registry& all) noexcept;

    /// timer_create() on a reactor. 0 or an errno.
    int create(core::reactor& on, const timer_request& wanted, std::uint64_t& number) noexcept;

    // ---- manual clocks
    int open_clock(std::uint64_t realtime, std::uint64_t& number) noexcept;
    /// The clock of a handle, pinned; null: EINVAL. Async-signal-safe.
    static manual_clock* find_clock(std::uint64_t number, timers*& all) noexcept;
    /// 0, EINVAL, EDEADLK.
    static int close_clock(std::uint64_t number) noexcept;
    clock_steps* steps() const noexcept;
    /// f(bank, reactor) for each bank of the clock. The reactor is pinned meanwhile.
    template <class F>
    void for_each_of(const manual_clock& clock, F&& f) noexcept
    {
        for (auto& place : banks_) {
            bank* const of = place.load(std::memory_order_acquire);
            core::reactor* const on = of && of->time() == &clock.time ? of->on() : nullptr;
            if (!on)
                continue;
            on->generation.pin(0, 0);
            if (of->on() == on && on->is_open())
                f(static_cast<timer_bank&>(*of), *on);
            on->generation.unpin();
        }
    }
    /// This thread is inside a callback that the drain of one of the clock's reactors runs.
    bool is_draining(const manual_clock& clock) noexcept;

    /// The bank and timer of a handle; false: EINVAL. Async-signal-safe.
    static bool find(std::uint64_t number, bank*& of, bank::timer& out) noexcept;

    /// The bank's, found and called in one: armed again is a timer more often than anything else happens to it. 0 or EINVAL;
    /// errno stays as it is.
    static int settime(std::uint64_t number, int flags, const itimerspec& value, itimerspec* old) noexcept;

    /// Does the kernel keep this timer for one of the banks? By its own id, which no handle is. Async-signal-safe.
    static bool keeps(int id) noexcept;

    // Reactors that close end their timers; the thread that is told of some goes before them.
    void stop() noexcept override { receiver_->stop(); }

    void account(int source, int method, sigev_ledger& sum) noexcept override;

private:
    static bank* find(const core::handle& h) noexcept;
    int bank_of(core::reactor& on, clock_family family, const sys::manual_time* time, bank*& out) noexcept;
    static bank* bank_on(const core::reactor& on, clock_family family, const sys::manual_time* time, unsigned& place) noexcept;
    bank* make(clock_family family, std::uint32_t number, const sys::manual_time* time);
    void end_timers(manual_clock& clock) noexcept;

    core::registry& registry_;
    core::slab<manual_clock> clocks_;
    std::unique_ptr<spi::kernel_timer_receiver> receiver_;
    std::mutex mutex_;
    std::array<std::atomic<bank*>, core::max_engine + 1> banks_{};
};

} // namespace sigev::sources

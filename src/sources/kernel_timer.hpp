// Timers of the kernel's own, as a source. Two kinds, by method:
//
//   SIGEV_SIGNAL, SIGEV_THREAD_ID   The kernel has the program's sigevent, and sends its signal. What POSIX says of such a
//       timer (one queued signal, an overrun that goes on until that is accepted) only the kernel can do, since nobody else is
//       told of an acceptance. No subscription, no dispatcher; the account has `kernel_raised`, by arithmetic.
//   the others                      A merging subscription, as on the heap; the kernel tells the receiver, which has the
//       reactor raise. For clocks that the heap does not follow.
//
// A bank belongs to a reactor, like those of sources/timer: when the reactor closes, its timers of either kind end.
#pragma once

#include "sources/timer.hpp"

namespace sigev::sources {

class kernel_bank final : public bank, spi::kernel_timer_sink {
public:
    kernel_bank(core::registry& all, std::uint32_t number, spi::kernel_timer_receiver& told);

    /// 0 or an errno. event null: SIGALRM with the timer's id. The caller has the reactor pinned.
    int create(core::reactor& on, clockid_t clock, const sigevent* event, std::uint64_t& number) noexcept;

    // Async-signal-safe, as those of timer_bank.
    int settime(const timer& t, int flags, const itimerspec& value, itimerspec* old) noexcept;
    int gettime(const timer& t, itimerspec& value) noexcept;
    int overrun(const timer& t, int& out) noexcept;

    int destroy(const timer& t, bool wait) noexcept;
    int ledger(const timer& t, sigev_ledger& out) noexcept;
    /// Adds the account of all that the kernel tells itself, of one method (-1: all).
    void account(int method, sigev_ledger& sum) noexcept;

    /// By the kernel's id. Async-signal-safe.
    bool keeps(int id) const noexcept { return engine_->keeps(id); }

    bool reap() noexcept override;
    unsigned descriptors(int*) const noexcept override { return 0; }
    std::uint64_t remaining() const noexcept override { return never; } // the receiver wakes the reactor
    void detach() noexcept override;

private:
    /// What the engine need not know of a timer. Zero bytes: never used.
    struct cold {
        std::atomic<std::uint32_t> generation; ///< the engine's, of the timer that has the slot
        std::atomic<int> notify;
        std::atomic<core::subscription*> subscription; ///< null: the kernel sends its signals
        std::atomic<sys::statistics::account*> account; ///< the slot's; null: nobody looks at its books
    };
    core::subscription* subscription_of(std::uint32_t slot) const noexcept
    {
        const cold* const c = cold_.find(slot);
        return c ? c->subscription.load(std::memory_order_acquire) : nullptr;
    }

    /// The engine's generation of a timer that the bank knows by this much of it; 0: none.
    std::uint32_t whole(const timer& t) const noexcept;
    int create_direct(clockid_t clock, const sigevent& event, std::uint32_t slot, std::uint32_t generation, core::reactor& on) noexcept;
    int create_carried(clockid_t clock, const sigevent& event, std::uint32_t slot, std::uint32_t generation, core::reactor& on) noexcept;
    int destroy_carried(std::uint32_t slot, std::uint32_t generation, core::subscription& s, bool wait) noexcept;
    bool destroy_direct(std::uint32_t slot, std::uint32_t generation, int notify) noexcept;

    void expired(std::uint32_t slot, std::uint64_t count, std::int64_t scheduled, clockid_t clock) noexcept override;
    void wake() noexcept override;
    sys::statistics::kernel_books* books(std::uint32_t slot) noexcept override;
    void retired(std::uint32_t slot) noexcept override;

    std::unique_ptr<spi::kernel_timer_engine> engine_;
    sys::segmented_array<cold, 64> cold_;
};

} // namespace sigev::sources

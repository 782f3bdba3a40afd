// The dispatcher of one reactor: carries records from anywhere to the thread that runs the reactor, and calls the method
// there.
//
// submit() is lock-free, allocation-free and async-signal-safe: a push onto a stack that the drain takes whole and reverses.
// (A linked queue whose producer is interrupted between its two stores hides everything behind it; a stack has one store.)
// A subscription that has run out of records sets its bit in `overflowed` instead: idempotent, so an abandoned producer
// silences nobody.
//
// One drain at a time, by a word idle / running / again, which readiness, timers and retries all enter; so no method needs a
// lock, also on a context run by several threads. The drain never calls a function of the program on the runtime's own
// reactor: those go to a worker's lane (core/runtime). On a borrowed reactor they run here, as everything on a loop does.
//
// Lock order: none; the dispatcher takes no lock.
#pragma once

#include "core/delivery.hpp"
#include "core/event_raw.hpp"
#include "core/subscription.hpp"
#include "spi/method.hpp"
#include "spi/workers.hpp"
#include "sys/fork_epoch.hpp"
#include "sys/ready_bitmap.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <utility>

namespace sigev::core {

class registry;

/// What the dispatcher needs from its reactor.
class dispatcher_host {
public:
    /// Run the drain soon. Async-signal-safe.
    virtual void wake() noexcept = 0;
    /// Run it again at this time (CLOCK_MONOTONIC); 0: no more need. From the drain.
    virtual void retry_at(std::uint64_t when) noexcept = 0;

protected:
    ~dispatcher_host() = default;
};

class dispatcher final : public spi::delivery_port {
public:
    /// `wakeup`: what host.wake() posts to, if that is all it does; lets the dispatcher see that it need not.
    dispatcher(registry& all, dispatcher_host& host, const std::atomic<sigev_event_raw*>* wakeup = nullptr) noexcept
        : registry_(all), host_(host), wakeup_(wakeup), epoch_(sys::current_epoch())
    {
    }
    dispatcher(const dispatcher&) = delete;
    dispatcher& operator=(const dispatcher&) = delete;

    /// So often does who has the drain word go round before it leaves for later: a few microseconds each.
    static constexpr unsigned most_rounds = 32;

    /// From now on user code goes to these workers: this is the runtime's reactor. Null: it is one of the program's own.
    void deliver_user_code_on(spi::workers* team) noexcept { team_ = team; }

    // ---- raising --------------------------------------------------------------------------------------------------------

    /// A notification of a queueing subscription, by any thread or signal handler. 0, EINVAL (generation), ECANCELED, EAGAIN
    /// (refuses_when_full).
    int submit(subscription& s, std::uint32_t generation, std::int64_t data, int error) noexcept;

    /// The one notification of a subscription that nobody else submits to (AIO): as submit, with the time. Not in a signal
    /// handler: delivered by this thread where the method permits it (spi::method::anywhere).
    void submit_only(subscription& s, std::int64_t data, int error, std::int64_t scheduled) noexcept;

    /// The occasion of one who shares his subscription has come: the same. The subscription is pinned; the occasion is not the
    /// caller's any more, and may be over when this returns.
    void submit(occasion& o, std::int64_t data, int error, std::int64_t scheduled) noexcept;

    /// n occurrences of a merging subscription, the first due at `scheduled` of `clock`. Only by who holds the drain word.
    void raise(subscription& s, std::uint64_t n, std::int64_t scheduled, clockid_t clock) noexcept;

    /// The same, but calls of workers are kept until there is a handful of them, or hand_over() comes, which must.
    void raise_soon(subscription& s, std::uint64_t n, std::int64_t scheduled, clockid_t clock) noexcept;
    void hand_over() noexcept { hand_over(false); }

    /// When the last request was raised whose occasion goes by the drain; on CLOCK_MONOTONIC. 0: none has.
    std::int64_t last_request() const noexcept { return last_request_.load(std::memory_order_relaxed); }
    /// Requests that are not further apart come in a burst. Nanoseconds; a lone call and its answer take twice as long.
    static constexpr std::int64_t burst_gap = 4'000;

    // ---- the drain ------------------------------------------------------------------------------------------------------

    /// Takes the drain word. False: somebody else has it, and will go round once more.
    bool enter() noexcept;
    /// Gives it back. False: go round once more first.
    bool leave() noexcept;
    /// Gives it back in any case; what is left is done after a wakeup.
    void leave_for_later() noexcept;
    /// Delivers all that was submitted. Between enter() and leave().
    void run() noexcept;
    /// Frees what has ended, and sees to it that what was refused is offered again. Between enter() and leave(), after the sources had their turn.
    void sweep() noexcept;

    // ---- ending ---------------------------------------------------------------------------------------------------------

    /// No delivery starts any more. Any thread, not a signal handler.
    void cancel(subscription& s) noexcept;
    /// ... and none runs, but for those that the calling thread is inside of.
    void wait(subscription& s) noexcept;

    /// Gives back what the method, or the lane, of a cancelled subscription has accepted and not begun. Part of cancel().
    void withdraw(subscription& s) noexcept;

    /// Room for the subscription's bit in `overflowed`. At open; may allocate.
    bool reserve(std::uint32_t subscription_index) noexcept { return overflowed_.grow(subscription_index + 1); }

    // ---- spi::delivery_port ----------------------------------------------------------------------------------------------
    bool begin(spi::delivery& d, sigev_notification& out) noexcept override;
    bool end(spi::delivery& d, spi::verdict v) noexcept override;
    void drop(spi::delivery& d) noexcept override;
    void approaches(const spi::delivery& d) noexcept override;

    /// What this thread delivers at the moment.
    static const sigev_notification* current() noexcept;

    /// True in a process that has been forked in a callback which this drain has called: nothing here is its own. It goes back
    /// the way it came without touching anything.
    bool is_inherited() const noexcept { return sys::current_epoch() != epoch_; }

    /// True inside a callback that this dispatcher's drain runs (on a loop of the caller's own).
    bool is_draining_here() const noexcept;

private:
    /// This thread's being inside a subscription, for one call or several.
    struct visit {
        sigev_notification notification{};
    };

    // Parts of submit(), which is one function to the processor: calls were a tenth of it.
    [[gnu::always_inline]] inline table_record* claim(subscription& s, std::uint32_t generation, int& refusal) noexcept;
    [[gnu::always_inline]] inline int keep_newest(subscription& s, std::uint32_t generation, std::int64_t data, int error) noexcept;
    [[gnu::always_inline]] inline void push(record& r) noexcept;
    [[gnu::always_inline]] inline void call_at_once(subscription& s, std::uint64_t n, std::int64_t scheduled, clockid_t clock) noexcept;
    bool merge(subscription& s, std::uint64_t n, std::int64_t scheduled, clockid_t clock) noexcept;
    void collect(subscription& s) noexcept;
    void hand_over(bool more) noexcept;
    void wake() noexcept;
    static void fetch_ahead(const spi::delivery& one, const spi::delivery* next) noexcept;
    void take_submitted() noexcept;
    void take_newest(std::uint32_t index) noexcept;
    void send_newest(subscription& s) noexcept;
    void dispatch(record& r) noexcept;
    [[gnu::always_inline]] inline spi::verdict attempt(record& r, sigev_notification& n) noexcept;
    void deliver_among_others(occasion& o) noexcept;
    static spi::verdict entrust(const subscription& s, record& r) noexcept;
    inline record& take_run(record& first) noexcept;
    void offer_in_turn(record& first) noexcept;
    spi::verdict offer_again(record& r) noexcept;
    void call_in_turn(record& first) noexcept;
    spi::verdict forget_all() noexcept;
    bool begin_visit(visit& here, subscription& s) noexcept;
    void end_visit(subscription& s) noexcept;
    [[gnu::always_inline]] inline spi::verdict call_here(visit& here, record& r) noexcept;
    void hold(record& r) noexcept;
    bool keep(subscription& s) noexcept;
    void let_go(subscription& s) noexcept;
    void retry_held() noexcept;
    void discard_newest(subscription& s) noexcept;
    void purge() noexcept;
    void discard(record& r) noexcept;
    void deliver_here(record& r) noexcept;
    static void introduce(const subscription& s, sigev_notification& out) noexcept;
    [[gnu::always_inline]] inline bool latch(record& r, sigev_notification& out) noexcept;
    bool latch_occurrences(subscription& s, table_record& r, sigev_notification& out) noexcept;
    [[gnu::always_inline]] inline static void look_at_clock(record& r, sigev_notification& out) noexcept;
    void unlatch(record& r) noexcept;
    [[gnu::always_inline]] inline bool settle(record& r, spi::verdict v) noexcept;
    bool settle_occurrences(subscription& s, table_record& r, spi::verdict v) noexcept;
    [[gnu::always_inline]] inline void give_back(record& r, bool delivered) noexcept;
    [[gnu::always_inline]] inline void put_into_ring(subscription& s, table_record& r) noexcept;
    void put_into_ring_among_others(subscription& s, table_record& r) noexcept;
    void give_back_occasion(subscription& s, occasion& o, bool delivered) noexcept;
    static void count_return(subscription& s, std::uint64_t word, std::uint64_t next) noexcept;

    registry& registry_;
    dispatcher_host& host_;
    const std::atomic<sigev_event_raw*>* const wakeup_;
    const std::uint32_t epoch_; ///< of its process
    spi::workers* team_ = nullptr;

    alignas(64) std::atomic<record*> submitted_{nullptr};
    std::atomic<std::int64_t> last_request_{0};
    sys::ready_bitmap overflowed_;

    alignas(64) std::atomic<drain> word_{drain::idle};
    std::atomic<bool> trial_passed_{false};     ///< a lane that was resumed has delivered
    std::atomic<const void*> drainer_{nullptr}; ///< which thread holds it, while user code may run
    // The rest belongs to whoever holds the drain word.
    record_queue backlog_;
    std::array<subscription*, 64> handful_; ///< whose calls wait to be handed over
    unsigned in_hand_ = 0;
    subscription* held_ = nullptr;
    std::uint64_t backoff_ = 0;
    std::uint64_t retry_time_ = 0;
};

// To a method that keeps it. What is the occasion's own has gone with it, unless there was nobody to take it.
inline spi::verdict dispatcher::entrust(const subscription& s, record& r) noexcept
{
    sigev_notification n{};
    if (!s.has_its_own_each()) [[likely]]
        return s.method->deliver(s.target, r, n);
    auto& o = static_cast<occasion&>(r);
    void* const own = std::exchange(o.value.sival_ptr, nullptr);
    n.value.sival_ptr = reinterpret_cast<void*>(o.ident);
    const spi::verdict v = s.method->deliver(own, r, n);
    if (v == spi::verdict::gone)
        o.value.sival_ptr = own;
    return v;
}

} // namespace sigev::core

// All that a process has of the library, in one object: tables of subscriptions, records and reactors, registered methods,
// kqueues, the threads, the sources. Made with the first use, of no cost before; one per fork epoch.
//
// A forked child finds its parent's registry (a copy), sees that its epoch is not its own, and leaves it alone for ever: no
// lock of it is taken, no descriptor closed, no memory freed. Its own is made when the child first needs one.
//
// Lock order: a shell's mutex (the program's side) > start lock (epoch-keyed) > runtime's start mutex > open mutex > a table's
// mutex. But for sigev_shutdown(), which holds the start lock from beginning to end, none is held while a method's hook is
// called. None can be met by an async-signal-safe function.
#pragma once

#include "core/commons.hpp"
#include "core/handle.hpp"
#include "core/reactor.hpp"
#include "core/slab.hpp"
#include "core/subscription.hpp"
#include "spi/kqueue_port.hpp"
#include "spi/user_methods.hpp"
#include "sys/statistics_page.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

namespace sigev::core {

class runtime;

/// What the sources keep per process; ended by sigev_shutdown() in the order of their places.
class extension {
public:
    virtual ~extension() = default;
    /// Ends what is under way. No new work comes.
    virtual void stop() noexcept = 0;
    /// Adds what of the account of the living no subscription holds; source and method as for sigev_ledger_total().
    virtual void account(int /*source*/, int /*method*/, sigev_ledger& /*sum*/) noexcept {}
};

enum class extension_place : unsigned { timers, aio, clock_steps, count };

/// What a subscription is opened with.
struct subscription_spec {
    const sigevent* event = nullptr;
    int source = SIGEV_SOURCE_USER;
    std::uint64_t ident = 0; ///< 0: the subscription's own handle
    int code = SI_QUEUE;
    std::uint32_t capacity = 1;
    std::uint32_t concurrency = 1;
    raising kind = raising::queueing;
    void (*over)(occasion&) noexcept = nullptr; ///< common: see subscription
    bool refuse_when_full = false; ///< queueing: no record is free: EAGAIN, and not merged
    bool fresh_thread = false;     ///< SIGEV_THREAD: each callback on a thread that has run no other
    const sys::manual_time* time = nullptr; ///< null: the host's clocks
    bool one_shot = false; ///< ends by itself after its one notification; nobody holds a handle
    reactor* on = nullptr;
};

class registry {
public:
    /// This process's registry, or null. Lock-free, async-signal-safe.
    static registry* current() noexcept
    {
        registry* r = current_.load(std::memory_order_acquire);
        return r && r->epoch == sys::current_epoch() ? r : nullptr;
    }

    /// The same, made when there is none. Null: no memory.
    static registry* ensure() noexcept;

    /// Ends it: see sigev_shutdown(). 0 or EDEADLK.
    static int shutdown() noexcept;

    ~registry();

    // ---- subscriptions ----------------------------------------------------------------------------------------------------
    /// 0 or an errno; then nothing is left behind. The subscription is not released; or it ends by itself (one_shot, common), and is
    /// pinned.
    int open(const subscription_spec& spec, subscription*& out) noexcept;
    /// For a subscription that is opened later, when it is first needed: validates, and reserves all of it. ENOTSUP: the method
    /// has more to reserve; else 0 or an errno. Of `spec` the event, whose sigev_value may be another later, and `on`.
    struct promise {
        const spi::method* method = nullptr;
        void* target = nullptr;
    };
    int make_promise(const subscription_spec& spec, promise& out) noexcept;
    /// So many are not needed any more.
    void drop_promises(std::uint32_t n) noexcept { promises_.fetch_add(n, std::memory_order_relaxed); }
    /// Opens it: merging. Cannot fail; allocates nothing. Where the drain word is held.
    subscription& keep_promise(const promise& p, const subscription_spec& spec) noexcept;

    /// The handle is given up: freed as soon as nothing is on the road. Any thread, async-signal-safe.
    void release(subscription& s) noexcept;
    /// Frees what has been released, is closing, and has nothing on the road. Any thread, async-signal-safe: the work itself
    /// is left to reap_dead().
    void maybe_free(subscription& s) noexcept;
    /// Does that work. `user_code`: a registered method's close() may be called on this thread.
    void reap_dead(bool user_code) noexcept;
    bool has_dead() const noexcept { return dead_.load(std::memory_order_seq_cst) != nullptr; }

    /// The subscription of a handle, pinned; null: EINVAL. Async-signal-safe.
    subscription* find(sigev_t number) noexcept;
    void unpin(subscription& s) noexcept { s.generation.unpin(); }
    std::uint64_t handle_of(const subscription& s) const noexcept;

    static sigev_ledger read(const subscription& s) noexcept;
    /// Over all subscriptions that this process ever had, also when the registry has gone.
    static sigev_ledger total(int source, int method) noexcept;
    /// A timer has ended whose signals, of the method `notify`, the kernel has sent. `books`: where they could be seen; else null.
    void fold_kernel_timer(int notify, std::uint64_t raised, sys::statistics::account* books, std::uint32_t generation) noexcept;

    /// n requests that tell nobody (SIGEV_NONE) have ended: raised, and delivered. They have no subscription.
    void count_silent_requests(std::uint64_t n) noexcept { silent_requests_.fetch_add(n, std::memory_order_relaxed); }

    // ---- reactors -----------------------------------------------------------------------------------------------------------
    int open_reactor(reactor*& out) noexcept;
    /// By who has shut it.
    void close_reactor(reactor& r) noexcept;
    /// The reactor of a handle (0: the runtime's, started now), pinned; 0 or an errno.
    int find_reactor(sigev_reactor_t number, reactor*& out) noexcept;
    std::uint64_t handle_of(const reactor& r) const noexcept;

    // ---- the rest -----------------------------------------------------------------------------------------------------------
    core::runtime& threads() noexcept { return *runtime_; }
    spi::kqueue_port& kqueues() noexcept { return *kqueues_; }
    spi::user_methods& methods() noexcept { return *methods_; }
    core::commons& commons() noexcept { return commons_; }

    /// A source's own part; made by `make` under a lock when there is none. Null: no memory.
    extension* ensure(extension_place place, std::unique_ptr<extension> (*make)(registry&)) noexcept;
    extension* find(extension_place place) const noexcept
    {
        return extensions_[static_cast<unsigned>(place)].load(std::memory_order_acquire);
    }

    const std::uint32_t epoch; ///< of the process
    const std::uint32_t life;  ///< what handles have for their epoch: another one after each fork and each shutdown
    slab<subscription> subscriptions;
    runs<table_record> records;
    slab<reactor> reactors;

private:
    registry(std::uint32_t epoch, const registry* inherited);

    static bool is_light(const spi::method& m, bool on_runtime) noexcept { return m.light && !(m.runs_user_code && on_runtime); }
    bool reserve_records(subscription& s, const subscription_spec& spec) noexcept;
    static void prepare(subscription& s, const subscription_spec& spec) noexcept;
    static void set_spare(subscription& s, table_record& r) noexcept;
    void release_records(subscription& s) noexcept;
    static bool mark_freed(subscription& s) noexcept;
    void fold(subscription& s) noexcept;
    void fold_silent_requests() noexcept;
    void publish(subscription& s, const spi::method& m, const subscription_spec& spec) noexcept;
    void free_now(subscription& s) noexcept;
    void stop() noexcept;
    template <class F>
    void for_each_open(F&& f) noexcept;

    static std::atomic<registry*> current_;

    std::unique_ptr<spi::kqueue_port> kqueues_;
    std::unique_ptr<spi::user_methods> methods_;
    std::unique_ptr<core::runtime> runtime_;
    std::mutex mutex_;
    std::array<std::atomic<extension*>, static_cast<unsigned>(extension_place::count)> extensions_{};
    std::atomic<subscription*> dead_{nullptr};
    std::atomic<std::int64_t> promises_{0}; ///< made by the tables, and nobody's at the moment
    std::atomic<bool> stopping_{false};     ///< what is opened from now on is cancelled at once
    std::atomic<std::uint64_t> silent_requests_{0};
    core::commons commons_{*this};

    mutable std::mutex totals_mutex_; ///< folding and opening a subscription, against total()
    const registry* inherited_; ///< keeps the parent's reachable in a child, for leak checkers
};

} // namespace sigev::core

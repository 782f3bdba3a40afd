// A reactor: what one event loop watches and what it does when something is ready. It never sees the loop: it hands out
// descriptors, and ready() is called when one is readable (by the Asio shell, or by a loop of the caller's own).
//
// Descriptor 0 is the wakeup; then come those of the sources (timers: one per clock in use) and the timer of held retries.
// The set only grows, and a new one is announced by a wakeup.
#pragma once

#include "core/dispatcher.hpp"
#include "core/event_raw.hpp"
#include "core/generation.hpp"
#include "sys/unique_fd.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

namespace sigev::core {

class registry;

/// What raises notifications on a reactor by itself (timers). Lives in the registry, which outlives the reactor.
class reactor_source {
public:
    virtual ~reactor_source() = default;

    /// Raises what is due. Between enter() and leave() of the drain. True: look again before the loop sleeps.
    virtual bool reap() noexcept = 0;

    /// Stores the descriptors to watch (at most two) and returns their number.
    virtual unsigned descriptors(int* out) const noexcept = 0;

    /// Nanoseconds until reap() is to run; 0: it runs, or is to run; `never`. Any thread, async-signal-safe.
    virtual std::uint64_t remaining() const noexcept = 0;
    static constexpr std::uint64_t never = ~std::uint64_t{0};

    /// The reactor closes: everything that lives on it ends now. The source may serve another reactor afterwards.
    virtual void detach() noexcept = 0;
};

class reactor final : dispatcher_host {
public:
    static constexpr unsigned max_sources = 3; // timers: two families of clocks on the heap, and the kernel's
    static constexpr unsigned max_descriptors = 3 + 2 * max_sources;
    static constexpr unsigned steps_place = max_sources; ///< of the one that has one descriptor, for steps of the clock
    static constexpr unsigned first_manual = steps_place + 1; ///< of those without descriptors, on manual clocks
    static constexpr unsigned max_places = first_manual + 8;

    reactor() = default;
    reactor(const reactor&) = delete;
    reactor& operator=(const reactor&) = delete;
    ~reactor();

    /// 0 or an errno. The slot then serves; see registry::open_reactor().
    int open(registry& all) noexcept;
    void close() noexcept;
    /// Nothing new is opened on it. Before its subscriptions are cancelled and it is closed. False: it was shut already.
    bool shut() noexcept { return open_.exchange(false, std::memory_order_seq_cst); }
    bool is_open() const noexcept { return open_.load(std::memory_order_seq_cst); }
    /// What came after close() from somebody who was inside already. Everything on it is cancelled.
    void discard_left() noexcept;

    unsigned descriptors(int* out, unsigned n) const noexcept;

    /// Descriptor `which` is readable. Any thread; several at once are fine.
    void ready(unsigned which) noexcept;

    // For a loop that is ours from the call that blocks to its return (core/event_loop); by the thread that runs it.
    /// From now on try_sleep() is asked before it blocks.
    void announces_sleep() noexcept;
    /// False: something has been posted; run_posted() instead of blocking.
    bool try_sleep() noexcept;
    void awake() noexcept;
    bool is_posted() const noexcept;
    /// As ready(), with a descriptor that is not level-triggered: it is not emptied where that is not needed.
    void edge(unsigned which) noexcept;
    /// As ready(), without a descriptor that was found.
    void run_posted() noexcept { drain(); }

    /// Waits for the drain word and does all that is due, on this thread. Not from inside the drain.
    void drain_now() noexcept;

    /// Nanoseconds until ready() is to be called though no descriptor but the first is watched; reactor_source::never.
    std::uint64_t remaining() const noexcept;

    core::dispatcher& dispatcher() noexcept { return *dispatcher_; }

    /// The source in this place, or null.
    reactor_source* source(unsigned place) const noexcept { return sources_[place].load(std::memory_order_acquire); }
    /// Puts it there; false when somebody else's stands there already.
    bool attach(unsigned place, reactor_source& s) noexcept;
    /// Ends what lives on it, as close() does, and takes it out. Not from inside the drain.
    void end_source(reactor_source& s) noexcept;
    /// A source has a new descriptor, or work for the drain. Async-signal-safe.
    void wake() noexcept override;
    /// The same, by who has published what the drain is to find by an exchange, as is_told() asks for: a look will often do.
    void wake_unless_told() noexcept;

    /// Makes sure that held deliveries can be retried. 0 or an errno.
    int reserve_retry() noexcept;

    generation_word generation;
    std::uint32_t index = 0;

private:
    void drain() noexcept;
    void retry_at(std::uint64_t when) noexcept override;

    // What every submit reads, apart from what every turn of the loop writes: the pins before it, and what follows.
    alignas(64) std::unique_ptr<core::dispatcher> dispatcher_; ///< made with the slot's first use, then kept: producers may
                                                               ///< be inside
    std::atomic<sigev_event_raw*> wakeup_{nullptr};
    std::atomic<int> wakeup_fd_{-1}; ///< of its own: who asks for descriptors may race with the end, which empties the event's
    std::atomic<bool> open_{false};
    alignas(64) std::atomic<bool> posted_{false}; ///< the wakeup's descriptor is readable and has not been drained
    bool announces_sleep_ = false; ///< posts are looked for in the word, not only behind the descriptor
    std::array<std::atomic<reactor_source*>, max_places> sources_{};
    std::atomic<std::uint64_t> retry_at_{0}; ///< CLOCK_MONOTONIC; 0: nothing is held
    std::atomic<int> retry_fd_{-1};
    std::mutex mutex_;
};

} // namespace sigev::core

// Who is told when CLOCK_REALTIME is set: subscriptions that the program has the handles of, each a queue of steps.
//
// A step of the host's is noticed by the reactor of the subscription: by a timerfd of its own, which is set for a far future and
// is cancelled when the clock is set. By how much, the distance to CLOCK_BOOTTIME says, which nothing else changes. A manual
// clock says so itself.
//
// The list is under a leaf lock, which the drain takes, too; submitting needs no lock. What has been closed leaves the list
// when it is next gone through.
#pragma once

#include "core/registry.hpp"
#include "sources/manual_clock.hpp"
#include "sys/unique_fd.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace sigev::sources {

class clock_steps;

/// The timerfd of one reactor.
class step_watch final : public core::reactor_source {
public:
    explicit step_watch(clock_steps& all) noexcept : all_(all) {}

    /// 0 or an errno. Before it is attached.
    int open(const core::reactor& on) noexcept;
    bool is_free() const noexcept { return !on_.load(std::memory_order_acquire); }

    bool reap() noexcept override;
    unsigned descriptors(int* out) const noexcept override;
    std::uint64_t remaining() const noexcept override { return never; }
    void detach() noexcept override;

private:
    bool arm() noexcept;

    clock_steps& all_;
    std::atomic<const core::reactor*> on_{nullptr};
    std::atomic<int> fd_{-1};
    std::int64_t distance_ = 0; ///< of CLOCK_REALTIME from CLOCK_BOOTTIME; the drain's
};

class clock_steps final : public core::extension {
public:
    explicit clock_steps(core::registry& all) noexcept : registry_(all) {}

    static clock_steps* ensure(core::registry& all) noexcept;

    /// 0 or an errno. spec.on is pinned by the caller, and so is the clock; null: the host's.
    int open(const core::subscription_spec& spec, const manual_clock* clock, sigev_t& out) noexcept;

    /// The clock was set by so much. on: the reactor that has noticed; null: a manual clock, and all are told.
    void tell(const manual_clock* clock, const core::reactor* on, std::int64_t by) noexcept;

    /// The clock ends: its listeners are not told any more.
    void forget(const manual_clock& clock) noexcept;

    void stop() noexcept override {}

private:
    struct listener {
        sigev_t subscription;
        const manual_clock* clock;
        const core::reactor* on;
    };

    int watch(core::reactor& on) noexcept;

    core::registry& registry_;
    std::mutex mutex_; ///< a leaf: of the list
    std::vector<listener> listeners_;
    std::mutex watches_mutex_; ///< making watches
    std::vector<std::unique_ptr<step_watch>> watches_;
};

} // namespace sigev::sources

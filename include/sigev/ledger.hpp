// sigev::ledger: the account of a subscription, or of all of them.
#pragma once

#include <sigev.h>

#include <sigev/error.hpp>

#include <cstdint>
#include <optional>

namespace sigev {

/// What raises notifications.
enum class source : int {
    user = SIGEV_SOURCE_USER, ///< the program's own code, through subscription::submit()
    timer = SIGEV_SOURCE_TIMER,
    aio = SIGEV_SOURCE_AIO,
    aio_list = SIGEV_SOURCE_AIO_LIST, ///< a list of requests as a whole
    clock = SIGEV_SOURCE_CLOCK,       ///< CLOCK_REALTIME was set
};

/// Where every notification of a subscription has gone. See struct sigev_ledger for what each number counts.
struct ledger {
    std::uint64_t raised = 0;
    std::uint64_t delivered = 0;
    std::uint64_t merged = 0;
    std::uint64_t pending = 0;
    std::uint64_t discarded = 0;
    std::uint64_t kernel_timers = 0; ///< whose signals the kernel sends, and which it alone counts
    std::uint64_t kernel_raised = 0; ///< expirations of theirs, by arithmetic

    constexpr ledger() noexcept = default;
    constexpr ledger(const ::sigev_ledger& l) noexcept
        : raised(l.raised), delivered(l.delivered), merged(l.merged), pending(l.pending), discarded(l.discarded),
          kernel_timers(l.kernel_timers), kernel_raised(l.kernel_raised)
    {}

    /// Nothing is lost: true whenever nothing is in motion. While deliveries run, the numbers move one after the other.
    constexpr bool adds_up() const noexcept { return raised == delivered + merged + pending + discarded; }

    constexpr ledger& operator+=(const ledger& other) noexcept
    {
        raised += other.raised;
        delivered += other.delivered;
        merged += other.merged;
        pending += other.pending;
        discarded += other.discarded;
        kernel_timers += other.kernel_timers;
        kernel_raised += other.kernel_raised;
        return *this;
    }

    friend constexpr bool operator==(const ledger&, const ledger&) = default;
};

/// The sum over all subscriptions of this process, closed ones included; of one source, and of one method (SIGEV_NONE ..
/// SIGEV_THREAD_ID, SIGEV_CALLBACK, or any registered number: all registered ones count together), where they are given.
/// Zero when nothing was ever opened.
inline ledger total(std::optional<source> of = {}, std::optional<int> method = {}) noexcept
{
    constexpr int all = -1;
    ::sigev_ledger sum{};
    ::sigev_ledger_total(of ? static_cast<int>(*of) : all, method.value_or(all), &sum);
    return sum;
}

} // namespace sigev

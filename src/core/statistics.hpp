// What `sigev run --stats` wants to know, counted where it happens, into the mapping that the command shares with this process
// (sys/statistics_page.hpp). Nobody wants to know as a rule: then each place has a look at one word, and goes on.
//
// Sources of the program's own (sigev_submit()) are not counted: a program that has any knows of the library, and of its
// ledgers.
//
// A forked child has the mapping, and goes on being counted for its parent in nothing: what is counted is for the image that
// this process has taken, and a child takes one with its first use of the library (join()).
//
// But for share() and join() all of it is lock-free and async-signal-safe, and may be called by any thread.
#pragma once

#include "core/subscription.hpp"
#include "sys/statistics_page.hpp"

#include <atomic>
#include <cstdint>

namespace sigev::core::statistics {

namespace detail {
extern std::atomic<sys::statistics::page*> shared;
}

inline bool wanted() noexcept
{
    return detail::shared.load(std::memory_order_acquire) != nullptr;
}

/// From now on, into this. Once, when the library is loaded; nothing has been counted before.
void share(sys::statistics::page& page) noexcept;

/// The process has a registry, perhaps the first since it was forked. Nobody else is in here.
void join() noexcept;

// The rest only where wanted().

/// A timer, a request or a list of requests that tells by this sigev_notify.
void created(int source, int notify) noexcept;

void raised(const subscription& s, std::uint64_t n) noexcept;
void discarded(const subscription& s, std::uint64_t n) noexcept;

/// The delivery starts now: the record keeps how late that is until it is over.
void note_lateness(record& r, std::int64_t nanoseconds) noexcept;
/// It is over, and has been delivered: n occurrences in one.
void delivered(const subscription& s, record& r, std::uint64_t n) noexcept;

/// A request is over that was asked for at that time of CLOCK_MONOTONIC (0: before anybody wanted to know). `told` null: nobody
/// is told, and so all has been done.
void request_over(const subscription* told, std::int64_t asked) noexcept;

/// Deleted: what its books have said, which count no more; unless they are the next timer's already.
void kernel_timer_ended(int notify, std::uint64_t raised, sys::statistics::account* books, std::uint32_t generation) noexcept;

/// Books for a timer of the kernel's, for the rest of this process; null: there are none left.
sys::statistics::account* take_account() noexcept;
/// They are those of a timer now, and count.
void open_account(sys::statistics::account& books, int notify, std::uint32_t generation) noexcept;

} // namespace sigev::core::statistics

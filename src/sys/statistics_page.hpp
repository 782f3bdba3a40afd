// What `sigev run --stats` and the processes below it share: one mapping, of which this is the layout. The command makes it (a
// memfd, sealed against shrinking), each process maps it when the drop-in is loaded, and counts there as it goes: so that what
// has been counted is there also after _exit(), SIGKILL and exec.
//
// Who writes what. An *image* is a program in a process, from exec to exec or to the end, or a forked child that has used the
// library: a process takes the next one, and describes it. A *row* is of one image, source and kind of method; it is taken with
// the first thing to count, by one process, whose threads and handlers then add to it. The *books* of a timer whose signals the
// kernel sends are the engine's own (backends/timer/kernel), at work in here. Nothing is ever given back.
//
// Nobody trusts what stands here: a program may write anything into it. Who reads looks at indices before he uses them; who
// writes only ever adds at addresses that he knows from himself, or below the bounds.
#pragma once

#include "sys/log_buckets.hpp"

#include <sigev.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <time.h>

namespace sigev::sys::statistics {

inline constexpr std::uint64_t magic = 0x53746174732e3031; // another layout gets another one
inline constexpr const char* variable = "SIGEV_STATS";     ///< /proc/PID/fd/NUMBER, of the command's descriptor

inline constexpr unsigned method_kinds = 7;

/// The place of a value of sigev_notify in tables by kind: registered methods are one.
constexpr unsigned kind_of(int notify) noexcept
{
    switch (notify) {
    case SIGEV_SIGNAL: return 0;
    case SIGEV_NONE: return 1;
    case SIGEV_THREAD: return 2;
    case SIGEV_KEVENT: return 3;
    case SIGEV_THREAD_ID: return 4;
    case SIGEV_CALLBACK: return 5;
    default: return 6;
    }
}

/// Up to 18 minutes; the last has what is longer.
inline constexpr std::size_t buckets = log_buckets::of(std::uint64_t{1} << 40);

constexpr std::size_t bucket_of(std::int64_t nanoseconds) noexcept
{
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0)); // a clock may have been set
    return std::min(log_buckets::of(value), buckets - 1);
}

using number = std::atomic<std::uint64_t>;

struct image {
    std::atomic<std::uint32_t> described; ///< 1: what follows is
    std::atomic<std::int32_t> pid;
    std::atomic<std::int32_t> parent;
    std::atomic<std::uint32_t> forked; ///< 1: it began in the middle of its parent's program
    std::atomic<std::int64_t> began;   ///< CLOCK_MONOTONIC
    std::atomic<std::int64_t> exited;  ///< the same, of exit(); 0: it has not said so
    std::atomic<std::int32_t> status;  ///< of exit()
    std::array<char, 28> name;         ///< ends with a 0
};

struct alignas(64) row {
    std::atomic<std::uint32_t> image; ///< its index and 1; 0: nobody's
    std::atomic<std::uint32_t> source; ///< SIGEV_SOURCE_*
    std::atomic<std::uint32_t> kind;
    number created;   ///< timers, requests, lists of requests
    number raised;
    number delivered;
    number merged;
    number discarded;
    number kernel_raised; ///< of timers of the kernel's that have been deleted
    std::array<number, buckets> late; ///< from when it was due, or over, to the delivery: as many as were delivered
    std::array<number, buckets> took; ///< of a request, from the call until it was over
};

/// What a timer of the kernel's is armed with; see backends/timer/kernel/books.hpp, whose data this is.
struct kernel_books {
    std::atomic<std::uint32_t> word; ///< 0: what follows is what the kernel has
    std::atomic<clockid_t> clock;
    std::atomic<std::int64_t> first; ///< 0: disarmed
    std::atomic<std::int64_t> interval;
    number before;
    number seen;
};

struct alignas(64) account {
    kernel_books books;
    /// Whose they are: the timer's generation, and below it the row's index and 1. 0: what they say is in the row already.
    std::atomic<std::uint32_t> owner;
};

inline constexpr unsigned owner_bits = 10; ///< of an index of a row and 1
constexpr std::uint32_t make_owner(std::uint32_t generation, std::uint32_t row) noexcept
{
    return generation << owner_bits | (row + 1);
}

/// The row's index and 1; 0: none.
constexpr std::uint32_t row_of_owner(std::uint32_t owner) noexcept
{
    return owner & ((1u << owner_bits) - 1);
}

struct page {
    std::uint64_t is;
    std::uint64_t size;
    // How many were ever asked for: more than there are when there were too few.
    alignas(64) std::atomic<std::uint32_t> images_taken;
    std::atomic<std::uint32_t> rows_taken;
    std::atomic<std::uint32_t> accounts_taken;
    std::array<image, 1024> images;
    std::array<row, 512> rows;
    std::array<account, 4096> accounts;
};

static_assert(number::is_always_lock_free && std::atomic<std::int32_t>::is_always_lock_free);
static_assert(std::tuple_size_v<decltype(page::rows)> < 1u << owner_bits);
static_assert(sizeof(image) == 64 && sizeof(account) == 64);

} // namespace sigev::sys::statistics

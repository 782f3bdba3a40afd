// A subscription: a validated sigevent bound to all that its deliveries will need, and its ledger. State only; what is done
// with it stands in core/dispatcher (the road) and core/registry (opening and freeing).
//
// Three kinds. *Queueing*: every notification is a record of its own, taken from the subscription's free records; when none is
// left the newest one waits in `newest`, and each one that it replaces counts as merged. *Merging* (timers): one delivery,
// and a count of what was raised since it last latched. *Common*: of many who are told once each (requests). What is of one of
// them alone stands in an *occasion* of his own, in memory of his own; so he needs neither records, nor a ledger, nor a lane.
#pragma once

#include "core/delivery.hpp"
#include "core/generation.hpp"
#include "spi/method.hpp"
#include "spi/workers.hpp"
#include "sys/atomic16.hpp"
#include "sys/manual_time.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <time.h>

namespace sigev::core {

class dispatcher;
struct subscription;

/// One notification on its way: a table_record, or of a common subscription an occasion.
struct record : spi::delivery {
    subscription* owner = nullptr;
    std::int64_t data = 0;
    std::int64_t scheduled = 0;
    std::int32_t error = 0;
    std::uint32_t lateness = 0; ///< where statistics are wanted: of this delivery, while it is under way
};

/// Lives in a table of the registry that never gives memory back. A cache line: it goes from the producer's core to the drain's
/// and back.
struct alignas(64) table_record : record {
    std::uint64_t latched = 0; ///< expirations that this delivery took; queueing: how many the newest has taken the place of
    clockid_t clock = CLOCK_MONOTONIC; ///< of `scheduled`
    std::uint32_t index = 0;           ///< in the registry's table
    /// Not about this record, but of its place in the owner's run of records: see claim in core/delivery.hpp.
    std::atomic<std::uint64_t> slot{0};
};

/// The one notification of somebody who shares a subscription, in his own memory: owner->over gives that back when the
/// notification has come to its end, whatever that is.
struct occasion : record {
    sigval value{}; ///< of a method that has something for each occasion (spi::method::join): that, until deliver() has taken it over
    std::uint64_t ident = 0; ///< of such a method: the program's value, which may be exchanged for what deliver() is to find
};

/// A FIFO of records, linked through delivery::next. One owner at a time.
class record_queue {
public:
    bool empty() const noexcept { return head_ == nullptr; }

    void push_back(record& r) noexcept
    {
        r.next = nullptr;
        (tail_ ? tail_->next : head_) = &r;
        tail_ = &r;
    }

    void push_front(record& r) noexcept
    {
        r.next = head_;
        head_ = &r;
        if (!tail_)
            tail_ = &r;
    }

    record* front() const noexcept { return static_cast<record*>(head_); }

    /// All of the other queue, behind what is here.
    void append(record_queue& other) noexcept
    {
        if (other.empty())
            return;
        (tail_ ? tail_->next : head_) = other.head_;
        tail_ = other.tail_;
        other.head_ = other.tail_ = nullptr;
    }

    record* pop_front() noexcept
    {
        auto* r = static_cast<record*>(head_);
        if (r) {
            head_ = r->next;
            if (!head_)
                tail_ = nullptr;
        }
        return r;
    }

private:
    spi::delivery* head_ = nullptr;
    spi::delivery* tail_ = nullptr;
};

enum class raising : std::uint8_t { queueing, merging, common };

struct alignas(64) subscription {
    // A line of what every submit touches, and nobody else writes.
    std::atomic<std::uint64_t> claim{claim_closing};
    generation_word generation;
    std::atomic<dispatcher*> road{nullptr}; ///< of the reactor that it is opened on
    std::atomic<std::uint32_t> first{0};    ///< of its run of records
    std::atomic<std::uint32_t> capacity{0}; ///< and their number; merging: 0
    std::uint32_t index = 0;
    std::atomic<bool> handed_out{false}; ///< the program has its handle; timers and requests keep theirs to themselves
    std::atomic<bool> refuses_when_full{false}; ///< queueing: no record is free: EAGAIN, and not merged
    /// lo: see core/delivery.hpp; hi: the data
    sys::atomic16 newest;

    // Another of what the drain writes for each notification.
    alignas(64) std::atomic<std::uint32_t> gate{gate_closing | gate_freed};
    std::atomic<std::uint32_t> parked{0}; ///< of those that run: callbacks that are in cancel_and_wait() themselves
    std::atomic<std::uint64_t> returned{0};
    std::uint32_t ring_first = 0; ///< first and capacity once more: the other line is the producers'
    std::uint32_t ring_capacity = 0;
    std::atomic<std::uint64_t> occurrences{0};
    std::atomic<std::int64_t> scheduled{0}; ///< merging: when the first of `occurrences` was due
    std::atomic<clockid_t> clock{CLOCK_MONOTONIC}; ///< and on which clock
    // The ledger. `delivered` is counted by whoever finishes a delivery. What has been raised by a claim is counted there.
    std::atomic<std::uint64_t> delivered{0};
    std::atomic<std::uint64_t> inflight{0}; ///< merging: latched by a delivery that is not over; common: raised, and not over
    std::atomic<std::int32_t> overrun{0};   ///< merging: of the most recent delivery
    std::atomic<bool> spare_out{false};     ///< the spare is on its way; `newest` waits for it
    std::atomic<bool> on_trial{false};      ///< the lane has been resumed, and it is not known with what success
    std::atomic<bool> suspended{false};     ///< the lane stands still after a `retry`, until the drain resumes it
    std::atomic<std::uint64_t> raised{0};
    std::atomic<std::uint64_t> merged{0};
    std::atomic<std::uint64_t> settled{0}; ///< queueing: of those merged, what `newest` had no room to count until it is taken
    std::atomic<std::uint64_t> discarded{0};
    std::atomic<std::uint32_t> posting{0}; ///< common: who delivers at this moment and is not the drain

    // Fixed from open to free.
    const spi::method* method = nullptr;
    void* target = nullptr;
    spi::lane* lane = nullptr; ///< for a method that runs user code, on the runtime: where its calls are queued
    table_record* spare = nullptr; ///< carries `newest`; merging: the one delivery
    void (*over)(occasion&) noexcept = nullptr; ///< common: takes an occasion's memory back. Any thread but a signal handler
    sigval value{};
    std::uint64_t ident = 0;
    const sys::manual_time* time = nullptr; ///< what its times are on; null: the host's clocks
    std::int32_t code = 0;
    std::uint8_t source = 0;
    std::uint8_t cause = 0; ///< SIGEV_CAUSE_*, but for what was cancelled
    raising kind = raising::queueing;
    bool one_shot = false;             ///< ends by itself once its one record has come back (AIO)
    std::atomic<bool> released{false}; ///< the handle has been given up (or never was)
    bool folded = true; ///< its ledger has gone into the account of the closed ones; under the registry's totals mutex

    // The drain's own.
    bool resume_due = false; ///< the lane is to be resumed with the next retry
    record_queue held;       ///< refused with `retry`, in order
    subscription* next_held = nullptr; ///< while gate_held is set

    subscription* next_dead = nullptr;

    /// Common, and of a method that has something for each occasion: there is no target.
    bool has_its_own_each() const noexcept { return kind == raising::common && method->join; }

    /// Only whoever holds the drain word finishes its deliveries, so the books of them need no locked instruction. (Those of what
    /// merges need none in any case: there is one delivery, and `busy` passes it on.)
    bool is_settled_by_the_drain() const noexcept { return !lane && !method->deferred; }
};

/// One of its books. alone: nobody else writes it meanwhile, so it needs no locked instruction.
inline void count(std::atomic<std::uint64_t>& book, std::uint64_t n, bool alone) noexcept
{
    if (alone)
        book.store(book.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    else
        book.fetch_add(n, std::memory_order_relaxed);
}

/// A function that is called right where it is raised, on a loop of the program's own, and always accepts (core/raise.cpp).
inline bool is_called_at_once(const subscription& s) noexcept
{
    return s.method->runs_user_code && !s.method->may_retry && !s.lane;
}

/// Its calls wait in a lane for a worker.
inline bool is_called_by_a_worker(const subscription& s) noexcept
{
    return s.lane || s.method->lane_of;
}

/// It is about to be raised and delivered: asks for the lines of it that this touches.
inline void fetch(const subscription& s) noexcept
{
    const char* const first = reinterpret_cast<const char*>(&s);
    for (std::size_t line = 1; line != 4; ++line)
        __builtin_prefetch(first + 64 * line, 1);
}

} // namespace sigev::core

// A subscription: a validated sigevent bound to all that its deliveries will need, and its ledger. State only; what is done
// with it stands in core/dispatcher (the road) and core/registry (opening and freeing).
//
// Two kinds. *Queueing*: every notification is a record of its own, taken from the subscription's free records; when none is
// left the newest one waits in `newest`, and each one that it replaces counts as merged. *Merging* (timers): one delivery,
// and a count of what was raised since it last latched.
#pragma once

#include "core/delivery.hpp"
#include "core/generation.hpp"
#include "spi/method.hpp"
#include "spi/workers.hpp"
#include "sys/atomic16.hpp"

#include <atomic>
#include <cstdint>

namespace sigev::core {

class reactor;
struct subscription;

/// One notification on its way. Records live in a table of the registry that never gives memory back.
struct record : spi::delivery {
    subscription* owner = nullptr;
    std::atomic<std::uint32_t> free_next{no_record}; ///< in the owner's free list
    std::uint32_t index = 0;                         ///< in the registry's table
    std::int32_t error = 0;
    std::uint32_t claimed = 0; ///< how many had been claimed before it
    std::int64_t data = 0;
    std::int64_t scheduled = 0;
    std::uint64_t latched = 0; ///< expirations that this delivery took (1 for a record of a queueing subscription)
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

inline constexpr std::uint64_t newest_valid = std::uint64_t{1} << 32;
inline constexpr unsigned newest_claimed_shift = 40;

enum class raising : std::uint8_t { queueing, merging };

struct alignas(64) subscription {
    // What every submit touches.
    std::atomic<std::uint64_t> claim{claim_closing};
    std::atomic<std::uint64_t> raised{0};
    generation_word generation;
    std::atomic<reactor*> on{nullptr};

    std::atomic<std::uint32_t> gate{gate_closing | gate_freed};
    std::atomic<std::uint32_t> parked{0};   ///< of those that run: callbacks that are in cancel_and_wait() themselves
    std::atomic<std::uint32_t> returned{0}; ///< records that came back; equal to the claims (24 bits): none is out
    std::atomic<std::uint64_t> occurrences{0};
    std::atomic<std::int64_t> scheduled{0}; ///< merging: when the first of `occurrences` was due

    // The ledger. `merged` is also counted by producers; the rest by whoever finishes a delivery.
    std::atomic<std::uint64_t> delivered{0};
    std::atomic<std::uint64_t> merged{0};
    std::atomic<std::uint64_t> discarded{0};
    std::atomic<std::uint64_t> inflight{0}; ///< merging: latched by a delivery that is not over
    std::atomic<std::int32_t> overrun{0};   ///< merging: of the most recent delivery

    // Fixed from open to free.
    const spi::method* method = nullptr;
    void* target = nullptr;
    spi::lane* lane = nullptr; ///< for a method that runs user code, on the runtime: where its calls are queued
    sigval value{};
    std::uint64_t ident = 0;
    std::int32_t code = 0;
    std::uint32_t index = 0;
    std::uint32_t capacity = 0;
    std::uint8_t source = 0;
    raising kind = raising::queueing;
    bool refuses_when_full = false;    ///< queueing: no record is free: EAGAIN, and not merged
    bool one_shot = false;             ///< ends by itself once its one record has come back (AIO)
    std::atomic<bool> handed_out{false}; ///< the program has its handle; timers and requests keep theirs to themselves
    std::atomic<bool> released{false}; ///< the handle has been given up (or never was)
    bool folded = true; ///< its ledger has gone into the account of the closed ones; under the registry's totals mutex
    record* spare = nullptr; ///< carries `newest`; merging: the one delivery

    /// {data, claim count:24 | newest_valid | error}: the newest notification when no record was free, and how many records
    /// had been claimed when its producer found none.
    sys::atomic16 newest;
    std::atomic<bool> overflowing{false}; ///< `newest` may be set: later notifications go there too, to keep their order
    std::atomic<bool> spare_out{false};   ///< the spare is on its way; `newest` waits for it
    std::atomic<bool> suspended{false};   ///< the lane stands still after a `retry`, until the drain resumes it

    // The drain's own.
    record_queue held; ///< refused with `retry`, in order
    subscription* next_held = nullptr; ///< while gate_held is set
    bool resume_due = false; ///< the lane is to be resumed with the next retry

    subscription* next_dead = nullptr;
};

} // namespace sigev::core

// What a posted event may report, and what retrieving it makes of it. Pure: no lock, no list, no descriptor.
//
// Two kinds of notes. Those of timers and of the program's own subscriptions report deliveries: each one once, in
// order. Those of asynchronous I/O stand for a condition, "this request is complete": one delivery brings it about,
// and from then on the note reports it at every look, as on FreeBSD, until aio_return() has collected the request.
// The flags of the sigevent change what a retrieval does:
//
//   0            the condition is reported again
//   EV_ONESHOT   the note is dropped; what is posted to it afterwards finds no target
//   EV_CLEAR     the condition is not reported again (but EV_ENABLE looks at it afresh, as FreeBSD's does)
//   EV_DISPATCH  the note is disabled, deliveries wait in it until EV_ENABLE
#pragma once

#include <sigev.h>

#include <cstdint>
#include <limits>

namespace sigev::kq {

inline constexpr std::uint16_t legal_flags = EV_ONESHOT | EV_CLEAR | EV_DISPATCH;

class note_state {
public:
    enum class step {
        nothing,
        deliver, ///< a delivery waits
        repeat   ///< the condition, as it was retrieved before
    };

    note_state(std::int16_t filter, std::uint16_t flags) noexcept : flags_(flags), conditional_(filter == EVFILT_AIO) {}

    /// What the next look reports.
    step next() const noexcept
    {
        if (dropped_ || !enabled_ || in_flight_)
            return step::nothing;
        if (waiting_ > 0)
            return step::deliver;
        return repeats_ ? step::repeat : step::nothing;
    }

    bool dropped() const noexcept { return dropped_; }

    /// Nothing can come of it any more, unless a subscription still posts.
    bool spent() const noexcept { return !in_flight_ && (dropped_ || (waiting_ == 0 && !stands_)); }

    /// It has, or may come to have, something to report, but does not at present.
    bool rests() const noexcept { return !spent() && !in_flight_ && next() == step::nothing; }

    void post() noexcept { ++waiting_; }

    /// How many deliveries one look takes out.
    std::uint32_t batch() const noexcept
    {
        return flags_ & (EV_ONESHOT | EV_DISPATCH) ? 1 : std::numeric_limits<std::uint32_t>::max();
    }

    /// `count` deliveries have been taken out; until landed() nobody else takes any, so that they stay in order.
    void take(std::uint32_t count) noexcept
    {
        waiting_ -= count;
        in_flight_ = true;
    }

    /// They have been retrieved, or all of them turned out to be cancelled.
    void landed(bool retrieved) noexcept
    {
        in_flight_ = false;
        if (!retrieved)
            return;
        stands_ = conditional_ && !superseded_;
        apply_flags();
    }

    /// A repeat has been retrieved.
    void repeated() noexcept { apply_flags(); }

    void enable() noexcept
    {
        enabled_ = true;
        repeats_ = stands_;
    }

    void disable() noexcept { enabled_ = false; }

    /// The deliveries that wait have been withdrawn.
    void withdraw() noexcept { waiting_ = 0; }

    /// The request has been started afresh: what waits is still reported, but the old condition is over.
    void supersede() noexcept
    {
        superseded_ = true;
        stands_ = false;
        repeats_ = false;
    }

    /// EV_DELETE, aio_return(), or the end of the kqueue.
    void drop() noexcept { dropped_ = true; }

private:
    void apply_flags() noexcept
    {
        repeats_ = stands_ && !(flags_ & (EV_CLEAR | EV_DISPATCH));
        if (flags_ & EV_ONESHOT)
            dropped_ = true;
        if (flags_ & EV_DISPATCH)
            enabled_ = false;
    }

    std::uint32_t waiting_ = 0; ///< fewer than there are records
    std::uint16_t flags_;
    bool conditional_ : 1;        // asynchronous I/O
    bool stands_ : 1 = false;     // its condition is there, and was retrieved at least once
    bool repeats_ : 1 = false;    // the next look reports it
    bool superseded_ : 1 = false;
    bool in_flight_ : 1 = false;
    bool enabled_ : 1 = true;
    bool dropped_ : 1 = false;
};

} // namespace sigev::kq

// Who is inside a subscription: the frames of this thread, and the steps on the gate. For the dispatcher's own files.
#pragma once

#include "core/delivery.hpp"
#include "core/subscription.hpp"
#include "sys/fork_epoch.hpp"
#include "sys/futex.hpp"

#include <cstdint>

namespace sigev::core {

// What this thread is in the middle of delivering. initial-exec: the first access must not allocate, it may come from a
// signal handler. Nesting is one deep, two for a callback that calls sigev_kevent(); deeper levels go uncounted. A callback
// that forks goes on in the child too, but what it is inside of is the parent's: frames of another epoch do not count.
struct frames {
    static constexpr unsigned limit = 8;
    struct frame {
        subscription* s;
        const sigev_notification* notification;
    } at[limit];
    unsigned depth;
    std::uint32_t epoch;
};
inline thread_local frames inside __attribute__((tls_model("initial-exec")));

inline void push_frame(subscription& s, const sigev_notification& n) noexcept
{
    if (const std::uint32_t now = sys::current_epoch(); inside.epoch != now) {
        inside.epoch = now;
        inside.depth = 0;
    }
    if (inside.depth < frames::limit)
        inside.at[inside.depth] = {&s, &n};
    ++inside.depth;
}

inline void pop_frame() noexcept
{
    if (inside.epoch == sys::current_epoch() && inside.depth != 0)
        --inside.depth;
}

inline unsigned frames_here() noexcept
{
    if (inside.epoch != sys::current_epoch())
        return 0;
    return inside.depth < frames::limit ? inside.depth : frames::limit;
}

// `flag` is gate_delivering or gate_held: the drain's, of which there is one.
inline bool set(subscription& s, std::uint32_t flag) noexcept
{
    std::uint32_t gate = s.gate.load(std::memory_order_relaxed);
    do
        if (gate & gate_closing)
            return false;
    while (!s.gate.compare_exchange_weak(gate, gate | flag, std::memory_order_seq_cst));
    return true;
}

// True when the subscription is being closed, and this may have been the last thing that kept it.
inline bool clear(subscription& s, std::uint32_t flag) noexcept
{
    return (s.gate.fetch_and(~flag, std::memory_order_seq_cst) & gate_closing) != 0;
}

inline bool start_running(subscription& s) noexcept
{
    std::uint32_t gate = s.gate.load(std::memory_order_relaxed);
    do
        if (gate & gate_closing)
            return false;
    while (!s.gate.compare_exchange_weak(gate, gate + 1, std::memory_order_seq_cst));
    return true;
}

inline bool stop_running(subscription& s) noexcept
{
    const std::uint32_t gate = s.gate.fetch_sub(1, std::memory_order_seq_cst);
    if ((gate & gate_waited) && gate_running(gate) == 1)
        sys::futex_wake(s.gate);
    return (gate & gate_closing) != 0;
}

} // namespace sigev::core

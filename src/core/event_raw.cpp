// The system calls of protocol W. The design stands in event_raw.hpp, the pool's in event_raw_pool.cpp.
#include "core/event_raw.hpp"

#include "core/event_raw_pool.hpp"
#include "sys/clock.hpp"
#include "sys/errno_guard.hpp"

#include <cerrno>
#include <sched.h>

namespace sigev::core {

using wakeup::word;

namespace {

// A poster that is only slow is in the middle of one write; one that needs longer than this is taken for abandoned.
constexpr std::uint64_t patience = sys::nanoseconds_per_second / 1000;

int open_pair(int kind, const spi::wakeup_kind*& chosen, spi::wakeup_pair& pair) noexcept
{
    if (kind == SIGEV_EVENT_RAW_DEFAULT)
        return spi::open_wakeup(chosen, pair);
    chosen = kind == SIGEV_EVENT_RAW_PIPE ? &spi::pipe_wakeup : &spi::eventfd_wakeup;
    const int error = chosen->open(pair);
    return kind == SIGEV_EVENT_RAW_EVENTFD && spi::is_absent(error) ? ENOSYS : error;
}

} // namespace

void detail::finish_post(const sigev_event_raw& event, word claimed_seq) noexcept
{
    const sys::errno_guard guard;
    event.kind->signal(event.pair);
    word o = event.word.load(std::memory_order_relaxed);
    while (!event.word.compare_exchange_weak(
        o, wakeup::post_end(o, claimed_seq), std::memory_order_release, std::memory_order_relaxed))
        ;
}

void detail::visit(const sigev_event_raw& event) noexcept
{
    word o = event.word.load(std::memory_order_relaxed);
    wakeup::post_step step;
    do {
        step = wakeup::visit_begin(o);
        if (step.action == wakeup::post_action::refuse)
            return;
    } while (!event.word.compare_exchange_weak(o, step.next, std::memory_order_acquire, std::memory_order_relaxed));
    const sys::errno_guard guard;
    event.kind->signal(event.pair);
    o = event.word.load(std::memory_order_relaxed);
    while (!event.word.compare_exchange_weak(
        o, wakeup::visit_end(o), std::memory_order_release, std::memory_order_relaxed))
        ;
}

int open_event_raw(int kind, sigev_event_raw*& out) noexcept
{
    if (kind < SIGEV_EVENT_RAW_DEFAULT || kind > SIGEV_EVENT_RAW_PIPE)
        return EINVAL;
    const std::uint32_t epoch = sys::ensure_epoch();
    if (epoch == 0)
        return ENOMEM;
    event_raw_pool::look_at_retired();
    const spi::wakeup_kind* chosen = nullptr;
    spi::wakeup_pair pair;
    if (const int error = open_pair(kind, chosen, pair))
        return error;
    sigev_event_raw* event = event_raw_pool::take();
    if (!event) {
        chosen->close(pair);
        return ENOMEM;
    }
    event->pair = pair;
    event->kind = chosen;
    event->epoch.store(epoch, std::memory_order_relaxed);
    // A plain store: as long as CLOSING stands in the word, nobody exchanges it.
    event->word.store(wakeup::recycle(event->word.load(std::memory_order_relaxed)), std::memory_order_release);
    out = event;
    return 0;
}

namespace {

bool clear(sigev_event_raw& event) noexcept
{
    word o = event.word.load(std::memory_order_relaxed);
    while (!event.word.compare_exchange_weak(
        o, wakeup::consume(o), std::memory_order_seq_cst, std::memory_order_relaxed))
        ;
    return (o & wakeup::posted) != 0;
}

} // namespace

bool consume(sigev_event_raw& event) noexcept
{
    if (event.epoch.load(std::memory_order_relaxed) != sys::current_epoch())
        return false;
    const sys::errno_guard guard;
    const bool drained = event.kind->drain(event.pair);
    // Another process writes without setting our bit.
    return clear(event) || drained;
}

bool take(sigev_event_raw& event) noexcept
{
    if (event.kind->fills_up)
        return consume(event);
    if (event.epoch.load(std::memory_order_relaxed) != sys::current_epoch())
        return false;
    return clear(event);
}

void close(sigev_event_raw& event) noexcept
{
    const sys::errno_guard guard;
    word o = event.word.load(std::memory_order_relaxed);
    while (!event.word.compare_exchange_weak(
        o, wakeup::close_begin(o), std::memory_order_acq_rel, std::memory_order_relaxed))
        ;
    if (o & wakeup::closing)
        return; // closed twice: the object is in one of the lists already
    if (!event_raw_pool::may_close(event) && !wakeup::full(o)) {
        const std::uint64_t end = sys::now(CLOCK_MONOTONIC) + patience;
        do
            ::sched_yield();
        while (!event_raw_pool::may_close(event) && sys::now(CLOCK_MONOTONIC) < end);
    }
    if (event_raw_pool::may_close(event))
        event_raw_pool::give_back(event);
    else
        event_raw_pool::retire(event);
    event_raw_pool::look_at_retired();
}

} // namespace sigev::core

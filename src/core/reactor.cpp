#include "core/reactor.hpp"

#include "core/registry.hpp"
#include "sys/clock.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <sched.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace sigev::core {

reactor::~reactor()
{
    if (is_open())
        close();
}

int reactor::open(registry& all) noexcept
{
    if (!dispatcher_) {
        dispatcher_.reset(new (std::nothrow) core::dispatcher(all, *this, &wakeup_));
        if (!dispatcher_)
            return ENOMEM;
    }
    dispatcher_->deliver_user_code_on(nullptr); // the slot's last owner may have been a runtime that could not start
    sigev_event_raw* event = nullptr;
    if (const int error = open_event_raw(SIGEV_EVENT_RAW_DEFAULT, event))
        return error;
    wakeup_fd_.store(descriptor_of(*event), std::memory_order_relaxed);
    wakeup_.store(event, std::memory_order_release);
    announces_sleep_ = false;
    retry_at_.store(0, std::memory_order_relaxed);
    open_.store(true, std::memory_order_release);
    return 0;
}

void reactor::close() noexcept
{
    shut();
    // The loop does not watch any more; a drain that some thread is still in comes to its end.
    while (!dispatcher_->enter())
        ::sched_yield();
    do {
        for (auto& place : sources_)
            if (reactor_source* s = place.exchange(nullptr, std::memory_order_acq_rel))
                s->detach();
        // What was cancelled is still on the road here: this discards it, since every subscription is closing.
        dispatcher_->run();
    } while (!dispatcher_->leave());
    wakeup_fd_.store(-1, std::memory_order_release);
    if (sigev_event_raw* event = wakeup_.exchange(nullptr, std::memory_order_acq_rel))
        core::close(*event);
    sys::unique_fd(retry_fd_.exchange(-1, std::memory_order_acq_rel));
}

void reactor::discard_left() noexcept
{
    if (!dispatcher_ || !dispatcher_->enter())
        return;
    do
        dispatcher_->run();
    while (!dispatcher_->leave());
}

unsigned reactor::descriptors(int* out, unsigned n) const noexcept
{
    std::array<int, max_descriptors> all{};
    unsigned count = 0;
    if (const int fd = wakeup_fd_.load(std::memory_order_acquire); fd >= 0)
        all[count++] = fd;
    // The order is fixed by place, not by age: which number a descriptor has does not matter to ready(), but for number 0.
    for (const auto& place : sources_)
        if (const reactor_source* s = place.load(std::memory_order_acquire))
            count += s->descriptors(&all[count]);
    if (const int fd = retry_fd_.load(std::memory_order_acquire); fd >= 0)
        all[count++] = fd;
    for (unsigned i = 0; i != count && i != n; ++i)
        out[i] = all[i];
    return count;
}

void reactor::ready(unsigned which) noexcept
{
    if (which == 0)
        posted_.store(true, std::memory_order_release);
    drain();
}

void reactor::edge(unsigned which) noexcept
{
    const sigev_event_raw* const event = wakeup_.load(std::memory_order_relaxed);
    if (which == 0 && event && event->kind->fills_up)
        posted_.store(true, std::memory_order_release);
    drain();
}

void reactor::announces_sleep() noexcept
{
    announces_sleep_ = true;
}

bool reactor::try_sleep() noexcept
{
    sigev_event_raw* const event = wakeup_.load(std::memory_order_relaxed);
    return !event || core::try_sleep(*event);
}

void reactor::awake() noexcept
{
    if (sigev_event_raw* const event = wakeup_.load(std::memory_order_relaxed))
        core::awake(*event);
}

bool reactor::is_posted() const noexcept
{
    const sigev_event_raw* const event = wakeup_.load(std::memory_order_relaxed);
    return event && core::is_posted(*event);
}

void reactor::drain() noexcept
{
    if (announces_sleep_)
        awake(); // also in the middle of the context's turn: what is raised from here on writes nothing
    if (!dispatcher_->enter())
        return; // somebody drains, and goes round once more
    // Under a stream of notifications that never pauses, the thread comes out now and then all the same: it may lead the
    // runtime, and callbacks wait for it in their lanes.
    for (unsigned round = 1;; ++round) {
        bool again;
        do {
            // Drain, clear, run: a post that comes after this consume makes the descriptor readable again.
            if (posted_.exchange(false, std::memory_order_acq_rel)) {
                if (sigev_event_raw* event = wakeup_.load(std::memory_order_acquire))
                    consume(*event);
            } else if (announces_sleep_ && is_posted()) {
                take(*wakeup_.load(std::memory_order_acquire));
            }
            dispatcher_->run();
            again = false;
            for (auto& place : sources_)
                if (reactor_source* s = place.load(std::memory_order_acquire); s && !dispatcher_->is_inherited())
                    again |= s->reap();
        } while (again);
        if (dispatcher_->is_inherited())
            return;
        dispatcher_->sweep();
        if (round == core::dispatcher::most_rounds) {
            dispatcher_->leave_for_later();
            return;
        }
        if (dispatcher_->leave())
            return;
    }
}

// The loop's own words, of posts and of its sleep, are left to the loop: it turns once for nothing.
void reactor::drain_now() noexcept
{
    while (!dispatcher_->enter())
        ::sched_yield();
    do {
        bool again;
        do {
            dispatcher_->run();
            again = false;
            for (auto& place : sources_)
                if (reactor_source* s = place.load(std::memory_order_acquire); s && !dispatcher_->is_inherited())
                    again |= s->reap();
        } while (again);
        if (dispatcher_->is_inherited())
            return;
        dispatcher_->sweep();
    } while (!dispatcher_->leave());
}

std::uint64_t reactor::remaining() const noexcept
{
    std::uint64_t least = reactor_source::never;
    for (const auto& place : sources_)
        if (const reactor_source* s = place.load(std::memory_order_acquire))
            least = std::min(least, s->remaining());
    if (const std::uint64_t at = retry_at_.load(std::memory_order_acquire)) {
        const std::uint64_t now = sys::now(CLOCK_MONOTONIC);
        least = std::min(least, at > now ? at - now : 0);
    }
    return least;
}

void reactor::end_source(reactor_source& s) noexcept
{
    while (!dispatcher_->enter())
        ::sched_yield();
    do {
        for (auto& place : sources_)
            if (place.load(std::memory_order_relaxed) == &s) {
                place.store(nullptr, std::memory_order_release);
                s.detach();
            }
        dispatcher_->run();
    } while (!dispatcher_->leave());
}

bool reactor::attach(unsigned place, reactor_source& s) noexcept
{
    reactor_source* expected = nullptr;
    return sources_[place].compare_exchange_strong(expected, &s, std::memory_order_acq_rel);
}

void reactor::wake() noexcept
{
    if (sigev_event_raw* event = wakeup_.load(std::memory_order_acquire))
        post(*event);
}

void reactor::wake_unless_told() noexcept
{
    if (sigev_event_raw* event = wakeup_.load(std::memory_order_acquire); event && !is_told(*event))
        post(*event);
}

int reactor::reserve_retry() noexcept
{
    std::lock_guard lock(mutex_);
    if (retry_fd_.load(std::memory_order_relaxed) >= 0)
        return 0;
    const int fd = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0)
        return errno == ENOMEM ? ENOMEM : EAGAIN;
    retry_fd_.store(fd, std::memory_order_release);
    wake(); // the loop learns of the new descriptor
    return 0;
}

void reactor::retry_at(std::uint64_t when) noexcept
{
    retry_at_.store(when, std::memory_order_release);
    itimerspec spec{};
    spec.it_value = sys::to_timespec(when);
    // Setting it also takes its readiness away. It cannot fail: the descriptor is ours, the time is valid.
    ::timerfd_settime(retry_fd_.load(std::memory_order_acquire), TFD_TIMER_ABSTIME, &spec, nullptr);
}

} // namespace sigev::core

// Three lists: all objects that were ever made (so that they are reachable, and a leak checker is content), the free
// ones, and the retired ones: closed, but with a writer still entered, who was left by siglongjmp or cancellation, or
// is slow. Those keep their descriptors and are looked at again whenever an object is opened or closed.
//
// The lists are lock-free, for a fork: the child of a process with threads may find a lock held by a thread that it
// does not have, but never a list in a bad state. Taking is always taking all: no ABA. Who finds the free list taken
// makes a new object; what another thread had taken at a fork is missing from the child's lists, which costs the child
// some memory. Everything else is true in the copy as it is in the parent: an object that was free is free, one
// that had a writer is waited for (it may be this very thread, when a signal handler forked in the middle of a post).
#include "core/event_raw_pool.hpp"

#include <new>
#include <utility>

namespace sigev::core {

namespace {

class list {
public:
    bool empty() const noexcept { return !head_.load(std::memory_order_relaxed); }

    sigev_event_raw* take_all() noexcept { return head_.exchange(nullptr, std::memory_order_acquire); }

    /// Pushes an object alone.
    void push(sigev_event_raw& event) noexcept { push_between(event, event); }

    /// Pushes the objects from `first` to the end of its chain. Walks the chain only if somebody came in between.
    void push_chain(sigev_event_raw* first) noexcept
    {
        sigev_event_raw* none = nullptr;
        if (!first || head_.compare_exchange_strong(none, first, std::memory_order_release, std::memory_order_relaxed))
            return;
        sigev_event_raw* last = first;
        while (last->next)
            last = last->next;
        push_between(*first, *last);
    }

private:
    void push_between(sigev_event_raw& first, sigev_event_raw& last) noexcept
    {
        sigev_event_raw* head = head_.load(std::memory_order_relaxed);
        do
            last.next = head;
        while (!head_.compare_exchange_weak(head, &first, std::memory_order_release, std::memory_order_relaxed));
    }

    std::atomic<sigev_event_raw*> head_{nullptr};
};

constinit std::atomic<sigev_event_raw*> made{nullptr};
constinit list free_objects;
constinit list retired;

} // namespace

sigev_event_raw* event_raw_pool::take() noexcept
{
    if (sigev_event_raw* event = free_objects.take_all()) {
        free_objects.push_chain(std::exchange(event->next, nullptr));
        return event;
    }
    auto* event = new (std::nothrow) sigev_event_raw;
    if (!event)
        return nullptr;
    event->next_made = made.load(std::memory_order_relaxed);
    while (!made.compare_exchange_weak(event->next_made, event, std::memory_order_release, std::memory_order_relaxed))
        ;
    return event;
}

void event_raw_pool::give_back(sigev_event_raw& event) noexcept
{
    event.kind->close(event.pair);
    free_objects.push(event);
}

// acquire: what the last writer did with the descriptors is over before they are closed.
bool event_raw_pool::may_close(const sigev_event_raw& event) noexcept
{
    return wakeup::may_close(event.word.load(std::memory_order_acquire));
}

void event_raw_pool::retire(sigev_event_raw& event) noexcept
{
    retired.push(event);
}

void event_raw_pool::look_at_retired() noexcept
{
    if (retired.empty())
        return;
    for (sigev_event_raw* event = retired.take_all(); event;) {
        sigev_event_raw& current = *std::exchange(event, event->next);
        may_close(current) ? give_back(current) : retire(current);
    }
}

void close_retired_event_raws() noexcept
{
    for (sigev_event_raw* event = retired.take_all(); event;) {
        sigev_event_raw& current = *std::exchange(event, event->next);
        const wakeup::word o = current.word.load(std::memory_order_acquire);
        current.word.store(o & ~wakeup::all_writers, std::memory_order_relaxed);
        event_raw_pool::give_back(current);
    }
}

} // namespace sigev::core

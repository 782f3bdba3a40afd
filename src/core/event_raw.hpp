// event_raw: an object that becomes readable when somebody posts to it. The C API's struct, and the calls behind it.
//
// All that concurrent posters and the owner must agree on stands in one word (core/wakeup_word.hpp). A post reads the
// descriptors only after it has entered itself as a writer in that word, by the same exchange that finds CLOSING clear;
// close() sets CLOSING and then leaves the descriptors open as long as there is a writer. So whoever holds a number
// to write to, holds it open; a post never reaches a recycled one.
//
// What a post must be able to look at before that, the word itself, is memory that is never given back: objects come
// from a pool and return to it. A post that races with a close and comes so late that the memory has a new owner wakes
// that owner for nothing, which every owner must bear anyway; no more can come of it.
//
// A process of another fork epoch has a copy of the word that says what was so in the parent when it forked. There a post
// always writes, and enters itself in the copy only so that a close in that process waits for it. POSTED and WRITTEN are
// the owner's alone.
#pragma once

#include <sigev.h>

#include "core/wakeup_word.hpp"
#include "spi/wakeup.hpp"
#include "sys/fork_epoch.hpp"

#include <atomic>

// A cache line of its own: posters of one object do not slow down those of another.
struct alignas(64) sigev_event_raw {
    mutable std::atomic<sigev::core::wakeup::word> word{sigev::core::wakeup::unowned};
    std::atomic<std::uint32_t> epoch{0};

    // Set before the word opens the object to posts, and kept until no writer is in it.
    sigev::spi::wakeup_pair pair;
    const sigev::spi::wakeup_kind* kind = nullptr;

    sigev_event_raw* next = nullptr; // in the list of free or of retired objects
    sigev_event_raw* next_made = nullptr;
};

namespace sigev::core {

namespace detail {

/// The rest of a post that entered itself: writes, and leaves.
void finish_post(const sigev_event_raw& event, wakeup::word claimed_seq) noexcept;

/// A post in a process that did not open the object.
void visit(const sigev_event_raw& event) noexcept;

} // namespace detail

/// Returns 0 or an errno. kind: SIGEV_EVENT_RAW_*. Not async-signal-safe.
int open_event_raw(int kind, sigev_event_raw*& out) noexcept;

inline int descriptor_of(const sigev_event_raw& event) noexcept { return event.pair.read; }

/// Async-signal-safe, lock-free, keeps errno. Inline as far as a post goes whose owner is being told already.
inline void post(const sigev_event_raw& event) noexcept
{
    if (event.epoch.load(std::memory_order_relaxed) != sys::current_epoch())
        return detail::visit(event);
    wakeup::word o = event.word.load(std::memory_order_relaxed);
    wakeup::post_step step;
    do {
        step = wakeup::post_begin(o);
        if (step.action == wakeup::post_action::refuse)
            return;
        // Also where o has both bits: a post that only looked would publish nothing to the owner.
    } while (!event.word.compare_exchange_weak(o, step.next, std::memory_order_acq_rel, std::memory_order_relaxed));
    if (step.action == wakeup::post_action::write)
        detail::finish_post(event, wakeup::seq_of(step.next));
}

/// Drains, then lets the next post write again; then the owner runs its handler, and only then waits again. True when
/// something was posted, by this process or another. In a process of another fork epoch it touches nothing: the
/// descriptor's content is the owner's.
bool consume(sigev_event_raw& event) noexcept;

/// The same for an owner that does not need the descriptor emptied, because it is awake and has not waited for it, or
/// because it waits for edges: no system call, but for a pipe, which could fill up. True when this process posted.
bool take(sigev_event_raw& event) noexcept;

/// For an owner whose loop is its own from the call that blocks to its return. Before that call: true: it may block, posts
/// write; false: something has been posted, and the descriptor may never tell. Until the first call a loop counts as asleep.
inline bool try_sleep(sigev_event_raw& event) noexcept
{
    wakeup::word o = event.word.load(std::memory_order_relaxed);
    wakeup::sleep_step step;
    do
        step = wakeup::sleep_begin(o);
    while (step.next != o && // posted and awake, or asleep already
           !event.word.compare_exchange_weak(o, step.next, std::memory_order_acq_rel, std::memory_order_relaxed));
    return step.may_sleep;
}

/// After that call: posts need not write until try_sleep() has answered true.
inline void awake(sigev_event_raw& event) noexcept
{
    wakeup::word o = event.word.load(std::memory_order_relaxed);
    while (o & wakeup::asleep &&
           !event.word.compare_exchange_weak(o, wakeup::wake(o), std::memory_order_relaxed, std::memory_order_relaxed))
        ;
}

/// True when a post has come since the last consume. A look, not a promise.
inline bool is_posted(const sigev_event_raw& event) noexcept
{
    return (event.word.load(std::memory_order_relaxed) & wakeup::posted) != 0;
}

/// True when a post would find that the owner is being told already, and will look after this. For a poster that needs no
/// exchange of this word to publish what it has posted for, because it has made one elsewhere that the owner answers with
/// one after its consume; all four seq_cst.
inline bool is_told(const sigev_event_raw& event) noexcept
{
    return wakeup::is_told(event.word.load(std::memory_order_seq_cst));
}

/// Ends the object; *event is gone. Waits for posters that are just writing, but not for long: see retired below.
void close(sigev_event_raw& event) noexcept;

/// Closes at once what close() had to leave open because of a poster that never came back. Only for sigev_shutdown(),
/// which may assume that no thread is inside the library.
void close_retired_event_raws() noexcept;

} // namespace sigev::core

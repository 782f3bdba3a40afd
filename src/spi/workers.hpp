// The contract between methods and the threads that run callbacks (core/runtime fills it).
#pragma once

#include "spi/method.hpp"

#include <cstdint>
#include <pthread.h>

namespace sigev::spi {

/// What a worker calls: exactly one of the two pointers is set. Plain data, since the trampoline that calls is C.
struct lane_call {
    void (*function)(sigval) = nullptr; ///< SIGEV_THREAD, SIGEV_CALLBACK: called with the notification's value
    int (*deliver)(void*, void*, const sigev_notification*) = nullptr; ///< a registered method's hook; answers a verdict
    void* context = nullptr;                                            ///< deliver's first argument
    void* target = nullptr;                                             ///< deliver's second
};

/// On which threads a lane's calls run, and how many at once.
struct lane_threads {
    const pthread_attr_t* attributes = nullptr; ///< deep-copied; null: default. A joinable state is ignored
    std::uint32_t concurrency = 1;
    bool fresh = false; ///< each call on a thread that has run no other
};

/// The queue of one target: its deliveries start in order, at most `concurrency` at once.
struct lane;

/// One for a lane.
struct lane_delivery {
    lane* to;
    delivery* what;
};

class workers {
public:
    /// Makes a lane and makes sure that a thread exists that can serve it. Returns 0, EAGAIN (no thread), EPERM
    /// (scheduling), ENOMEM, EINVAL.
    virtual int open_lane(const lane_call& call, const lane_threads& wanted, delivery_port& port, lane** out) noexcept = 0;

    /// Appends these, which are linked and in order; wakes a worker if the caller is not about to become one. Any thread but
    /// a signal handler.
    virtual void enqueue(lane& l, delivery& first, delivery& last) noexcept = 0;

    /// The same for n lanes, a delivery each. A caller that has more of them coming, and so is not about to become a worker,
    /// says so.
    virtual void enqueue_each(const lane_delivery* list, unsigned n, bool more) noexcept = 0;

    /// Drops what has not begun. Any thread.
    virtual void withdraw(lane& l) noexcept = 0;

    /// A call answered `retry`, so the lane stands still with that delivery in front: it may go on. Any thread.
    virtual void resume(lane& l) noexcept = 0;

    /// The lane is empty and none of its calls runs.
    virtual void close_lane(lane* l) noexcept = 0;

    /// Whether a call for this thread, with default attributes, goes where those of all other such threads go: so that they may
    /// share a lane. False where it is not known yet.
    virtual bool are_calls_alike_here() const noexcept = 0;

protected:
    ~workers() = default;
};

} // namespace sigev::spi

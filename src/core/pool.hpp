// Worker threads of one attribute key, and the lanes that they serve. State of the runtime, guarded by its mutex.
#pragma once

#include "spi/workers.hpp"
#include "sys/scheduling.hpp"
#include "sys/thread_end.hpp"
#include "sys/thread_environment.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <memory>
#include <pthread.h>
#include <sched.h>
#include <vector>

namespace sigev::core {
class runtime;
struct pool;
} // namespace sigev::core

namespace sigev::spi {

/// The queue of one target. Guarded by the runtime's mutex.
struct lane {
    lane_call call;
    delivery_port* port = nullptr;
    core::pool* home = nullptr;
    delivery* head = nullptr;
    delivery* tail = nullptr;
    std::uint32_t active = 0; ///< calls that run
    std::uint32_t limit = 1;
    std::uint32_t brief = 0; ///< calls in a row, up to the last one, that were over soon
    bool queued = false;    ///< stands in its pool's run queue
    bool suspended = false; ///< rests after a `retry`
    bool resume_early = false; ///< resumed before it was put to rest
    bool closed = false;       ///< goes with its last active call
    lane* next = nullptr;   ///< in the run queue

    bool runnable() const noexcept { return head && !queued && !suspended && active < limit; }

    void push_back(delivery& first, delivery& last) noexcept
    {
        last.next = nullptr;
        (tail ? tail->next : head) = &first;
        tail = &last;
    }
    void push_front(delivery& d) noexcept
    {
        d.next = head;
        head = &d;
        if (!tail)
            tail = &d;
    }
    delivery* pop_front() noexcept
    {
        delivery* d = head;
        head = d->next;
        if (!head)
            tail = nullptr;
        return d;
    }
};

} // namespace sigev::spi

namespace sigev::core {

/// What makes a thread of SIGEV_THREAD attributes interchangeable with another: everything that pthread_create() reads, but for
/// the state of being joinable, since all are detached; and how a thread that the subscriber made would be scheduled.
struct thread_key {
    std::size_t stack_size = 0;
    std::size_t guard_size = 0;
    void* stack = nullptr; ///< explicit: such a pool has one worker, since a stack cannot be shared
    int policy = 0;
    int priority = 0;
    int inherit = 0;
    int scope = 0;
    bool has_affinity = false;
    bool has_mask = false; ///< signals that the program lets in while a callback runs
    bool fresh = false;    ///< not of pthread_create(): each thread runs one call, and ends
    cpu_set_t affinity{};
    sigset_t mask{};
    sys::scheduling scheduling;

    friend bool operator==(const thread_key& a, const thread_key& b) noexcept
    {
        return a.stack_size == b.stack_size && a.guard_size == b.guard_size && a.stack == b.stack &&
               a.policy == b.policy && a.priority == b.priority && a.inherit == b.inherit && a.scope == b.scope &&
               a.has_affinity == b.has_affinity && a.has_mask == b.has_mask && a.fresh == b.fresh &&
               a.scheduling == b.scheduling && std::memcmp(&a.affinity, &b.affinity, sizeof a.affinity) == 0 &&
               std::memcmp(&a.mask, &b.mask, sizeof a.mask) == 0;
    }
};

/// Reads a key out of the caller's attributes, on the thread that subscribes. 0 or an errno.
int read_key(const pthread_attr_t& attributes, thread_key& out) noexcept;

/// Whether it is what read_key() makes of attributes that nobody has changed, on this thread: short, as it is asked for every
/// request. `key` was made of such ones.
bool is_plain_here(const thread_key& key) noexcept;

/// Writes it into attributes of our own (initialised by the caller). 0 or an errno.
int write_key(const thread_key& key, pthread_attr_t& attributes) noexcept;

inline constexpr char worker_name[] = "sigev-worker";

struct worker {
    runtime* owner = nullptr;
    pool* home = nullptr;
    std::condition_variable waiting; ///< for a call, or the lead
    worker* before = nullptr;        ///< who has rested for longer
    bool resting = false;            ///< and has not been called
    sys::thread_end end;                  ///< it is detached
    sys::thread_environment environment; ///< put back between callbacks
    bool spent = false;                   ///< it runs no other callback: another thread takes its place
    bool spoiled = false;                 ///< and not one of its making, which would inherit what could not be put back
    spi::lane* lane = nullptr; ///< whose call it runs
    spi::delivery* delivery = nullptr;
    bool over = false;               ///< the call is, and its lane has yet to hear of it: of `again`, `answer`, `brief`
    spi::delivery* again = nullptr;  ///< what has to be called once more
    spi::verdict answer{};
    bool brief = false;
    sigev_notification notification{};
};

struct pool {
    thread_key key;
    bool is_default = false; ///< default attributes: its workers also lead the reactor
    std::uint32_t lanes = 0;
    std::uint32_t reserved = 0; ///< workers that stay, however idle
    std::uint32_t limit = 1;
    std::uint32_t idle = 0; ///< workers that rest, or have been called and not woken yet
    worker* resting = nullptr; ///< who came last is called first: those that are not needed are not called, and leave
    worker* watcher = nullptr; ///< rests, and looks up now and then (workers.cpp)
    std::uint64_t lead_left = 0; ///< how often the lead was left for a call that would soon be over
    std::uint32_t called_in_vain = 0; ///< workers, one soon after the other, that found the lead taken and no call
    std::chrono::steady_clock::time_point last_in_vain;
    bool starved = false; ///< a call waits for a worker that could not be made
    std::uint64_t finished = 0; ///< calls; tells a stalled pool from a busy one
    std::vector<std::unique_ptr<worker>> workers;
    spi::lane* run_head = nullptr;
    spi::lane* run_tail = nullptr;

    void rest(worker& w) noexcept
    {
        ++idle;
        w.resting = true;
        w.before = resting;
        resting = &w;
    }
    void rise(worker& w) noexcept
    {
        --idle;
        for (worker** place = &resting; w.resting; place = &(*place)->before)
            if (*place == &w) {
                *place = w.before;
                w.resting = false;
                return;
            }
    }
    void call_one() noexcept
    {
        if (worker* const w = resting) {
            resting = w->before;
            w->resting = false;
            w->waiting.notify_one();
        }
    }
    void call_all() noexcept
    {
        while (resting)
            call_one();
    }

    void queue(spi::lane& l) noexcept
    {
        l.queued = true;
        l.next = nullptr;
        (run_tail ? run_tail->next : run_head) = &l;
        run_tail = &l;
    }
    spi::lane* unqueue() noexcept
    {
        spi::lane* l = run_head;
        if (l) {
            run_head = l->next;
            if (!run_head)
                run_tail = nullptr;
            l->queued = false;
        }
        return l;
    }
    void unqueue(spi::lane& wanted) noexcept
    {
        spi::lane* list = run_head;
        run_head = run_tail = nullptr;
        while (list) {
            spi::lane& l = *list;
            list = l.next;
            if (&l == &wanted)
                l.queued = false;
            else
                queue(l);
        }
    }
};

} // namespace sigev::core

// Worker threads of one attribute key, and the lanes that they serve. State of the runtime, guarded by its mutex.
#pragma once

#include "spi/workers.hpp"
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
    bool queued = false;    ///< stands in its pool's run queue
    bool suspended = false; ///< rests after a `retry`
    bool resume_early = false; ///< resumed before it was put to rest
    bool closed = false;       ///< goes with its last active call
    lane* next = nullptr;   ///< in the run queue

    bool runnable() const noexcept { return head && !queued && !suspended && active < limit; }

    void push_back(delivery& d) noexcept
    {
        d.next = nullptr;
        (tail ? tail->next : head) = &d;
        tail = &d;
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

/// What makes a thread of SIGEV_THREAD attributes interchangeable with another: everything that pthread_create() reads.
struct thread_key {
    std::size_t stack_size = 0;
    std::size_t guard_size = 0;
    void* stack = nullptr; ///< explicit: such a pool has one worker, since a stack cannot be shared
    int policy = 0;
    int priority = 0;
    int inherit = 0;
    int scope = 0;
    bool has_affinity = false;
    bool fresh = false; ///< not of pthread_create(): each thread runs one call, and ends
    cpu_set_t affinity{};

    friend bool operator==(const thread_key& a, const thread_key& b) noexcept
    {
        return a.stack_size == b.stack_size && a.guard_size == b.guard_size && a.stack == b.stack &&
               a.policy == b.policy && a.priority == b.priority && a.inherit == b.inherit && a.scope == b.scope &&
               a.has_affinity == b.has_affinity && a.fresh == b.fresh && std::memcmp(&a.affinity, &b.affinity, sizeof a.affinity) == 0;
    }
};

/// Reads a key out of the caller's attributes. 0 or an errno.
int read_key(const pthread_attr_t& attributes, thread_key& out) noexcept;

/// Writes it into attributes of our own (initialised by the caller). 0 or an errno.
int write_key(const thread_key& key, pthread_attr_t& attributes) noexcept;

inline constexpr char worker_name[] = "sigev-worker";

struct worker {
    runtime* owner = nullptr;
    pool* home = nullptr;
    pthread_t thread{};
    sys::thread_environment environment; ///< put back between callbacks
    sys::ticks called;                    ///< when the callback began
    bool spent = false;                   ///< it runs no other callback: another thread takes its place
    bool spoiled = false;                 ///< and not one of its making, which would inherit what could not be put back
    spi::lane* lane = nullptr; ///< whose call it runs
    spi::delivery* delivery = nullptr;
    sigev_notification notification{};
};

struct pool {
    thread_key key;
    bool is_default = false; ///< default attributes: its workers also lead the reactor
    std::uint32_t lanes = 0;
    std::uint32_t reserved = 0; ///< workers that stay, however idle
    std::uint32_t limit = 1;
    std::uint32_t idle = 0;
    bool starved = false; ///< a call waits for a worker that could not be made
    std::uint64_t finished = 0; ///< calls; tells a stalled pool from a busy one
    std::vector<std::unique_ptr<worker>> workers;
    spi::lane* run_head = nullptr;
    spi::lane* run_tail = nullptr;
    std::condition_variable waiting;

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

// The contract of the kernel's timers: timer_create(2) by system call, for clocks that no timerfd has, and for signals that only
// the kernel can count. backends/timer/kernel fills it.
//
// Two kinds of timer. *Direct*: the kernel sends the program's own signal, and nothing of it comes by here. *Carried*: the
// kernel tells one thread of ours, the receiver, which hands the expiry to the reactor.
#pragma once

#include "sys/statistics_page.hpp"

#include <cstdint>
#include <memory>
#include <signal.h>
#include <time.h>

namespace sigev::spi {

class kernel_timer_sink {
public:
    /// A carried timer has expired `count` times, the first at `scheduled` of `clock`. On the thread that holds the reactor's
    /// drain word, inside reap(); the slot gets no new owner before it returns. Must not block.
    virtual void expired(std::uint32_t slot, std::uint64_t count, std::int64_t scheduled, clockid_t clock) noexcept = 0;

    /// reap() has something to report. Any thread.
    virtual void wake() noexcept = 0;

    /// For books of the slot's direct timers that somebody else can see, for as long as there is the slot; null: the engine has its
    /// own. In create(); the same answer for the same slot, once it was not null.
    virtual sys::statistics::kernel_books* books(std::uint32_t slot) noexcept = 0;

    /// The kernel has forgotten the timer, and no expired() of that slot will come before it is acquired again. Any thread,
    /// also in a signal handler.
    virtual void retired(std::uint32_t slot) noexcept = 0;

protected:
    ~kernel_timer_sink() = default;
};

class kernel_timer_engine {
public:
    virtual ~kernel_timer_engine() = default;

    /// Reserves a slot; a generation is never 0. Any thread, may allocate. 0, ENOMEM, EAGAIN.
    virtual int acquire(std::uint32_t& slot, std::uint32_t& generation) noexcept = 0;

    /// Instead of create(): the slot is given back.
    virtual void release(std::uint32_t slot) noexcept = 0;

    /// Makes the kernel's timer, disarmed. `direct`: whom it tells; null: the receiver, which is started if need be. 0, or the
    /// kernel's errno (EAGAIN: no slot of the signal queue is left; EINVAL, ENOTSUP, EPERM of the clock), and then the slot is
    /// given back.
    virtual int create(std::uint32_t slot, clockid_t clock, const sigevent* direct) noexcept = 0;

    // EINVAL: no such timer (the generation is stale). Of the kernel's making but for that. Lock-free, async-signal-safe.
    virtual int settime(
        std::uint32_t slot, std::uint32_t generation, int flags, const itimerspec& value, itimerspec* old) noexcept = 0;
    virtual int gettime(std::uint32_t slot, std::uint32_t generation, itimerspec& value) noexcept = 0;
    virtual int overrun(std::uint32_t slot, std::uint32_t generation, int& count) noexcept = 0;

    /// How often a direct timer has expired, by arithmetic. 0 or EINVAL. Not in a signal handler.
    virtual int raised(std::uint32_t slot, std::uint32_t generation, std::uint64_t& count) noexcept = 0;

    /// The generation dies now. Waits for nothing: if another thread is inside a call about the timer, it is disarmed here and
    /// deleted by who leaves last. `raised` is what raised() would have said. Of two callers that race one gets 0. May be
    /// called where the sink's retired() may.
    virtual int destroy(std::uint32_t slot, std::uint32_t generation, std::uint64_t& raised) noexcept = 0;

    /// Reports what has expired. On the thread that holds the drain word.
    virtual void reap() noexcept = 0;

    /// Is the kernel's timer of this id one of these? Looks through all of them; async-signal-safe.
    virtual bool keeps(int id) const noexcept = 0;
};

/// The thread that the kernel tells. It starts with the first carried timer, and never runs code of the program's.
class kernel_timer_receiver {
public:
    virtual ~kernel_timer_receiver() = default;
    /// Ends the thread. Nothing is carried any more.
    virtual void stop() noexcept = 0;
};

std::unique_ptr<kernel_timer_receiver> make_kernel_timer_receiver();

/// `number`: among the receiver's engines, below 1024. The receiver is stopped before the engine goes.
std::unique_ptr<kernel_timer_engine> make_kernel_engine(
    kernel_timer_receiver& receiver, std::uint32_t number, kernel_timer_sink& sink);

} // namespace sigev::spi

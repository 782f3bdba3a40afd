// What a new thread may take for granted and a callback may have changed: signal mask, alternate stack, name, scheduling,
// affinity, locale, floating point. Between two callbacks of one thread it is put back.
//
// The kernel's part of it takes five system calls, some 0.7 us together, and none of it can be seen from outside. But a
// callback that was over sooner than any system call takes has made none, and so has changed nothing there. So the time that
// it took is measured, by a counter that costs some 10 ns, and compared with a quarter of the shortest system call that was
// ever seen here. Where there is no such counter everything is put back every time.
#pragma once

#include "sys/scheduling.hpp"

#include <atomic>
#include <cstdint>
#include <sched.h>
#include <signal.h>
#include <sys/types.h>

namespace sigev::sys {

/// A reading of the processor's counter, and on which processor: the counters of two need not agree.
struct ticks {
    std::uint64_t count = 0;
    std::uint32_t processor = 0;

    /// Async-signal-safe.
    static ticks now() noexcept;

    /// False: all readings are 0, and say nothing.
    static bool are_there() noexcept;
};

/// True when no system call can have been made between two readings. Never wrongly; false when in doubt.
bool no_system_call_between(const ticks& from, const ticks& to) noexcept;

/// True when the time between is not much more than it takes to wake a thread: some 25 us. False when in doubt.
bool is_brief(const ticks& from, const ticks& to) noexcept;

class thread_environment {
public:
    /// Of the calling thread, which has just been made: this is what it is put back to. model: a thread of this process whose
    /// affinity is the one to have (somebody may change it for the whole process), and whose scheduling, if that is alike now; 0
    /// as long as it has not begun; null: this thread's own, as it is now.
    void learn(const char* name, const std::atomic<pid_t>* model, bool is_scheduled_alike) noexcept;

    /// Puts back what lives in the process: errno is the caller's.
    static void restore_user_state() noexcept;

    /// Puts back what lives in the kernel. False: something cannot be (a priority that was given up and may not be taken
    /// again): the thread must not run another callback.
    bool restore_kernel_state() noexcept;

private:
    pid_t models_thread() const noexcept;
    bool restore_scheduling() noexcept;
    bool restore_affinity() noexcept;

    const char* name_ = "";
    const std::atomic<pid_t>* model_ = nullptr;
    sigset_t mask_{};
    scheduling scheduling_{};
    scheduling models_{}; ///< the model's, as it was when this one's was alike; all 0: it was not
    stack_t alternate_{};
    cpu_set_t affinity_{};
    bool knows_scheduling_ = false;
    bool knows_affinity_ = false;
};

} // namespace sigev::sys

// How the kernel schedules a thread: policy, priority and niceness in one value that can be compared.
#pragma once

#include <cstdint>
#include <cstring>
#include <sys/types.h>

namespace sigev::sys {

/// The kernel's struct sched_attr, as far as it has been since Linux 3.14.
struct scheduling {
    std::uint32_t size = 0;
    std::uint32_t policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 0, deadline = 0, period = 0;

    friend bool operator==(const scheduling& a, const scheduling& b) noexcept { return std::memcmp(&a, &b, sizeof a) == 0; }
};

/// Of the calling thread, or of another one of this process. False: a filter forbids asking.
bool read_scheduling(scheduling& out, pid_t thread = 0) noexcept;

/// Policy, priority and niceness are the same.
inline bool are_alike(const scheduling& a, const scheduling& b) noexcept
{
    return a.policy == b.policy && a.priority == b.priority && a.nice == b.nice;
}

/// False: it may not be taken.
bool take_scheduling(const scheduling& wanted) noexcept;

/// That of a thread which pthread_create() makes in the calling one: with its attributes' policy and priority, if they are
/// explicit (`policy` not negative), or with those of the caller, unless the caller keeps them to itself (SCHED_RESET_ON_FORK).
/// All zero where it cannot be asked for.
scheduling scheduling_of_a_new_thread(int policy, int priority) noexcept;

} // namespace sigev::sys

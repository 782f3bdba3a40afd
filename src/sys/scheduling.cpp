#include "sys/scheduling.hpp"

#include <algorithm>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sigev::sys {

namespace {

constexpr std::uint64_t reset_on_fork = 0x01; // SCHED_FLAG_RESET_ON_FORK

bool has_niceness(std::uint32_t policy) noexcept
{
    return policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE;
}

} // namespace

bool read_scheduling(scheduling& out, pid_t thread) noexcept
{
    return ::syscall(SYS_sched_getattr, thread, &out, sizeof out, 0) == 0;
}

bool take_scheduling(const scheduling& wanted) noexcept
{
    return ::syscall(SYS_sched_setattr, 0, &wanted, 0) == 0;
}

scheduling scheduling_of_a_new_thread(int policy, int priority) noexcept
{
    scheduling s;
    if (!read_scheduling(s))
        return {};
    if (s.flags & reset_on_fork) { // as the kernel's sched_fork() does it
        s.nice = has_niceness(s.policy) ? std::max(s.nice, 0) : 0;
        s.policy = has_niceness(s.policy) ? s.policy : SCHED_OTHER;
        s.priority = 0;
        s.flags &= ~reset_on_fork;
    }
    if (policy >= 0) {
        s.policy = static_cast<std::uint32_t>(policy);
        s.priority = static_cast<std::uint32_t>(priority);
        s.nice = has_niceness(s.policy) ? s.nice : 0;
    }
    if (s.policy != SCHED_DEADLINE) // Linux 6.12 and later say here how long a slice is: that of the moment
        s.runtime = s.deadline = s.period = 0;
    return s;
}

} // namespace sigev::sys

#include "sys/thread_end.hpp"

#include "sys/clock.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/syscall.h>
#include <unistd.h>

namespace sigev::sys {

namespace {

// By then a thread that has left user space is gone: who can be signalled has been given its number.
constexpr std::uint64_t longest_exit = 1'000'000'000;

} // namespace

thread_end::thread_end() noexcept
{
    pthread_mutexattr_t robust;
    ::pthread_mutexattr_init(&robust);
    ::pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
    ::pthread_mutex_init(&alive_, &robust);
    ::pthread_mutexattr_destroy(&robust);
}

void thread_end::begin() noexcept
{
    tid_ = static_cast<pid_t>(::syscall(SYS_gettid));
    ::pthread_mutex_lock(&alive_);
}

bool thread_end::has_come() noexcept
{
    if (left_ == 0) {
        if (::pthread_mutex_trylock(&alive_) == EBUSY)
            return false;
        ::pthread_mutex_unlock(&alive_);
        ::pthread_mutex_destroy(&alive_);
        left_ = std::max<std::uint64_t>(now(CLOCK_MONOTONIC), 1);
    }
    return ::syscall(SYS_tgkill, ::getpid(), tid_, 0) != 0 || now(CLOCK_MONOTONIC) - left_ > longest_exit;
}

} // namespace sigev::sys

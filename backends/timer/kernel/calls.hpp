// timer_create(2) and its family as the kernel has them. libc's wrap SIGEV_THREAD and thread a number of their own through;
// these know nothing but the kernel's id, and keep errno.
#pragma once

#include "sys/clock.hpp"
#include "sys/errno_guard.hpp"

#include <cerrno>
#include <cstdint>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace sigev::spi::kernel {

/// 0 or an errno.
inline int create_timer(clockid_t clock, const sigevent& event, int& id) noexcept
{
    const sys::errno_guard guard;
    sigevent e = event; // the kernel's is the same up to what it reads
    return ::syscall(SYS_timer_create, clock, &e, &id) == 0 ? 0 : errno;
}

inline int set_timer(int id, int flags, const itimerspec& value, itimerspec* old) noexcept
{
    const sys::errno_guard guard;
    return ::syscall(SYS_timer_settime, id, flags, &value, old) == 0 ? 0 : errno;
}

inline int get_timer(int id, itimerspec& value) noexcept
{
    const sys::errno_guard guard;
    return ::syscall(SYS_timer_gettime, id, &value) == 0 ? 0 : errno;
}

inline int overrun_of_timer(int id, int& count) noexcept
{
    const sys::errno_guard guard;
    const long answer = ::syscall(SYS_timer_getoverrun, id);
    if (answer < 0)
        return errno;
    count = static_cast<int>(answer);
    return 0;
}

inline void delete_timer(int id) noexcept
{
    const sys::errno_guard guard;
    ::syscall(SYS_timer_delete, id);
}

inline constexpr std::uint64_t longest = (std::uint64_t{1} << 62) - 1; ///< 146 years; what is longer is clamped

/// False: the clock has gone with its thread or process.
inline bool read_clock(clockid_t clock, std::int64_t& now) noexcept
{
    const sys::errno_guard guard;
    timespec t{};
    if (::clock_gettime(clock, &t) != 0)
        return false;
    now = static_cast<std::int64_t>(sys::to_nanoseconds(t, longest));
    return true;
}

} // namespace sigev::spi::kernel

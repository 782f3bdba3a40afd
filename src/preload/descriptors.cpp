#include "preload/descriptors.hpp"

#include "preload/host.hpp"
#include "preload/names.hpp"
#include "preload/replaced.hpp"
#include "sys/fork_epoch.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace sigev;

extern "C" long __real_syscall(long number, ...);
extern "C" int __real_fcntl(int descriptor, int command, ...);

namespace sigev::preload {

namespace {

constexpr unsigned most = 1u << 20; // as many as a process may have by default; the table has memory where it was touched

// By number: the epoch of the process whose library has opened it; 0: nobody's. So a child's is empty without a step of its own.
std::array<std::atomic<std::uint32_t>, most> table;
std::atomic<pid_t> owner{0}; // who has written to it last
std::atomic<int> highest{-1};

void make_ours(unsigned n) noexcept
{
    const std::uint32_t epoch = sys::ensure_epoch();
    if (table[n].exchange(epoch, std::memory_order_acq_rel) != epoch)
        owner.store(::getpid(), std::memory_order_release);
    int top = highest.load(std::memory_order_relaxed);
    while (top < static_cast<int>(n) && !highest.compare_exchange_weak(top, static_cast<int>(n), std::memory_order_acq_rel))
        ;
}

/// Where ours are to stand: the upper quarter of what the program may have, as far as select() reaches.
int lowest_wanted() noexcept
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 1024) / 4 * 3);
}

/// A descriptor that was opened inside: notes it, at a high number if there is one.
int adopt(int fd) noexcept
{
    if (fd < 0)
        return fd;
    const int error = errno;
    const int wanted = lowest_wanted();
    if (fd < wanted) {
        const int high = ::__real_fcntl(fd, F_DUPFD_CLOEXEC, wanted);
        if (high >= 0) {
            ::__real_syscall(SYS_close, fd);
            fd = high;
        }
        errno = error;
    }
    if (static_cast<unsigned>(fd) < most)
        make_ours(static_cast<unsigned>(fd));
    return fd;
}

/// Before it is closed: once it is, the number may be the program's.
void disown(int fd) noexcept
{
    if (is_ours(fd))
        table[static_cast<unsigned>(fd)].store(0, std::memory_order_release);
}

/// Is it to be kept from the program? A child of vfork() has our memory, and descriptors of its own.
bool is_guarded(int fd) noexcept
{
    return is_ours(fd) && ::getpid() == owner.load(std::memory_order_acquire);
}

/// Calls f(first, last) for the runs of numbers in [first, last] that are not guarded, until it fails.
template <class F>
int between_guarded(unsigned first, unsigned last, F&& f)
{
    const int top = highest.load(std::memory_order_acquire);
    unsigned begin = first;
    for (unsigned n = first; top >= 0 && n <= std::min(last, static_cast<unsigned>(top)); ++n) {
        if (!is_guarded(static_cast<int>(n)))
            continue;
        if (n > begin && f(begin, n - 1) != 0)
            return -1;
        begin = n + 1;
    }
    return begin <= last && begin >= first ? f(begin, last) : 0;
}

int refuse(int error) noexcept
{
    errno = error;
    return -1;
}

} // namespace

bool is_ours(int descriptor) noexcept
{
    const auto n = static_cast<unsigned>(descriptor);
    const std::uint32_t epoch = n < most ? table[n].load(std::memory_order_acquire) : 0;
    return epoch != 0 && epoch == sys::current_epoch();
}

} // namespace sigev::preload

using preload::adopt;
using preload::disown;

// ---- what the library calls, in the place of libc's -------------------------------------------------------------------------

// Their names are the linker's, and nobody else names them.
#pragma GCC diagnostic ignored "-Wmissing-declarations"

extern "C" {

int __real_eventfd(unsigned value, int flags);
int __real_timerfd_create(int clock, int flags);
int __real_epoll_create(int size);
int __real_epoll_create1(int flags);
int __real_pipe(int ends[2]);
int __real_pipe2(int ends[2], int flags);
int __real_open(const char* path, int flags, ...);

int __wrap_eventfd(unsigned value, int flags)
{
    return adopt(::__real_eventfd(value, flags));
}

int __wrap_timerfd_create(int clock, int flags)
{
    return adopt(::__real_timerfd_create(clock, flags));
}

int __wrap_epoll_create(int size)
{
    return adopt(::__real_epoll_create(size));
}

int __wrap_epoll_create1(int flags)
{
    return adopt(::__real_epoll_create1(flags));
}

int __wrap_pipe(int ends[2])
{
    const int answer = ::__real_pipe(ends);
    for (int i = 0; answer == 0 && i != 2; ++i)
        ends[i] = adopt(ends[i]);
    return answer;
}

int __wrap_pipe2(int ends[2], int flags)
{
    const int answer = ::__real_pipe2(ends, flags);
    for (int i = 0; answer == 0 && i != 2; ++i)
        ends[i] = adopt(ends[i]);
    return answer;
}

// The library creates no files.
int __wrap_open(const char* path, int flags, ...)
{
    return adopt(::__real_open(path, flags));
}

int __wrap_fcntl(int fd, int command, ...)
{
    std::va_list rest;
    va_start(rest, command);
    const long argument = va_arg(rest, long);
    va_end(rest);
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        return adopt(::__real_fcntl(fd, command, argument));
    return ::__real_fcntl(fd, command, argument);
}

// No cancellation point: the library never wants one here.
int __wrap_close(int fd)
{
    disown(fd);
    return static_cast<int>(::__real_syscall(SYS_close, fd));
}

long __wrap_syscall(long number, ...)
{
    std::va_list rest;
    va_start(rest, number);
    std::array<long, 6> a;
    for (long& argument : a)
        argument = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_close)
        disown(static_cast<int>(a[0]));
    const long answer = ::__real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (number == SYS_pidfd_open || (number == SYS_signalfd4 && a[0] == -1))
        return adopt(static_cast<int>(answer));
    return answer;
}

} // extern "C"

// ---- what the program calls -----------------------------------------------------------------------------------------------------

SIGEV_EXPORT_OLD(sigev_posix_close, close);
int sigev_posix_close(int fd)
{
    return preload::is_guarded(fd) ? preload::refuse(EBADF) : preload::this_host().libc.close(fd);
}

SIGEV_EXPORT_NEW(sigev_posix_close_range, close_range);
int sigev_posix_close_range(unsigned first, unsigned last, int flags) noexcept
{
    const auto all = preload::this_host().libc.close_range;
    if (!all)
        return preload::refuse(ENOSYS);
    // Ours are close-on-exec as they are; and in a table that the caller is to have alone there are none of ours.
    if (first > last || (flags & (CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE)))
        return all(first, last, flags);
    return preload::between_guarded(first, last, [&](unsigned from, unsigned to) { return all(from, to, flags); });
}

SIGEV_EXPORT_NEW(sigev_posix_closefrom, closefrom);
void sigev_posix_closefrom(int first) noexcept
{
    const preload::libc_functions& libc = preload::this_host().libc;
    const auto from = static_cast<unsigned>(std::max(first, 0));
    const bool done = libc.close_range && preload::between_guarded(from, ~0u, [&](unsigned begin, unsigned end) {
                          return libc.close_range(begin, end, 0);
                      }) == 0;
    if (done)
        return;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    for (unsigned n = from; n < std::min<rlim_t>(limit.rlim_cur, preload::most); ++n)
        if (!preload::is_guarded(static_cast<int>(n)))
            ::__real_syscall(SYS_close, n);
}

SIGEV_EXPORT_OLD(sigev_posix_dup2, dup2);
int sigev_posix_dup2(int fd, int wanted) noexcept
{
    return preload::is_guarded(wanted) ? preload::refuse(EBUSY) : preload::this_host().libc.dup2(fd, wanted);
}

SIGEV_EXPORT_DUP3(sigev_posix_dup3, dup3);
int sigev_posix_dup3(int fd, int wanted, int flags) noexcept
{
    return preload::is_guarded(wanted) ? preload::refuse(EBUSY) : preload::this_host().libc.dup3(fd, wanted, flags);
}

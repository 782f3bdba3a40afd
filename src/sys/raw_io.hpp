// write(), read(), close() and ppoll() as the kernel has them. libc's are cancellation points: where the library's frames are
// noexcept, a thread of the program with a cancellation pending would not be unwound there but end the process. These are
// none, are async-signal-safe, and cost what the system call costs.
#pragma once

#include "sys/errno_guard.hpp"

#include <cerrno>
#include <cstddef>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

namespace sigev::sys {

inline ssize_t raw_write(int fd, const void* data, std::size_t size) noexcept
{
    return ::syscall(SYS_write, fd, data, size);
}

inline ssize_t raw_read(int fd, void* data, std::size_t size) noexcept
{
    return ::syscall(SYS_read, fd, data, size);
}

// close() on Linux frees the number whatever it answers: repeating it after EINTR would hit somebody else's.
inline void raw_close(int fd) noexcept
{
#if defined(__SANITIZE_THREAD__)
    // ThreadSanitizer follows descriptors by number: it has to hear that the next one of this number is another.
    int state;
    ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    ::close(fd);
    ::pthread_setcancelstate(state, nullptr);
#else
    ::syscall(SYS_close, fd);
#endif
}

/// preadv2(): the bytes, or -errno; errno itself is left alone.
///
/// The instruction, where we know it, since a kernel that guards against speculation leaves nothing in the processor's memory of
/// who called whom: every return between the system call and the program is guessed wrong, and costs some 5 ns.
[[gnu::always_inline]] inline ssize_t raw_preadv2(
    int fd, const iovec* pieces, std::size_t count, off_t offset, int flags) noexcept
{
#if defined(__x86_64__) && !defined(__ILP32__)
    register long fourth asm("r10") = offset;
    register long fifth asm("r8") = 0;
    register long sixth asm("r9") = flags;
    long result = SYS_preadv2;
    asm volatile("syscall"
                 : "+a"(result)
                 : "D"(static_cast<long>(fd)), "S"(pieces), "d"(count), "r"(fourth), "r"(fifth), "r"(sixth)
                 : "rcx", "r11", "memory");
    return result;
#else
    const errno_guard guard;
    const long n = ::syscall(SYS_preadv2, fd, pieces, count, offset, 0L, flags);
    return n >= 0 ? n : -errno;
#endif
}

/// For a number that may be anybody's by now: ThreadSanitizer follows descriptors by number, and takes a question that goes through
/// libc for a race with who opens the next file of that number.
inline int raw_epoll_ctl(int set, int operation, int fd, epoll_event* event) noexcept
{
    return static_cast<int>(::syscall(SYS_epoll_ctl, set, operation, fd, event));
}

/// *timeout is changed by the kernel; null: for ever.
inline int raw_ppoll(pollfd* watched, unsigned n, timespec* timeout) noexcept
{
    return static_cast<int>(::syscall(SYS_ppoll, watched, n, timeout, nullptr, std::size_t{8}));
}

} // namespace sigev::sys

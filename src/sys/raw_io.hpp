// write(), read(), close() and ppoll() as the kernel has them. libc's are cancellation points: where the library's frames are
// noexcept, a thread of the program with a cancellation pending would not be unwound there but end the process. These are
// none, are async-signal-safe, and cost what the system call costs.
#pragma once

#include <cstddef>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/types.h>
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

/// *timeout is changed by the kernel; null: for ever.
inline int raw_ppoll(pollfd* watched, unsigned n, timespec* timeout) noexcept
{
    return static_cast<int>(::syscall(SYS_ppoll, watched, n, timeout, nullptr, std::size_t{8}));
}

} // namespace sigev::sys

// A wakeup that is a pipe: for where there is no eventfd. One byte for each post that writes.
#include "spi/wakeup.hpp"
#include "sys/raw_io.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace sigev::spi {

namespace {

int open_pipe(wakeup_pair& out) noexcept
{
    int ends[2];
    if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0)
        return errno;
    out = {ends[0], ends[1]};
    return 0;
}

void signal_pipe(const wakeup_pair& pair) noexcept
{
    const char byte = 0;
    while (sys::raw_write(pair.write, &byte, sizeof byte) < 0 && errno == EINTR)
        ;
    // EAGAIN: the pipe is full, so it is readable. EBADF: as for the eventfd. EPIPE, and the signal that goes with it, is
    // not possible: whoever has the writing end of a pair has its reading end as well, a forked child too.
}

bool drain_pipe(const wakeup_pair& pair) noexcept
{
    char bytes[1024];
    bool any = false;
    for (;;) {
        const ssize_t n = sys::raw_read(pair.read, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        any = any || n > 0;
        // A short read has emptied it; what was written since keeps it readable. EAGAIN: it was empty.
        if (n < static_cast<ssize_t>(sizeof bytes))
            return any;
    }
}

void close_pipe(wakeup_pair& pair) noexcept
{
    // The writing end first: a pipe that still has a writer but no reader answers a write with SIGPIPE.
    sys::raw_close(pair.write);
    sys::raw_close(pair.read);
    pair = {};
}

} // namespace

const wakeup_kind pipe_wakeup = {
    .name = "pipe",
    .fills_up = true,
    .open = open_pipe,
    .signal = signal_pipe,
    .drain = drain_pipe,
    .close = close_pipe,
};

} // namespace sigev::spi

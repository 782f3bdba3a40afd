// A wakeup that is an eventfd: one descriptor, a counter in the kernel.
#include "spi/wakeup.hpp"
#include "sys/raw_io.hpp"

#include <cerrno>
#include <cstdint>
#include <sys/eventfd.h>
#include <unistd.h>

namespace sigev::spi {

namespace {

int open_eventfd(wakeup_pair& out) noexcept
{
    const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return errno;
    out = {fd, fd};
    return 0;
}

bool drain_eventfd(const wakeup_pair& pair) noexcept
{
    std::uint64_t count = 0;
    ssize_t n;
    do
        n = sys::raw_read(pair.read, &count, sizeof count);
    while (n < 0 && errno == EINTR);
    return n == sizeof count; // EAGAIN: it was empty
}

// False: the counter has no room for so much.
bool add(const wakeup_pair& pair, std::uint64_t n) noexcept
{
    ssize_t written;
    do
        written = sys::raw_write(pair.write, &n, sizeof n);
    while (written < 0 && errno == EINTR);
    // EBADF, EINVAL: the program closed our number behind our back, or put something else there; nobody waits here any more and
    // a post has nobody to tell.
    return written >= 0 || errno != EAGAIN;
}

// A counter that is full is readable, and whoever looks at levels sees it. Who waits for edges and never reads needs an edge
// too: adding nothing makes one, and there is always room for it. (Making room is not a poster's to do: left between the
// read and the second write, it would have eaten what another one has written and counts as told.)
void signal_eventfd(const wakeup_pair& pair) noexcept
{
    if (!add(pair, 1))
        add(pair, 0);
}

void close_eventfd(wakeup_pair& pair) noexcept
{
    sys::raw_close(pair.read);
    pair = {};
}

} // namespace

const wakeup_kind eventfd_wakeup = {
    .name = "eventfd",
    .fills_up = false,
    .open = open_eventfd,
    .signal = signal_eventfd,
    .drain = drain_eventfd,
    .close = close_eventfd,
};

} // namespace sigev::spi

#include "backends/aio/threads/transfer.hpp"

#include <cerrno>
#include <climits>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace sigev::aio_threads {

namespace {

using spi::aio_operation;
using spi::aio_work;

/// What is left of a transfer.
struct rest {
    explicit rest(const aio_work& work) noexcept
        : at(static_cast<char*>(work.buffer) + work.result), length(work.length - static_cast<std::size_t>(work.result)),
          offset(work.positioned ? work.offset + work.result : -1)
    {
    }
    char* at;
    std::size_t length;
    off_t offset; ///< -1: the descriptor has none
};

ssize_t plain(const aio_work& work, const rest& r) noexcept
{
    if (work.operation == aio_operation::read)
        return work.positioned ? ::pread(work.descriptor, r.at, r.length, r.offset)
                               : ::read(work.descriptor, r.at, r.length);
    return work.positioned ? ::pwrite(work.descriptor, r.at, r.length, r.offset)
                           : ::write(work.descriptor, r.at, r.length);
}

/// EAGAIN: it would wait. EOPNOTSUPP: there is no way to ask.
ssize_t unwaiting(const aio_work& work, const rest& r) noexcept
{
    const bool reads = work.operation == aio_operation::read;
    const iovec vector{r.at, r.length};
    ssize_t n = reads ? ::preadv2(work.descriptor, &vector, 1, r.offset, RWF_NOWAIT)
                      : ::pwritev2(work.descriptor, &vector, 1, r.offset, RWF_NOWAIT);
    if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
        return n;
    // Sockets learned RWF_NOWAIT with Linux 6.5; they have had this for ever.
    n = reads ? ::recv(work.descriptor, r.at, r.length, MSG_DONTWAIT)
              : ::send(work.descriptor, r.at, r.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == ENOTSOCK)
        errno = EOPNOTSUPP;
    return n;
}

enum class step { over, more, not_now };

/// After an attempt. An error after some bytes is a short transfer, as for read() and write().
step account(aio_work& work, ssize_t n, int error) noexcept
{
    if (n < 0) {
        if (error == EAGAIN)
            return step::not_now;
        if (work.result == 0)
            work.error = error;
        return step::over;
    }
    work.result += n;
    const bool whole = static_cast<std::size_t>(work.result) == work.length;
    // A read is over with the first data, a write when nothing is left.
    return work.operation == aio_operation::read || whole || n == 0 ? step::over : step::more;
}

/// Streams whose readiness promises room for a little only; what has messages (tun) must get each of them whole.
bool takes_pieces(int descriptor) noexcept
{
    struct stat about;
    return (::fstat(descriptor, &about) == 0 && S_ISFIFO(about.st_mode)) || ::isatty(descriptor) == 1;
}

void synchronise(aio_work& work) noexcept
{
    int result;
    do
        result = work.operation == aio_operation::fsync ? ::fsync(work.descriptor) : ::fdatasync(work.descriptor);
    while (result != 0 && errno == EINTR);
    work.error = result == 0 ? 0 : errno;
}

} // namespace

void perform(aio_work& work) noexcept
{
    if (work.operation == aio_operation::fsync || work.operation == aio_operation::fdatasync)
        return synchronise(work);
    // At least once, also for no bytes: a descriptor that is not open for this is an error then too.
    for (;;) {
        const ssize_t n = plain(work, rest(work));
        if (n < 0) {
            if (errno == EINTR)
                continue;
            if (work.result == 0)
                work.error = errno;
            return;
        }
        work.result += n;
        if (n == 0 || static_cast<std::size_t>(work.result) == work.length)
            return;
    }
}

progress transfer_without_waiting(aio_work& work) noexcept
{
    for (;;) {
        const ssize_t n = unwaiting(work, rest(work));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EOPNOTSUPP)
            return progress::must_block;
        const step s = account(work, n, errno);
        if (s != step::more)
            return s == step::over ? progress::finished : progress::would_wait;
    }
}

progress transfer_blocking(aio_work& work) noexcept
{
    rest r(work);
    if (work.operation == aio_operation::write && r.length > PIPE_BUF && takes_pieces(work.descriptor))
        r.length = PIPE_BUF;
    ssize_t n;
    do
        n = plain(work, r);
    while (n < 0 && errno == EINTR);
    return account(work, n, errno) == step::over ? progress::finished : progress::would_wait;
}

void break_off(aio_work& work) noexcept
{
    if (work.result == 0)
        work.error = ECANCELED;
}

} // namespace sigev::aio_threads

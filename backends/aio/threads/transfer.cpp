#include "backends/aio/threads/transfer.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

namespace sigev::aio_threads {

namespace {

using spi::aio_operation;
using spi::aio_work;

/// What is left of a transfer, as a call takes it.
class rest {
public:
    explicit rest(const aio_work& work) noexcept : offset(work.positioned ? work.offset + work.result : -1)
    {
        const auto done = static_cast<std::size_t>(work.result);
        if (work.pieces == 0)
            one_ = {static_cast<char*>(work.buffer) + done, work.length - done};
        else
            skip(work, done);
    }
    rest(const rest&) = delete;
    rest& operator=(const rest&) = delete;

    const iovec* vector() const noexcept { return pieces_ ? pieces_ : &one_; }
    int count() const noexcept { return pieces_ ? count_ : 1; }
    bool is_one() const noexcept { return !pieces_; }
    void* at() const noexcept { return one_.iov_base; }
    std::size_t length() const noexcept { return one_.iov_len; }

    /// No more than `most` bytes, in one piece.
    void shorten(std::size_t most) noexcept
    {
        if (pieces_)
            one_ = *std::exchange(pieces_, nullptr);
        one_.iov_len = std::min(one_.iov_len, most);
    }

    const off_t offset; ///< -1: the descriptor has none

private:
    // The first piece that is not done is copied and handed over alone where it has been begun; the next call takes the others.
    void skip(const aio_work& work, std::size_t done) noexcept
    {
        pieces_ = static_cast<iovec*>(work.buffer);
        count_ = static_cast<int>(work.pieces);
        while (count_ > 1 && done >= pieces_->iov_len) {
            done -= pieces_->iov_len;
            ++pieces_;
            --count_;
        }
        if (done != 0) {
            one_ = {static_cast<char*>(pieces_->iov_base) + done, pieces_->iov_len - done};
            pieces_ = nullptr;
        }
    }

    iovec one_{};
    iovec* pieces_ = nullptr;
    int count_ = 0;
};

ssize_t plain(const aio_work& work, const rest& r) noexcept
{
    const int descriptor = work.channel->descriptor;
    const bool reads = work.operation == aio_operation::read;
    if (!r.is_one()) {
        if (reads)
            return work.positioned ? ::preadv(descriptor, r.vector(), r.count(), r.offset)
                                   : ::readv(descriptor, r.vector(), r.count());
        return work.positioned ? ::pwritev(descriptor, r.vector(), r.count(), r.offset)
                               : ::writev(descriptor, r.vector(), r.count());
    }
    if (reads)
        return work.positioned ? ::pread(descriptor, r.at(), r.length(), r.offset) : ::read(descriptor, r.at(), r.length());
    return work.positioned ? ::pwrite(descriptor, r.at(), r.length(), r.offset) : ::write(descriptor, r.at(), r.length());
}

/// EAGAIN: it would wait. EOPNOTSUPP: there is no way to ask.
ssize_t unwaiting(const aio_work& work, const rest& r) noexcept
{
    const int descriptor = work.channel->descriptor;
    const bool reads = work.operation == aio_operation::read;
    ssize_t n;
    if (reads || work.length != 0) { // pwritev2() of no bytes does not ask the file: an empty datagram would not be sent
        n = reads ? ::preadv2(descriptor, r.vector(), r.count(), r.offset, RWF_NOWAIT)
                  : ::pwritev2(descriptor, r.vector(), r.count(), r.offset, RWF_NOWAIT);
        if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
            return n;
    }
    // Sockets learned RWF_NOWAIT with Linux 6.5; they have had this for ever.
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(r.vector());
    message.msg_iovlen = static_cast<std::size_t>(r.count());
    n = reads ? ::recvmsg(descriptor, &message, MSG_DONTWAIT)
              : ::sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
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
        result = work.operation == aio_operation::fsync ? ::fsync(work.channel->descriptor) : ::fdatasync(work.channel->descriptor);
    while (result != 0 && errno == EINTR);
    work.error = result == 0 ? 0 : errno;
}

} // namespace

bool perform_without_waiting(aio_work& work) noexcept
{
    if (work.operation != aio_operation::read || work.channel->direct || work.length == 0)
        return false; // (of no bytes preadv2() finds no error, not even in a directory)
    for (;;) {
        const rest r(work);
        const ssize_t n = ::preadv2(work.channel->descriptor, r.vector(), r.count(), r.offset, RWF_NOWAIT);
        if (n < 0)
            return false; // not there, not possible, or an error that perform() will find as well
        work.result += n;
        if (n == 0 || static_cast<std::size_t>(work.result) == work.length)
            return true;
    }
}

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
    if (work.operation == aio_operation::write && work.length - static_cast<std::size_t>(work.result) > PIPE_BUF &&
        takes_pieces(work.channel->descriptor))
        r.shorten(PIPE_BUF);
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

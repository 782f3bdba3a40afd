// What has to be known of the descriptor is asked for on the way, since a system call costs a third of a read from memory:
//
//   O_DIRECT   asked only where length, offset and memory are aligned to 512, as such a transfer is. (On a device that takes memory
//              aligned to less, a direct read may be made inside the call, and wait there.)
//   memory     seals are a thing of tmpfs's files alone, and of hugetlbfs's, which are memory as well.
//
// A number may be another file by now, so what it was the last times only says what to try first. A number that has been asked 64
// times in a row and was not O_DIRECT, or has had seals, is asked every 32nd time only. So after close() and open() up to 31
// reads of a thread may be made inside the call: late to return, and right.
//
// That must not be of a file that may never have anything. Where seals are not asked for the read has a flag that says nothing to a
// read (RWF_DSYNC). What was not opened by a path has no positional reads at all: pipes, sockets, eventfds answer ESPIPE, as
// terminals do; drivers that know nothing of flags (/dev/kmsg, hidraw, rtc) EOPNOTSUPP. A device that has both, and blocks, is left:
// tun and its kin, /dev/fuse. A program that reads one asynchronously, under a number that was a file of tmpfs's, may wait there.
#include "sources/aio_now.hpp"

#include "sources/aio_options.hpp"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace sigev::sources {

namespace {

// Raw calls: libc's are cancellation points, and take some instructions more for that.
ssize_t read_without_waiting(int descriptor, const iovec* vector, std::size_t pieces, off_t offset) noexcept
{
    return ::syscall(SYS_preadv2, descriptor, vector, pieces, offset, 0L, RWF_NOWAIT);
}

ssize_t read_memory(int descriptor, const now_read& r) noexcept
{
    const off_t offset = r.offset + r.result;
    if (r.pieces)
        return ::syscall(SYS_preadv2, descriptor, r.buffer, std::size_t{r.pieces}, offset, 0L, 0);
    return ::syscall(SYS_pread64, descriptor, static_cast<char*>(r.buffer) + r.result,
                     r.length - static_cast<std::size_t>(r.result), offset);
}

// Only of what has a file system's way of reading.
ssize_t read_if_file(int descriptor, const now_read& r) noexcept
{
    const auto done = static_cast<std::size_t>(r.result);
    const iovec one{static_cast<char*>(r.buffer) + done, r.length - done};
    const iovec* const vector = r.pieces ? static_cast<const iovec*>(r.buffer) : &one;
    return ::syscall(SYS_preadv2, descriptor, vector, std::size_t{r.pieces ? r.pieces : 1}, r.offset + r.result, 0L, RWF_DSYNC);
}

bool is_aligned(const now_read& r) noexcept
{
    const void* const memory = r.pieces ? static_cast<const iovec*>(r.buffer)->iov_base : r.buffer;
    return ((r.length | static_cast<std::size_t>(r.offset) | reinterpret_cast<std::uintptr_t>(memory)) & 511) == 0;
}

bool is_direct(int descriptor) noexcept
{
    return (::syscall(SYS_fcntl, descriptor, F_GETFL) & O_DIRECT) != 0;
}

bool is_file_in_memory(int descriptor) noexcept
{
    if (::syscall(SYS_fcntl, descriptor, F_GET_SEALS) >= 0)
        return true;
    struct statfs system; // ramfs; tmpfs of a kernel without memfd_create()
    struct stat about;
    return ::fstatfs(descriptor, &system) == 0 && (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC) &&
           ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
}

/// What the number of a descriptor was the last times.
class guess {
public:
    explicit guess(int number) noexcept
        : place_(places[static_cast<unsigned>(number) % count]), number_(std::uint64_t{static_cast<unsigned>(number)} << 8)
    {
        const std::uint64_t found = place_.load(std::memory_order_relaxed);
        if ((found & ~std::uint64_t{0xff}) == number_)
            seen_ = found & 0xff;
    }

    bool is_memory() const noexcept { return seen_ == memory; }
    bool is_surely_memory() const noexcept { return seen_ == memory && ++turn % asked_every != 0; }
    bool is_plain() const noexcept { return seen_ == sure && ++turn % asked_every != 0; }

    void was_memory() noexcept { remember(memory); }
    void was_plain() noexcept { remember(is_memory() ? 1 : seen_ < sure ? seen_ + 1 : sure); }
    void was_neither() noexcept { remember(0); }

private:
    static constexpr std::uint64_t sure = 64;
    static constexpr std::uint64_t memory = 255;
    static constexpr unsigned asked_every = 32;
    static constexpr unsigned count = 256;

    void remember(std::uint64_t what) noexcept
    {
        if (what != seen_)
            place_.store(number_ | what, std::memory_order_relaxed);
        seen_ = what;
    }

    static inline constinit std::atomic<std::uint64_t> places[count]{};
    static inline thread_local unsigned turn __attribute__((tls_model("initial-exec"))) = 0;

    std::atomic<std::uint64_t>& place_;
    const std::uint64_t number_;
    std::uint64_t seen_ = 0;
};

/// Reads as long as bytes come: true: it is over. False: errno says why.
template <class Read>
bool go_on(now_read& r, Read&& read) noexcept
{
    for (;;) {
        const ssize_t n = read();
        if (n < 0)
            return false;
        r.result += n;
        if (n == 0 || static_cast<std::size_t>(r.result) >= r.length)
            return true;
        if (r.pieces) { // short: the end of the file, or what is not in memory; the engine finds out
            errno = EAGAIN;
            return false;
        }
    }
}

bool may_be_direct(const now_read& r, int descriptor, guess& number) noexcept
{
    if (!is_aligned(r) || number.is_plain())
        return false;
    if (is_direct(descriptor))
        return true;
    number.was_plain();
    return false;
}

bool read_cached(now_read& r, int descriptor, guess& number) noexcept
{
    if (may_be_direct(r, descriptor, number)) {
        number.was_neither();
        errno = EAGAIN;
        return false;
    }
    return go_on(r, [&] {
        const auto done = static_cast<std::size_t>(r.result);
        const iovec one{static_cast<char*>(r.buffer) + done, r.length - done};
        const iovec* const vector = r.pieces ? static_cast<const iovec*>(r.buffer) : &one;
        return read_without_waiting(descriptor, vector, r.pieces ? r.pieces : 1, r.offset + r.result);
    });
}

} // namespace

bool read_now(now_read& read, int descriptor) noexcept
{
    const std::size_t most = limit_of_reads_inside_the_call();
    if (read.length == 0 || read.length > most || read.offset < 0)
        return false; // of no bytes preadv2() finds no error
    guess number(descriptor);
    if (number.is_surely_memory() && go_on(read, [&] { return read_if_file(descriptor, read); }))
        return true;
    const bool guessed = number.is_memory();
    if (!guessed) {
        if (read_cached(read, descriptor, number))
            return true;
        if (errno != EOPNOTSUPP)
            return false;
    }
    if (is_file_in_memory(descriptor)) {
        number.was_memory();
        return go_on(read, [&] { return read_memory(descriptor, read); });
    }
    number.was_neither();
    return guessed && read_cached(read, descriptor, number);
}

} // namespace sigev::sources

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

#include "sys/errno_guard.hpp"

#include <cerrno>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace sigev::sources {

namespace {

ssize_t read_more(const now_read& r, int descriptor, int flags) noexcept
{
    const auto done = static_cast<std::size_t>(r.result);
    const iovec one{static_cast<char*>(r.buffer) + done, r.length - done};
    const iovec* const vector = r.pieces ? static_cast<const iovec*>(r.buffer) : &one;
    return sys::raw_preadv2(descriptor, vector, r.pieces ? r.pieces : 1, r.offset + r.result, flags);
}

/// As long as bytes come; the first try has answered n. 0: it is over; or -errno.
ssize_t go_on(now_read& r, int descriptor, int flags, ssize_t n) noexcept
{
    for (;; n = read_more(r, descriptor, flags)) {
        if (n < 0)
            return n;
        r.result += n;
        if (n == 0 || static_cast<std::size_t>(r.result) >= r.length)
            return 0;
        if (r.pieces) // short: the end of the file, or what is not in memory; the engine finds out
            return -EAGAIN;
    }
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

} // namespace

namespace detail {

namespace {

// What has been taken for a file in memory, or knows no RWF_NOWAIT.
bool read_if_memory(now_read& read, int descriptor, descriptor_guess& number) noexcept
{
    const sys::errno_guard guard;
    const bool guessed = number.is_memory();
    if (is_file_in_memory(descriptor)) {
        number.was_memory();
        if (read.pieces && read.result != 0)
            return false; // it would begin with the first piece again
        return go_on(read, descriptor, 0, read_more(read, descriptor, 0)) == 0;
    }
    number.was_neither();
    return guessed && ask_and_read(read, descriptor, number);
}

} // namespace

bool read_on(now_read& read, int descriptor, descriptor_guess& number, int flags, ssize_t n) noexcept
{
    const ssize_t answer = go_on(read, descriptor, flags, n);
    if (answer == 0)
        return true;
    const bool may_be_memory = number.is_memory() || answer == -EOPNOTSUPP;
    return may_be_memory && read_if_memory(read, descriptor, number);
}

bool ask_and_read(now_read& read, int descriptor, descriptor_guess& number) noexcept
{
    const sys::errno_guard guard;
    if (number.is_memory())
        return read_if_memory(read, descriptor, number);
    if (is_aligned(read)) {
        if (is_direct(descriptor)) {
            number.was_neither();
            return false;
        }
        number.was_plain();
    }
    return read_on(read, descriptor, number, RWF_NOWAIT, read_more(read, descriptor, RWF_NOWAIT));
}

} // namespace detail

} // namespace sigev::sources

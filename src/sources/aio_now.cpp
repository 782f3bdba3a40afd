#include "sources/aio_now.hpp"

#include "sources/aio_options.hpp"

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

// The raw call: libc's is a cancellation point, and takes two instructions more for that.
ssize_t read_at(int descriptor, const iovec* vector, std::size_t pieces, off_t offset, int flags) noexcept
{
    return ::syscall(SYS_preadv2, descriptor, vector, pieces, offset, 0L, flags);
}

// Whether it may be a transfer of O_DIRECT: whole sectors, and as a rule memory aligned to them. Asking costs a sixth of a read.
// (Some devices take memory that is aligned to less: such a read is made inside the call, and waits for the device.)
bool is_aligned(const spi::aio_work& work) noexcept
{
    const void* const memory = work.pieces ? static_cast<const iovec*>(work.buffer)->iov_base : work.buffer;
    return ((work.length | static_cast<std::size_t>(work.offset) | reinterpret_cast<std::uintptr_t>(memory)) & 511) == 0;
}

bool is_file_in_memory(int descriptor) noexcept
{
    struct statfs system;
    struct stat about;
    return ::fstatfs(descriptor, &system) == 0 && (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC) &&
           ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
}

} // namespace

bool read_now(spi::aio_work& work, int descriptor) noexcept
{
    if (work.operation != spi::aio_operation::read || work.offset < 0)
        return false;
    const std::size_t most = limit_of_reads_inside_the_call();
    if (most == 0 || work.length > most)
        return false;
    if (is_aligned(work) && (::fcntl(descriptor, F_GETFL) & O_DIRECT))
        return false;
    iovec one{work.buffer, work.length};
    const iovec* const vector = work.pieces ? static_cast<const iovec*>(work.buffer) : &one;
    const std::size_t pieces = work.pieces ? work.pieces : 1;
    int flags = RWF_NOWAIT;
    for (;;) {
        const ssize_t n = read_at(descriptor, vector, pieces, work.offset + work.result, flags);
        if (n < 0) {
            if (errno != EOPNOTSUPP || flags == 0 || !is_file_in_memory(descriptor))
                return false;
            flags = 0;
            continue;
        }
        work.result += n;
        if (n == 0 || static_cast<std::size_t>(work.result) == work.length)
            return true;
        if (work.pieces)
            return false; // short: the end of the file, or what is not in memory; the engine finds out
        one = {static_cast<char*>(work.buffer) + work.result, work.length - static_cast<std::size_t>(work.result)};
    }
}

} // namespace sigev::sources

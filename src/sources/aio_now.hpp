// Reads that are over inside the call: what is in memory already.
//
// RWF_NOWAIT reads what the page cache has and never waits for a device. A file system without it (tmpfs) is memory itself, so
// a plain read is as good. O_DIRECT is left to the engine: there the kernel waits for the device although it was asked not to.
// Pipes, sockets and terminals answer ESPIPE here. Of the cost of a pread() this adds a tenth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <sys/types.h>

namespace sigev::sources {

struct now_read {
    void* buffer = nullptr;
    std::size_t length = 0;   ///< of all pieces
    off_t offset = 0;
    std::uint32_t pieces = 0; ///< 0: `buffer` is the data; else an array of so many iovec
    ssize_t result = 0;       ///< the bytes so far
};

/// True: the whole read is over, `result` is set. False: somebody else has to go on from `result`, or to find the error. Sets
/// errno. No cancellation point.
bool read_now(now_read& read, int descriptor) noexcept;

} // namespace sigev::sources

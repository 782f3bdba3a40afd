// Reads that are over inside the call: what is in memory already.
//
// RWF_NOWAIT reads what the page cache has and never waits for a device. A file system without it (tmpfs) is memory itself, so
// a plain read is as good. O_DIRECT is left to the engine: there the kernel waits for the device although it was asked not to.
// Pipes, sockets and terminals answer ESPIPE here. Of the cost of a pread() this adds less than a tenth.
#pragma once

#include "spi/aio_engine.hpp"

namespace sigev::sources {

/// True: the whole read is over, `result` is set. False: somebody else has to go on from `result`, or to find the error.
bool read_now(spi::aio_work& work, int descriptor) noexcept;

} // namespace sigev::sources

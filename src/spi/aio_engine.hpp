// The contract of an AIO engine: who performs the operations. backends/aio fills it. Order between requests (O_APPEND,
// fsync) is not the engine's business: sources/aio starts a request when nothing that it must follow is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <sys/types.h>

namespace sigev::spi {

enum class aio_operation : std::uint8_t { read, write, fsync, fdatasync };

/// One operation. Owned by the source; the engine may touch it from start() until it has called done.
struct aio_work {
    aio_operation operation = aio_operation::read;
    bool positioned = true;      ///< false: not seekable, the offset is ignored
    bool may_wait = false;       ///< a pipe, socket, terminal: may never end, so the engine must be able to break it off
    bool readiness_seen = false; ///< the engine's while it runs
    bool broken_off = false;     ///< the engine's while it runs
    int descriptor = -1;         ///< the source's duplicate
    int error = 0;               ///< set before done
    ssize_t result = 0;          ///< set before done; until then, the bytes transferred so far
    void* buffer = nullptr;
    std::size_t length = 0;
    off_t offset = 0;
    aio_work* previous = nullptr; ///< the engine's while it runs
    aio_work* next = nullptr;     ///< the engine's while it runs
};

class aio_sink {
public:
    /// `work` has its result. On one of the engine's threads; must not block for long; may start other work.
    virtual void done(aio_work& work) noexcept = 0;

protected:
    ~aio_sink() = default;
};

class aio_engine {
public:
    virtual ~aio_engine() = default;

    /// Makes sure that what is started afterwards will be served. 0, or EAGAIN when a thread or descriptor that it takes
    /// cannot be had.
    virtual int reserve(bool may_wait) noexcept = 0;

    /// Takes the work over. Cannot fail after reserve(). From any thread, done() included.
    virtual void start(aio_work& work) noexcept = 0;

    /// Breaks off what may wait (ECANCELED, or what had been transferred), carries out the rest, and returns when done()
    /// of everything has returned and no thread is left. No start() comes any more but from done(). The destructor does
    /// the same where stop() was not called.
    virtual void stop() noexcept = 0;
};

/// Threads that call pread() and friends.
std::unique_ptr<aio_engine> make_thread_engine(aio_sink& sink);

} // namespace sigev::spi

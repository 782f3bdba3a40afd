// Asynchronous I/O: aio_read(), aio_write(), aio_fsync(), told by every method.
//
// WHAT IS PROMISED
//   - The sigevent and all else of the aiocb is copied by the call. The aiocb holds the status (aio_status.hpp); it may be
//     freed or used again as soon as aio_error() is not EINPROGRESS, also before the notification has arrived. Nothing
//     is kept for a caller that never calls aio_return().
//   - The result is published first, the notification raised after. A notification that fails changes no status: each
//     request is a subscription of its own with one reserved record, counted in the ledger of SIGEV_SOURCE_AIO, and it
//     ends by itself. SIGEV_NONE counts as delivered. A zeroed sigevent (SIGEV_SIGNAL, signal 0) is SIGEV_NONE.
//   - If the call fails, nothing was started and the aiocb is as it was.
//   - Errors by the call and errors through aio_error(), and what is ordered: aio_state.hpp. Nothing else is ordered or
//     serialised: a write to a socket is never behind a read that waits on it.
//   - A read or write of a regular file is resumed until it is complete, at the end of the file, or refused. Of what can
//     wait for ever (pipe, socket, terminal, eventfd) a read ends with the first data; a write with all of it. The offset
//     counts only where there are offsets. O_NONBLOCK is not looked at: waiting is what the request is for.
//   - aio_fsync() also takes a descriptor that is open for reading only, as fsync() does.
//
// THE DESCRIPTOR. The request works on a duplicate made by the call: close() and reuse of the number never redirect it. The
// price: closing the duplicate drops the process's fcntl() record locks on that file, as POSIX wants of every close (OFD
// locks stay), and a child that is forked meanwhile inherits the duplicate and keeps the file or pipe open.
//
// LIFE OF A REQUEST. submit(): check → duplicate → open the order's record → open and pin the subscription → status
// EINPROGRESS → enqueue → [order] → engine → done(): close the duplicate → publish, and see who may start (one step under
// the mutex: a sync covers exactly what has no final status yet) → raise → unpin → free. The pin keeps the subscription's
// slot ours when somebody cancels it (its reactor closes, sigev_shutdown()); then raising counts as discarded.
//
// Lock order: mutex_ is a leaf. No async-signal-safe function meets it: aio_error() and aio_return() only read the aiocb.
#pragma once

#include "core/registry.hpp"
#include "sources/aio_state.hpp"
#include "spi/aio_engine.hpp"

#include <sigev.h>

#include <aio.h>
#include <memory>
#include <mutex>

namespace sigev::sources {

class aio_source final : public core::extension, spi::aio_sink {
public:
    /// Throws std::bad_alloc.
    explicit aio_source(core::registry& all);
    aio_source(const aio_source&) = delete;
    aio_source& operator=(const aio_source&) = delete;

    /// The source of this process, made with the first request. Null: no memory.
    static aio_source* ensure() noexcept;

    /// 0 or an errno; then nothing was started. `on`: 0: told through the runtime.
    int submit(sigev_reactor_t on, spi::aio_operation operation, aiocb& cb) noexcept;

    void stop() noexcept override;

private:
    struct request;

    int hold_file(request& r, const aiocb& cb) noexcept;
    int subscribe(request& r, sigev_reactor_t on, const aiocb& cb) noexcept;
    void launch(request& r) noexcept;
    void done(spi::aio_work& work) noexcept override;
    void start_all(aio_order::item* ready) noexcept;
    void finish(request& r) noexcept;

    core::registry& registry_;
    std::unique_ptr<spi::aio_engine> engine_;
    std::mutex mutex_;
    aio_order order_;
};

/// What aio_return() takes out of the aiocb; withdraws an EVFILT_AIO event that was not retrieved. Async-signal-safe.
struct aio_taken take_aio(aiocb& cb) noexcept;

} // namespace sigev::sources

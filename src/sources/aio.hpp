// Asynchronous I/O: aio_read(), aio_write(), aio_fsync(), lists of them, and cancelling, told by every method.
//
// WHAT IS PROMISED
//   - The sigevent and all else of the aiocb is copied by the call. The aiocb holds the status (aio_status.hpp); it may be
//     freed or used again as soon as aio_error() is not EINPROGRESS, also before the notification has arrived. Nothing
//     is kept for a caller that never calls aio_return().
//   - The result is published first, the notification raised after. A notification that fails changes no status: each
//     request brings the memory of its notification (aio_telling), and has a place in a subscription that it shares
//     (core/commons), or its own, which ends by itself. It is counted in the ledger of SIGEV_SOURCE_AIO. SIGEV_NONE has none: it is a number in that ledger, and counts as delivered when the status is final. A
//     zeroed sigevent (SIGEV_SIGNAL, signal 0) is SIGEV_NONE.
//   - If the call fails, nothing was started and the aiocb is as it was.
//   - Errors by the call and errors through aio_error(), and what is ordered: aio_state.hpp. Nothing else is ordered or
//     serialised: a write to a socket is never behind a read that waits on it.
//   - A read or write of a regular file is resumed until it is complete, at the end of the file, or refused. Of what can
//     wait for ever (pipe, socket, terminal, eventfd) a read ends with the first data; a write with all of it. The offset
//     counts only where there are offsets. O_NONBLOCK is not looked at: waiting is what the request is for.
//   - aio_fsync() also takes a descriptor that is open for reading only, as fsync() does.
//
// INSIDE THE CALL. A read of a regular file that is in memory is over when the call returns (aio_now.hpp): no lock, no
// duplicate, no thread.
//
// THE DESCRIPTOR. All else works on a duplicate made by the call: close() and reuse of the number never redirect it. Requests
// on one descriptor share one duplicate for as long as one of them runs (aio_files.hpp). The price: closing it drops the
// process's fcntl() record locks on that file, as POSIX wants of every close (OFD locks stay), and a child that is forked
// meanwhile inherits it and keeps the file or pipe open.
//
// LIFE OF A REQUEST. start(): [inside the call] → duplicate → status EINPROGRESS → enqueue → [order] → engine → done(): close
// the duplicate → publish, and see who may start (one step under the mutex: a sync covers exactly what has no final status
// yet, and whoever finds EINPROGRESS under the mutex knows that the request is there) → raise → unpin → free (one that tells by
// a common subscription: when that has come to its end). The pin keeps
// the subscription's slot ours when somebody cancels it (its reactor closes, sigev_shutdown()); then raising counts as discarded.
//
// Lock order: mutex_ > the engine's (withdraw). No async-signal-safe function meets it: aio_error(), aio_return() and
// aio_suspend() only read the aiocb.
#pragma once

#include "core/registry.hpp"
#include "sources/aio_completed.hpp"
#include "sources/aio_files.hpp"
#include "sources/aio_spares.hpp"
#include "sources/aio_state.hpp"
#include "spi/aio_engine.hpp"
#include "sys/brief_mutex.hpp"

#include <sigev.h>

#include <aio.h>
#include <memory>
#include <mutex>
#include <sys/uio.h>

namespace sigev::sources {

/// A lio_listio() that is under way.
struct aio_list;

/// The part of whom somebody is told: a request, a list. `owner`: the subscription, which is common or his own; pinned until it is
/// raised. Null: nobody is told.
struct aio_telling : core::occasion {};

/// What a call asks for.
struct aio_call {
    sigev_reactor_t on = 0; ///< 0: told through the runtime
    spi::aio_operation operation = spi::aio_operation::read;
    bool vector = false; ///< aio_buf is an array of aio_nbytes iovec
    bool tried = false;  ///< inside the call, in vain
};

class aio_source final : public core::extension, spi::aio_sink {
public:
    /// Throws std::bad_alloc.
    explicit aio_source(core::registry& all);
    aio_source(const aio_source&) = delete;
    aio_source& operator=(const aio_source&) = delete;
    ~aio_source() override;

    /// The source of this process, made with the first request. Null: no memory.
    static aio_source* ensure() noexcept;
    /// The same, if there is one.
    static aio_source* current() noexcept;

    /// A read that nobody is to be told of, and that is over here and now. False: call.tried may be set, and submit() does the
    /// rest. Not a cancellation point. Keeps errno.
    inline bool read_inside(aio_call& call, aiocb& cb) noexcept;

    /// 0 or an errno; then nothing was started.
    int submit(const aio_call& call, aiocb& cb) noexcept;

    /// lio_listio(). `event` null: nothing is told of the whole.
    int submit_list(sigev_reactor_t on, bool wait, aiocb* const list[], int entries, const sigevent* event) noexcept;

    /// aio_cancel(); null: all on this descriptor. AIO_CANCELED, AIO_NOTCANCELED, AIO_ALLDONE.
    int cancel(int descriptor, aiocb* cb) noexcept;

    /// aio_waitcomplete(), without the waiting: the oldest request that is over. False: there is none yet.
    bool take_completed(aio_entry& out) noexcept;

    void choose(const spi::aio_limits& limits) noexcept { engine_->choose(limits); }

    void stop() noexcept override;

private:
    struct request;
    struct quiet_request;
    struct telling_request;
    struct noted_request;
    struct request_deleter {
        void operator()(request* r) const noexcept;
    };
    using request_ptr = std::unique_ptr<request, request_deleter>;

    static request_ptr make_request(const sigevent& event) noexcept;
    int subscribe(sigev_reactor_t on, const sigevent& event, int source, std::uint64_t ident, aio_telling& out,
                  void (*over)(core::occasion&) noexcept) noexcept;
    int look_for_reactor(sigev_reactor_t on) noexcept;
    static bool is_simple_read(const aio_call& call, const aiocb& cb) noexcept;
    int prepare(const aio_call& call, aiocb& cb, request& r) noexcept;
    bool is_over_inside(const aio_call& call, request& r) noexcept;
    bool reserve_entry(request& r) noexcept;
    int start(request_ptr r) noexcept;
    void abandon(request& r) noexcept;
    static void note_asked(request& r) noexcept;
    void stay_silent(aio_telling& t) noexcept;
    void launch(request& r) noexcept;
    int join_file(request& r) noexcept;
    int open_file(aio_file& file, int number) noexcept;
    void close_duplicate(aio_file& file) noexcept;
    void leave(aio_file& file) noexcept;
    bool forget_locked(aio_file& file) noexcept;
    void destroy(aio_file* file) noexcept;
    aio_order::item* publish_locked(request& r) noexcept;
    void done(spi::aio_work* list) noexcept override;
    void publish_over(request& r) noexcept;
    void keep_locked(request& r) noexcept;
    void count_if_silent(request& r) noexcept;
    void start_all(aio_order::item* ready) noexcept;
    void finish(request& r) noexcept;
    bool tell(aio_telling& t, ssize_t result, int error) noexcept;
    static aio_telling& make_room(telling_request& r) noexcept;
    static void free_told(core::occasion& o) noexcept;
    static void free_noted(core::occasion& o) noexcept;
    bool withdraw_locked(request& r) noexcept;
    int open_list(sigev_reactor_t on, aiocb* const list[], const sigevent* event, aio_list*& out) noexcept;
    int prepare_list(sigev_reactor_t on, aiocb* const list[], int entries, aio_list& whole, request*& first) noexcept;
    void begin_list(aiocb* const list[], int entries) noexcept;
    int start_list(sigev_reactor_t on, aiocb* const list[], int entries, aio_list& whole, request* first) noexcept;
    int start_one(const aio_call& call, request_ptr r) noexcept;
    void one_less(aio_list& list, int error) noexcept;
    static int wait_for(aio_list& list) noexcept;

    core::registry& registry_;
    std::unique_ptr<spi::aio_engine> engine_;
    sys::brief_mutex mutex_;
    aio_order order_; ///< under mutex_, as files_
    aio_files files_;
    aio_completed completed_;
    aio_spares spare_requests_; ///< of those that nobody is told of
    aio_spares spare_files_;

    friend struct aio_taken take_aio(aiocb& cb) noexcept;
};

/// What aio_return() takes out of the aiocb; withdraws an EVFILT_AIO event that was not retrieved. Async-signal-safe.
struct aio_taken take_aio(aiocb& cb) noexcept;

} // namespace sigev::sources

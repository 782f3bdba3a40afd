// sigev::aio_request: aio_read() and its family with every method as target, owned. No Asio; sigev::aio is the I/O object.
//
//     sigev::aio_request request(sigev::target::kevent(queue, &job));
//     request.start_read(file, 0, buffer);
//     ...
//     std::size_t n = request.result();
#pragma once

#include <sigev.h>

#include <sigev/error.hpp>
#include <sigev/subscription.hpp>
#include <sigev/target.hpp>

#include <aio.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <fcntl.h>
#include <memory>
#include <pthread.h>
#include <span>
#include <sys/types.h>

namespace sigev {

namespace detail {

/// glibc's struct has an array of length 0, of which -Wpedantic warns wherever the struct itself is a member.
struct aio_block : ::aiocb {};

/// Returns when the engine does not use the request's memory any more; what can be cancelled is. For destructors: a
/// cancellation of the thread is held back.
inline void end_now(::aiocb& request) noexcept
{
    int state;
    ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    if (::sigev_aio_error(&request) == EINPROGRESS)
        ::sigev_aio_cancel(request.aio_fildes, &request);
    const ::aiocb* const list[] = {&request};
    while (::sigev_aio_error(&request) == EINPROGRESS)
        ::sigev_aio_suspend(list, 1, nullptr);
    ::pthread_setcancelstate(state, nullptr);
}

/// A timeout of aio_suspend().
inline ::timespec to_timeout(std::chrono::nanoseconds time) noexcept
{
    const auto ns = time.count() < 0 ? 0 : time.count();
    return {static_cast<::time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

} // namespace detail

/// Owns a struct aiocb; one request after another.
/**
 * The first request of a process starts the threads of the AIO engine.
 *
 * @par Thread safety
 * @e Distinct @e objects: safe.@n
 * @e Shared @e objects: error() and is_running() are safe.
 *
 * @par Lifetime
 * The buffer is needed until the request has ended. The destructor cancels what has not, and waits for what cannot be cancelled.
 * (A descriptor that has been closed cannot be named to cancel: a read of a silent pipe is waited for then.) The object may be
 * destroyed by the callback that tells of its end, which comes after it. Moving is possible at any time.
 *
 * @par Fork
 * A child has no requests; there the object can be destroyed, or start another one.
 */
class aio_request {
public:
    /// Told through the runtime; by target::none(), whoever asks error() is.
    explicit aio_request(const target& to = target::none()) : aio_request(sigev_reactor_t(0), to) {}

    /// Told through a dispatcher's reactor, or any other.
    template <has_reactor Dispatcher>
    aio_request(Dispatcher& on, const target& to) : aio_request(on.reactor(), to)
    {}
    aio_request(sigev_reactor_t on, const target& to) : state_(std::make_unique<state>()), reactor_(on)
    {
        state_->block.aio_sigevent = to.native();
    }

    aio_request(aio_request&&) noexcept = default;
    aio_request& operator=(aio_request&&) noexcept = default;
    ~aio_request() = default;

    /// Starts. The offset counts only where there are offsets; a file that is open with O_APPEND is appended to. Throws
    /// boost::system::system_error with the errors of aio_read(), and EBUSY when one is running.
    void start_read(int descriptor, ::off_t offset, std::span<std::byte> into)
    {
        prepare(descriptor, offset, into.data(), into.size());
        check(::sigev_aio_submit_on(reactor_, LIO_READ, &state_->block), "sigev_aio_read");
    }
    void start_write(int descriptor, ::off_t offset, std::span<const std::byte> from)
    {
        // The member's type lacks the const; a write does not write to it.
        prepare(descriptor, offset, const_cast<std::byte*>(from.data()), from.size());
        check(::sigev_aio_submit_on(reactor_, LIO_WRITE, &state_->block), "sigev_aio_write");
    }
    /// operation: O_SYNC or O_DSYNC.
    void start_fsync(int descriptor, int operation = O_SYNC)
    {
        prepare(descriptor, 0, nullptr, 0);
        check(::sigev_aio_fsync_on(reactor_, operation, &state_->block), "sigev_aio_fsync");
    }

    /// From start to end; the notification may come a little after the end.
    bool is_running() const noexcept { return state_->used && ::sigev_aio_error(&state_->block) == EINPROGRESS; }

    /// How the request ended; operation_in_progress before that, and success before the first.
    error_code error() const noexcept
    {
        if (!state_->used)
            return {};
        return {::sigev_aio_error(&state_->block), boost::system::system_category()};
    }

    /// What cancel() has come to.
    enum class outcome {
        cancelled,     ///< it has ended with operation_canceled
        not_cancelled, ///< it goes on, or has ended with what it had transferred: see error()
        was_over       ///< there was nothing to cancel
    };

    /// Cancels what waits; a system call that runs is not called back. It is told like every end. Throws
    /// boost::system::system_error: EBADF when the descriptor has been closed.
    outcome cancel()
    {
        if (!is_running())
            return outcome::was_over;
        const int answer = ::sigev_aio_cancel(state_->block.aio_fildes, &state_->block);
        if (answer < 0)
            throw_error(last_error(), "sigev_aio_cancel");
        return answer == AIO_CANCELED       ? outcome::cancelled
               : answer == AIO_NOTCANCELED ? outcome::not_cancelled
                                            : outcome::was_over;
    }

    /// Waits for the end. A cancellation point. Throws boost::system::system_error: EINTR.
    void wait() const
    {
        if (used())
            suspend_all(std::array{&native()}, nullptr);
    }
    /// The same, for a while. False: it has not ended.
    bool wait_for(std::chrono::nanoseconds time) const
    {
        const ::timespec timeout = detail::to_timeout(time);
        return !used() || suspend_all(std::array{&native()}, &timeout);
    }

    /// The bytes transferred. Once for each request. Throws boost::system::system_error with the request's error.
    std::size_t result()
    {
        throw_error(error(), "sigev::aio_request");
        const ::ssize_t n = ::sigev_aio_return(&state_->block);
        if (n < 0)
            throw_error(last_error(), "sigev_aio_return");
        return static_cast<std::size_t>(n);
    }

    /// Its address is the request's ident.
    const ::aiocb& native() const noexcept { return state_->block; }

private:
    bool used() const noexcept { return state_->used; }

    template <std::size_t n>
    static bool suspend_all(const std::array<const ::aiocb*, n>& list, const ::timespec* timeout)
    {
        if (::sigev_aio_suspend(list.data(), static_cast<int>(n), timeout) == 0)
            return true;
        if (errno != EAGAIN)
            throw_error(last_error(), "sigev_aio_suspend");
        return false;
    }

    struct state { // the engine has its address, so it stays where it is when the object is moved
        state() = default;
        state(const state&) = delete;
        state& operator=(const state&) = delete;
        ~state()
        {
            if (used)
                detail::end_now(block);
        }

        bool used = false;
        detail::aio_block block{};
    };

    void prepare(int descriptor, ::off_t offset, void* buffer, std::size_t size)
    {
        if (is_running())
            throw_error({EBUSY, boost::system::system_category()}, "sigev::aio_request");
        ::aiocb& block = state_->block;
        block.aio_fildes = descriptor;
        block.aio_offset = offset;
        block.aio_buf = buffer;
        block.aio_nbytes = size;
    }

    void check(int result, const char* what)
    {
        if (result != 0)
            throw_error(last_error(), what);
        state_->used = true;
    }

    std::unique_ptr<state> state_;
    sigev_reactor_t reactor_;
};

} // namespace sigev

// sigev::aio: asynchronous file I/O with completion tokens. Header-only, over the C functions of sigev.h: the compiled library
// never sees the program's io_context.
//
//     sigev::aio aio(io);
//     std::size_t n = co_await aio.async_read_at(file, 0, asio::buffer(block), asio::use_awaitable);
#pragma once

#include <sigev/detail/aio_operation.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/execution_context.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace sigev {

/// Starts requests on descriptors of the program's own, and completes them on its context.
/**
 * Reads and writes of a regular file are complete unless the file ends, or there is an error; of a pipe or socket a read ends
 * with the first data. The first request of a process starts the threads of the AIO engine. What a request owns beyond its buffer
 * it holds itself: the descriptor may be closed once the call has returned.
 *
 * Per-operation cancellation: terminal, partial, total. What waits (a read of a silent pipe, what is queued) ends with
 * operation_aborted; what is in a system call goes on.
 *
 * @par Thread safety
 * @e Distinct @e objects: safe.@n
 * @e Shared @e objects: safe, but for moving and destroying.
 *
 * @par Lifetime
 * The object may be destroyed while requests are outstanding: they go on. A buffer is needed until its request has completed.
 * Destroying the context cancels its requests and waits until they have ended (their handlers are destroyed then).
 *
 * @par Fork
 * In a child, starting a request fails with @c bad_descriptor until @c notify_fork(fork_child) on the context; in that call,
 * requests inherited from the parent end with @c operation_aborted, whatever becomes of them in the parent.
 */
template <class Executor = boost::asio::any_io_executor>
class basic_aio {
    template <class Context>
    using if_context = std::enable_if_t<std::is_convertible_v<Context&, boost::asio::execution_context&>>;

    // Makes a request of what it is given, and starts it.
    class initiate {
    public:
        using executor_type = Executor;

        explicit initiate(const Executor& executor) noexcept : executor_(executor) {}
        executor_type get_executor() const noexcept { return executor_; }

        template <class Handler>
        void operator()(Handler&& handler, int opcode, const ::aiocb& request) const
        {
            auto slot = boost::asio::get_associated_cancellation_slot(handler);
            detail::aio_operation<error_code, std::size_t>::start(
                detail::make_pending<error_code, std::size_t>(std::forward<Handler>(handler), executor_), executor_, slot, request,
                [opcode](sigev_reactor_t on, ::aiocb* r) { return ::sigev_aio_submit_on(on, opcode, r); });
        }
        template <class Handler>
        void operator()(Handler&& handler, const ::aiocb& request, int operation) const
        {
            auto slot = boost::asio::get_associated_cancellation_slot(handler);
            detail::aio_operation<error_code>::start(
                detail::make_pending<error_code>(std::forward<Handler>(handler), executor_), executor_, slot, request,
                [operation](sigev_reactor_t on, ::aiocb* r) { return ::sigev_aio_fsync_on(on, operation, r); });
        }

    private:
        Executor executor_;
    };

    static ::aiocb request(int descriptor, std::uint64_t offset, void* data, std::size_t size) noexcept
    {
        ::aiocb r{};
        r.aio_fildes = descriptor;
        r.aio_offset = static_cast<::off_t>(offset);
        r.aio_buf = data;
        r.aio_nbytes = size;
        return r;
    }

public:
    using executor_type = Executor;

    template <class OtherExecutor>
    struct rebind_executor {
        using other = basic_aio<OtherExecutor>;
    };

    explicit basic_aio(const executor_type& executor) : executor_(executor) {}

    template <class Context, class = if_context<Context>>
    explicit basic_aio(Context& context) : basic_aio(executor_type(context.get_executor()))
    {}

    const executor_type& get_executor() const noexcept { return executor_; }

    /// Reads. Signature: void(error_code, std::size_t); 0 bytes without an error is the end of the file.
    /**
     * errors: those of aio_read() and of read(2), bad_descriptor and operation_aborted (see Fork).
     */
    template <
        BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code, std::size_t))
            Token = typename boost::asio::default_completion_token<executor_type>::type>
    auto async_read_at(
        int descriptor, std::uint64_t offset, const boost::asio::mutable_buffer& into,
        Token&& token = typename boost::asio::default_completion_token<executor_type>::type())
    {
        return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
            initiate(executor_), token, LIO_READ, request(descriptor, offset, into.data(), into.size()));
    }

    /// Writes; a file that is open with O_APPEND is appended to, in the order of the calls.
    template <
        BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code, std::size_t))
            Token = typename boost::asio::default_completion_token<executor_type>::type>
    auto async_write_at(
        int descriptor, std::uint64_t offset, const boost::asio::const_buffer& from,
        Token&& token = typename boost::asio::default_completion_token<executor_type>::type())
    {
        // The member's type lacks the const; a write does not write to it.
        return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
            initiate(executor_), token, LIO_WRITE,
            request(descriptor, offset, const_cast<void*>(from.data()), from.size()));
    }

    /// Forces out what has been written by requests that were started before. operation: O_SYNC or O_DSYNC. Signature:
    /// void(error_code).
    template <
        BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code))
            Token = typename boost::asio::default_completion_token<executor_type>::type>
    auto async_fsync(
        int descriptor, int operation = O_SYNC,
        Token&& token = typename boost::asio::default_completion_token<executor_type>::type())
    {
        return boost::asio::async_initiate<Token, void(error_code)>(
            initiate(executor_), token, request(descriptor, 0, nullptr, 0), operation);
    }

private:
    executor_type executor_;
};

using aio = basic_aio<>;

} // namespace sigev

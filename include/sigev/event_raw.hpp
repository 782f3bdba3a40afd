// sigev::event_raw: a wakeup as an Asio I/O object. Header-only, over the C functions of sigev.h: the compiled library
// never sees the program's io_context.
#pragma once

#include <sigev/detail/event_raw_block.hpp>
#include <sigev/detail/event_raw_wait.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/execution_context.hpp>

#include <type_traits>
#include <utility>

namespace sigev {

enum class event_raw_kind : int {
    automatic = SIGEV_EVENT_RAW_DEFAULT, ///< an eventfd where there is one, else a pipe
    eventfd = SIGEV_EVENT_RAW_EVENTFD,
    pipe = SIGEV_EVENT_RAW_PIPE,
};

/// Is posted to from anywhere, and completes a wait on its context.
/**
 * Posts merge: after any number of posts at least one wait completes, and at least one handler starts after the last
 * post and sees all that was written before it. A post that comes while nobody waits completes the next wait.
 *
 * @par Thread safety
 * @e Distinct @e objects: safe.@n
 * @e Shared @e objects: unsafe, except for post(), which may be called from any thread and any signal handler, also
 * while another thread uses or closes (but not while it moves or destroys) the object.@n
 * Several waits may be outstanding; a post completes at least one of them.
 *
 * @par Lifetime
 * The object must not outlive its context. It may be closed, moved or destroyed while waits are outstanding, also by a
 * completion handler of its own: they end with @c operation_aborted. What was posted and not yet seen by a wait is
 * gone with the object; a cancelled wait takes nothing away from the next one.
 *
 * @par Fork
 * In a forked child, post() on the inherited object reaches the parent, and waits fail with @c bad_descriptor; the object
 * may be closed or destroyed, which the parent does not notice. After @c notify_fork(fork_child) on the context the
 * child's object is the child's own: waits inherited from the parent end with @c operation_aborted, new ones work.
 */
template <class Executor = boost::asio::any_io_executor>
class basic_event_raw {
    template <class Context>
    using if_context =
        std::enable_if_t<std::is_convertible_v<Context&, boost::asio::execution_context&>>;

public:
    using executor_type = Executor;
    using native_handle_type = int;

    template <class OtherExecutor>
    struct rebind_executor {
        using other = basic_event_raw<OtherExecutor>;
    };

    /// Opens it. Throws boost::system::system_error when there is no descriptor to be had.
    explicit basic_event_raw(const executor_type& executor, event_raw_kind kind = event_raw_kind::automatic)
        : basic_event_raw(unopened(), executor)
    {
        open(kind);
    }

    /// The same with the context's executor.
    template <class Context, class = if_context<Context>>
    explicit basic_event_raw(Context& context, event_raw_kind kind = event_raw_kind::automatic)
        : basic_event_raw(executor_type(context.get_executor()), kind)
    {}

    /// On error the object is closed.
    basic_event_raw(const executor_type& executor, event_raw_kind kind, error_code& ec)
        : basic_event_raw(unopened(), executor)
    {
        open(kind, ec);
    }

    template <class Context, class = if_context<Context>>
    basic_event_raw(Context& context, event_raw_kind kind, error_code& ec)
        : basic_event_raw(executor_type(context.get_executor()), kind, ec)
    {}

    /// Outstanding waits go with it; `other` is closed, and may only be destroyed, assigned to, or opened again.
    basic_event_raw(basic_event_raw&& other) noexcept
        : executor_(other.executor_), block_(std::exchange(other.block_, nullptr))
    {}

    basic_event_raw& operator=(basic_event_raw&& other) noexcept
    {
        basic_event_raw taken(std::move(other));
        std::swap(executor_, taken.executor_);
        std::swap(block_, taken.block_);
        return *this;
    }

    ~basic_event_raw()
    {
        if (block_)
            block_->end();
    }

    const executor_type& get_executor() const noexcept { return executor_; }

    bool is_open() const noexcept { return event() != nullptr; }

    /// The descriptor that becomes readable, -1 when closed. It belongs to the object.
    native_handle_type native_handle() const noexcept
    {
        const auto* const raw = event();
        return raw ? sigev_event_raw_fd(raw) : -1;
    }

    /// Opens it again after close(). errors: already_open, and those of sigev_event_raw_open().
    void open(event_raw_kind kind = event_raw_kind::automatic)
    {
        error_code ec;
        open(kind, ec);
        throw_error(ec, "sigev::event_raw");
    }

    void open(event_raw_kind kind, error_code& ec)
    {
        ec = {};
        if (!block_)
            block_ = new block_type(executor_);
        block_->open(static_cast<int>(kind), ec);
    }

    /// Posts. Async-signal-safe, lock-free; keeps errno. Does nothing on a closed object.
    void post() const noexcept
    {
        if (const auto* const raw = event())
            sigev_event_raw_post(raw);
    }

    /// Completes once something has been posted since the last completion. Signature: void(error_code).
    /**
     * errors: operation_aborted (cancelled, closed), bad_descriptor (closed before). Per-operation cancellation:
     * terminal, partial, total.
     */
    template <
        BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code))
            Token = typename boost::asio::default_completion_token<executor_type>::type>
    auto async_wait(Token&& token = typename boost::asio::default_completion_token<executor_type>::type())
    {
        return boost::asio::async_compose<Token, void(error_code)>(
            detail::event_raw_wait<Executor>(block_, executor_), token, executor_);
    }

    /// Ends all waits with operation_aborted.
    void cancel()
    {
        if (block_)
            block_->cancel();
    }

    /// The same, and gives the descriptor up. Posts do nothing from now on.
    void close()
    {
        if (block_)
            block_->close();
    }

private:
    using block_type = detail::event_raw_block<Executor>;
    struct unopened {};

    // Once this one has returned, the destructor takes care of what a later failure leaves.
    basic_event_raw(unopened, const executor_type& executor) : executor_(executor), block_(new block_type(executor)) {}

    const sigev_event_raw* event() const noexcept { return block_ ? block_->event() : nullptr; }

    executor_type executor_;
    block_type* block_;
};

using event_raw = basic_event_raw<>;

} // namespace sigev

// sigev::dispatcher: delivery on a context of the program's own. Header-only, over the C functions of sigev.h: the compiled
// library never sees the program's io_context.
//
//     sigev::dispatcher here(io);
//     sigev::subscription told(here, sigev::target::callback(on_news, &inbox), 64);
//     told.submit(42);                                // on_news() runs in a thread that runs io
#pragma once

#include <sigev/detail/reactor_service.hpp>
#include <sigev/subscription.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>

#include <chrono>
#include <optional>
#include <time.h>
#include <type_traits>
#include <utility>

namespace sigev {

/// While it is open, its context carries notifications: callbacks and methods run in the threads that run the context.
/**
 * An open dispatcher is outstanding work: it keeps @c run() from returning until close(). All dispatchers of a context share
 * one reactor.
 *
 * @par Thread safety
 * @e Distinct @e objects: safe.@n
 * @e Shared @e objects: reactor() is safe.
 *
 * @par Lifetime
 * The object must not outlive its context. Subscriptions may outlive the dispatcher: what is submitted then waits until the
 * context has an open dispatcher again, or another operation of this library. They end with the context.
 *
 * @par Fork
 * In a child it may be closed and destroyed, and reactor() throws @c bad_descriptor. After @c notify_fork(fork_child) on the
 * context, subscriptions can be made on it anew.
 */
template <class Executor = boost::asio::any_io_executor>
class basic_dispatcher {
    template <class Context>
    using if_context = std::enable_if_t<std::is_convertible_v<Context&, boost::asio::execution_context&>>;

public:
    using executor_type = Executor;

    template <class OtherExecutor>
    struct rebind_executor {
        using other = basic_dispatcher<OtherExecutor>;
    };

    /// Opens it. Throws boost::system::system_error when there is no descriptor to be had.
    explicit basic_dispatcher(const executor_type& executor)
        : executor_(executor), service_(&boost::asio::use_service<detail::reactor_service>(
                                   boost::asio::query(executor, boost::asio::execution::context)))
    {
        open();
    }

    template <class Context, class = if_context<Context>>
    explicit basic_dispatcher(Context& context) : basic_dispatcher(executor_type(context.get_executor()))
    {}

    basic_dispatcher(basic_dispatcher&& other) noexcept
        : executor_(other.executor_), service_(other.service_), open_(std::exchange(other.open_, false))
    {}
    basic_dispatcher& operator=(basic_dispatcher&& other) noexcept
    {
        basic_dispatcher taken(std::move(other));
        std::swap(executor_, taken.executor_);
        std::swap(service_, taken.service_);
        std::swap(open_, taken.open_);
        return *this;
    }

    ~basic_dispatcher() { close(); }

    const executor_type& get_executor() const noexcept { return executor_; }

    bool is_open() const noexcept { return open_; }

    void open()
    {
        if (open_)
            return;
        service_->acquire(executor_);
        open_ = true;
    }

    /// What is submitted from now on waits, and run() may return.
    void close()
    {
        if (std::exchange(open_, false))
            service_->release();
    }

    /// For the C functions that take a reactor, and for subscription, posix_timer and aio_request. Throws
    /// boost::system::system_error: bad_descriptor (see Fork).
    sigev_reactor_t reactor() { return service_->reactor(); }

    /// When the context has to look next for what time brings, as a time since the epoch of the clock (CLOCK_MONOTONIC,
    /// CLOCK_REALTIME, CLOCK_BOOTTIME), or nothing: for who runs it by poll_one() and waits himself. See
    /// sigev_reactor_next_deadline(). Throws boost::system::system_error: bad_descriptor (see Fork), EINVAL (clock).
    std::optional<std::chrono::nanoseconds> next_deadline(::clockid_t clock = CLOCK_MONOTONIC)
    {
        ::timespec t{};
        const int known = ::sigev_reactor_next_deadline(reactor(), clock, &t);
        if (known < 0)
            throw_error(last_error(), "sigev_reactor_next_deadline");
        if (known == 0)
            return std::nullopt;
        return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
    }

private:
    executor_type executor_;
    detail::reactor_service* service_;
    bool open_ = false;
};

using dispatcher = basic_dispatcher<>;

} // namespace sigev

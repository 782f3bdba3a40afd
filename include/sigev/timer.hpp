// sigev::timer: a POSIX timer as an Asio I/O object. Header-only, over the C functions of sigev.h: the compiled library never
// sees the program's io_context.
//
//     sigev::timer tick(io);                          // CLOCK_MONOTONIC
//     tick.expires_after(100ms, 100ms);
//     co_await tick.async_wait(asio::use_awaitable);
//
//     sigev::timer alarm(io, CLOCK_REALTIME, sigev::target::signal(SIGRTMIN));
//     alarm.expires_at(midnight);
#pragma once

#include <sigev/detail/timer_state.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution_context.hpp>

#include <chrono>
#include <memory>
#include <type_traits>
#include <utility>

namespace sigev {

/// Completes waits on its context; or, made with a target, tells that target by any method.
/**
 * A wait completes when the timer has expired, as Asio's own timers do it: of a one-shot timer all waits, also those that are
 * started after it has expired, and one that was never armed counts as expired. Of a periodic timer each expiry completes all
 * waits that are outstanding; one that comes when there is none completes the next wait, and overrun() says how many there
 * were. Setting the timer ends the waits with @c operation_aborted.
 *
 * A timer with a target keeps its context's @c run() from returning as long as it lives: the context's threads deliver.
 *
 * @par Thread safety
 * @e Distinct @e objects: safe.@n
 * @e Shared @e objects: unsafe.
 *
 * @par Lifetime
 * The object must not outlive its context. It may be moved or destroyed while waits are outstanding, also by a completion
 * handler of its own: they end with @c operation_aborted. With a target, the destructor waits for a callback that runs in
 * another thread; it may run inside that callback.
 *
 * @par Fork
 * A child has no timers: there the object may be destroyed, waits fail and setting it throws @c bad_descriptor. After
 * @c notify_fork(fork_child) on the context, waits inherited from the parent end with @c operation_aborted, and the timer can
 * be set again; one with a target cannot, and must be made anew.
 */
template <class Executor = boost::asio::any_io_executor>
class basic_timer {
    template <class Context>
    using if_context = std::enable_if_t<std::is_convertible_v<Context&, boost::asio::execution_context&>>;

    class initiate_wait {
    public:
        using executor_type = Executor;

        explicit initiate_wait(basic_timer* self) noexcept : self_(self) {}
        executor_type get_executor() const noexcept { return self_->get_executor(); }

        template <class Handler>
        void operator()(Handler&& handler) const
        {
            auto& state = *self_->state_;
            auto slot = boost::asio::get_associated_cancellation_slot(handler);
            auto op = detail::make_pending<error_code>(std::forward<Handler>(handler), self_->executor_);
            const auto id = state.next_id();
            if (slot.is_connected()) // first: once it is started it may complete
                slot.assign(detail::timer_wait_cancellation{self_->state_, id});
            state.start(std::move(op), id, self_->executor_);
        }

    private:
        basic_timer* self_;
    };

public:
    using executor_type = Executor;
    using native_handle_type = ::timer_t;
    using duration = std::chrono::nanoseconds;

    template <class OtherExecutor>
    struct rebind_executor {
        using other = basic_timer<OtherExecutor>;
    };

    /// For waits. Throws boost::system::system_error: EINVAL (no such clock), ENOTSUP (a clock without timers), EAGAIN, and no
    /// descriptor to be had. CLOCK_MONOTONIC, CLOCK_REALTIME and CLOCK_BOOTTIME need no thread; on others (CPU-time clocks,
    /// CLOCK_TAI) the kernel tells a thread of the library's. CLOCK_THREAD_CPUTIME_ID is that of the calling thread.
    explicit basic_timer(const executor_type& executor, ::clockid_t clock = CLOCK_MONOTONIC, const timer_options& how = {})
        : executor_(executor), state_(std::make_shared<detail::timer_state>(executor, clock, how))
    {}

    template <class Context, class = if_context<Context>>
    explicit basic_timer(Context& context, ::clockid_t clock = CLOCK_MONOTONIC, const timer_options& how = {})
        : basic_timer(executor_type(context.get_executor()), clock, how)
    {}

    /// For a target. Throws also the errors of sigev_open().
    basic_timer(const executor_type& executor, ::clockid_t clock, const target& to, const timer_options& how = {})
        : executor_(executor), state_(std::make_shared<detail::timer_state>(executor, clock, to, how))
    {}

    template <class Context, class = if_context<Context>>
    basic_timer(Context& context, ::clockid_t clock, const target& to, const timer_options& how = {})
        : basic_timer(executor_type(context.get_executor()), clock, to, how)
    {}

    /// Outstanding waits go with it; `other` may only be destroyed or assigned to.
    basic_timer(basic_timer&& other) noexcept = default;
    basic_timer& operator=(basic_timer&& other) noexcept
    {
        basic_timer taken(std::move(other));
        std::swap(executor_, taken.executor_);
        std::swap(state_, taken.state_);
        return *this;
    }

    ~basic_timer()
    {
        if (state_)
            state_->close();
    }

    const executor_type& get_executor() const noexcept { return executor_; }
    native_handle_type native_handle() const noexcept { return state_->native_handle(); }

    /// Arms: first after that time, then each `period`, if there is one. What is not positive is due at once. Throws
    /// boost::system::system_error: bad_descriptor, EINVAL (see Fork).
    void expires_after(duration t, duration period = {}) { settime(0, posix_timer::due(t, period)); }

    /// Arms for a time since the epoch of the clock. An absolute time of CLOCK_REALTIME follows the clock when it is set.
    void expires_at(duration since_epoch, duration period = {})
    {
        settime(TIMER_ABSTIME, posix_timer::due(since_epoch, period));
    }

    /// No expiry comes any more. Waits that are started from now on complete at once.
    void disarm() { settime(0, {}); }

    /// As timer_settime(): returns what it replaced.
    ::itimerspec settime(int flags, const ::itimerspec& value)
    {
        error_code ec;
        const ::itimerspec old = settime(flags, value, ec);
        throw_error(ec, "sigev::timer");
        return old;
    }
    ::itimerspec settime(int flags, const ::itimerspec& value, error_code& ec)
    {
        return state_->settime(flags, value, ec);
    }

    /// As timer_gettime().
    ::itimerspec gettime() const
    {
        error_code ec;
        const ::itimerspec left = gettime(ec);
        throw_error(ec, "sigev::timer");
        return left;
    }
    ::itimerspec gettime(error_code& ec) const noexcept { return state_->gettime(ec); }

    /// Completes when the timer has expired. Signature: void(error_code).
    /**
     * errors: operation_aborted (cancelled, set anew, destroyed), bad_descriptor (see Fork), operation_not_supported (a timer
     * with a target). Per-operation cancellation: terminal, partial, total.
     */
    template <
        BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code))
            Token = typename boost::asio::default_completion_token<executor_type>::type>
    auto async_wait(Token&& token = typename boost::asio::default_completion_token<executor_type>::type())
    {
        return boost::asio::async_initiate<Token, void(error_code)>(initiate_wait(this), token);
    }

    /// Ends all waits with operation_aborted. The timer stays armed.
    void cancel() { state_->cancel(); }

    /// Periodic: expiries that the last completed wait stands for beyond the first.
    int overrun() const { return state_->overrun(); }

    /// With a target: as timer_getoverrun(), of the most recent delivery.
    int getoverrun() const
    {
        const int overrun = ::sigev_timer_getoverrun(native_handle());
        if (overrun < 0)
            throw_error(last_error(), "sigev_timer_getoverrun");
        return overrun;
    }

    sigev::ledger ledger() const
    {
        ::sigev_ledger l{};
        if (::sigev_timer_ledger(native_handle(), &l) != 0)
            throw_error(last_error(), "sigev_timer_ledger");
        return l;
    }

private:
    executor_type executor_;
    std::shared_ptr<detail::timer_state> state_;
};

using timer = basic_timer<>;

} // namespace sigev

// sigev::subscription: a target bound to all that its deliveries will need. For the author of a library that takes a struct
// sigevent from its caller:
//
//     void notify_me(const struct sigevent& event) { told = sigev::subscription(sigev::target::from(event)); }
//     ...
//     told.submit(bytes);                             // from any thread, or from a signal handler
#pragma once

#include <sigev.h>

#include <sigev/error.hpp>
#include <sigev/ledger.hpp>
#include <sigev/target.hpp>

#include <concepts>
#include <cstdint>
#include <utility>

namespace sigev {

/// What has a reactor: a dispatcher.
template <class T>
concept has_reactor = requires(T& t) {
    { t.reactor() } -> std::same_as<sigev_reactor_t>;
};

/// Owns a sigev_t.
/**
 * @par Thread safety
 * @e Distinct @e objects: safe.@n
 * @e Shared @e objects: safe, but for moving and destroying; submit() also from signal handlers.
 *
 * @par Lifetime
 * The destructor cancels, and waits for callbacks that run: what they use may be destroyed after it. It may run inside a
 * callback of this very subscription, which then goes on. It must not run under a lock that a running callback waits for;
 * where that cannot be avoided, cancel() and close() do not wait. A subscription on a dispatcher delivers nothing after the
 * dispatcher's context is gone, but may be destroyed later.
 *
 * @par Fork
 * In a child the handle is stale: every call says EINVAL, and destroying the object does nothing.
 */
class subscription {
public:
    using native_handle_type = sigev_t;

    /// No subscription; submit() says EINVAL.
    subscription() noexcept = default;

    /// On the runtime, which is started if it does not run yet. `capacity` notifications (1 .. 1048576) can be on their way at
    /// once; beyond that the newest is kept, and each one that it replaces counts as merged. Throws
    /// boost::system::system_error with the errors of sigev_open().
    explicit subscription(const target& to, std::uint32_t capacity = 1) : subscription(sigev_reactor_t(0), to, capacity) {}

    /// On a dispatcher's reactor: callbacks run in the threads that run its context.
    template <has_reactor Dispatcher>
    subscription(Dispatcher& on, const target& to, std::uint32_t capacity = 1)
        : subscription(on.reactor(), to, capacity)
    {}

    /// On any reactor; 0 is the runtime's.
    subscription(sigev_reactor_t on, const target& to, std::uint32_t capacity = 1)
    {
        ::sigev_options options{};
        options.size = sizeof options;
        options.reactor = on;
        open(to, capacity, options);
    }

    /// With all options of sigev_open(); `size` need not be set.
    subscription(const target& to, std::uint32_t capacity, ::sigev_options options)
    {
        options.size = sizeof options;
        open(to, capacity, options);
    }

    /// Told whenever CLOCK_REALTIME has been set, with the nanoseconds that it was set by as data; see sigev_clock_steps_open().
    /// clock: the host's, or of a manual_clock. Throws as the others.
    static subscription to_clock_steps(const target& to, sigev_manual_clock_t clock = 0, std::uint32_t capacity = 16,
                                       ::sigev_options options = {})
    {
        options.size = sizeof options;
        subscription made;
        if (::sigev_clock_steps_open(clock, &to.native(), capacity, &options, &made.handle_) != 0)
            throw_error(last_error(), "sigev_clock_steps_open");
        return made;
    }

    subscription(subscription&& other) noexcept : handle_(std::exchange(other.handle_, 0)) {}
    subscription& operator=(subscription&& other) noexcept
    {
        subscription taken(std::move(other));
        std::swap(handle_, taken.handle_);
        return *this;
    }
    ~subscription()
    {
        cancel_and_wait();
        close();
    }

    /// 0 when there is none.
    native_handle_type native_handle() const noexcept { return handle_; }
    bool is_open() const noexcept { return handle_ != 0; }

    /// Raises one notification. Lock-free, allocation-free, async-signal-safe. errors: EINVAL (no subscription), ECANCELED.
    error_code submit(std::int64_t data = 0, int error = 0) const noexcept
    {
        const int kept = errno; // said by value; a signal handler's errno is not its own
        if (::sigev_submit(handle_, data, error) == 0)
            return {};
        const error_code ec = last_error();
        errno = kept;
        return ec;
    }
    error_code submit(std::int64_t data, const error_code& error) const noexcept { return submit(data, error.value()); }

    /// No delivery starts any more; one that had started may still be running. What was pending is discarded.
    void cancel() const noexcept
    {
        if (is_open())
            ::sigev_cancel(handle_);
    }

    /// The same, and none runs either, but for the one that this is called from.
    void cancel_and_wait() const noexcept
    {
        if (is_open())
            ::sigev_cancel_and_wait(handle_);
    }

    /// Cancels, does not wait, and gives the handle up.
    void close() noexcept
    {
        if (is_open())
            ::sigev_close(std::exchange(handle_, 0));
    }

    /// Throws boost::system::system_error: EINVAL.
    sigev::ledger ledger() const
    {
        ::sigev_ledger l{};
        if (::sigev_ledger_read(handle_, &l) != 0)
            throw_error(last_error(), "sigev_ledger_read");
        return l;
    }

private:
    void open(const target& to, std::uint32_t capacity, const ::sigev_options& options)
    {
        if (::sigev_open(&to.native(), capacity, &options, &handle_) != 0)
            throw_error(last_error(), "sigev_open");
    }

    sigev_t handle_ = 0;
};

} // namespace sigev

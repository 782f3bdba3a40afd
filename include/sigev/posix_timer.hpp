// sigev::posix_timer: timer_create() and its family with every method as target, owned. No Asio; sigev::timer is the I/O object.
//
//     sigev::posix_timer tick(CLOCK_MONOTONIC, sigev::target::thread(on_tick));
//     tick.expires_after(100ms, 100ms);
#pragma once

#include <sigev.h>

#include <sigev/error.hpp>
#include <sigev/ledger.hpp>
#include <sigev/subscription.hpp>
#include <sigev/target.hpp>

#include <chrono>
#include <ctime>
#include <optional>
#include <utility>

namespace sigev {

/// The two ways between a duration and a struct timespec.
constexpr ::timespec to_timespec(std::chrono::nanoseconds t) noexcept
{
    const auto whole = std::chrono::floor<std::chrono::seconds>(t);
    return {static_cast<time_t>(whole.count()), static_cast<long>((t - whole).count())};
}
constexpr std::chrono::nanoseconds to_duration(const ::timespec& t) noexcept
{
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

/// Who keeps a timer's time.
enum class timer_engine : int {
    automatic = SIGEV_ENGINE_DEFAULT, ///< by clock and method; signals by the kernel
    heap = SIGEV_ENGINE_HEAP,         ///< the library
    kernel = SIGEV_ENGINE_KERNEL      ///< the kernel's own timer
};

/// What sigev_timer_create_with() is asked for beside clock and target.
struct timer_options {
    timer_engine engine = timer_engine::automatic;
    std::chrono::nanoseconds slack{0}; ///< may come so much later, together with others
    bool precise = false;              ///< wakes early and looks at the clock for the rest; see SIGEV_TIMER_PRECISE
    sigev_manual_clock_t clock = 0;    ///< of a sigev::manual_clock

    /// For sigev_timer_create_with().
    ::sigev_timer_options native(sigev_reactor_t on) const noexcept
    {
        ::sigev_timer_options options{};
        options.size = sizeof options;
        options.engine = static_cast<int>(engine);
        options.reactor = on;
        options.slack = static_cast<std::uint64_t>(slack.count());
        options.flags = precise ? SIGEV_TIMER_PRECISE : 0;
        options.manual_clock = clock;
        return options;
    }
};

/// Owns a timer_t.
/**
 * @par Thread safety
 * @e Distinct @e objects: safe.@n
 * @e Shared @e objects: safe, but for moving and destroying; settime(), gettime() and getoverrun() with an error_code also
 * from signal handlers.
 *
 * @par Lifetime
 * The destructor disarms, and waits for callbacks that run (see subscription). It may run inside the timer's own callback.
 *
 * @par Fork
 * In a child the timer does not exist: every call says EINVAL, and destroying the object does nothing.
 */
class posix_timer {
public:
    using native_handle_type = ::timer_t;
    using duration = std::chrono::nanoseconds;

    /// Told through the runtime. Throws boost::system::system_error with the errors of sigev_timer_create().
    posix_timer(::clockid_t clock, const target& to, const timer_options& how = {})
        : posix_timer(sigev_reactor_t(0), clock, to, how)
    {}

    /// Told through a dispatcher's reactor, or any other; 0 is the runtime's.
    template <has_reactor Dispatcher>
    posix_timer(Dispatcher& on, ::clockid_t clock, const target& to, const timer_options& how = {})
        : posix_timer(on.reactor(), clock, to, how)
    {}
    posix_timer(sigev_reactor_t on, ::clockid_t clock, const target& to, const timer_options& how = {})
    {
        const ::sigev_timer_options options = how.native(on);
        struct sigevent event = to.native();
        ::timer_t fresh{};
        if (::sigev_timer_create_with(&options, clock, &event, &fresh) != 0)
            throw_error(last_error(), "sigev_timer_create");
        timer_ = fresh;
    }

    posix_timer(posix_timer&& other) noexcept : timer_(std::exchange(other.timer_, std::nullopt)) {}
    posix_timer& operator=(posix_timer&& other) noexcept
    {
        posix_timer taken(std::move(other));
        std::swap(timer_, taken.timer_);
        return *this;
    }
    ~posix_timer()
    {
        if (timer_)
            ::sigev_timer_delete_wait(*timer_);
    }

    /// Not of one that has been moved from.
    native_handle_type native_handle() const noexcept { return *timer_; }

    /// Arms: first after that time, then each `period`, if there is one. A time that is not positive is due at once.
    void expires_after(duration t, duration period = {}) { settime(0, due(t, period)); }

    /// Arms for a time since the epoch of the clock.
    void expires_at(duration since_epoch, duration period = {}) { settime(TIMER_ABSTIME, due(since_epoch, period)); }

    void disarm() { settime(0, {}); }

    /// As timer_settime(): returns what it replaced. errors: EINVAL.
    ::itimerspec settime(int flags, const ::itimerspec& value)
    {
        error_code ec;
        const ::itimerspec old = settime(flags, value, ec);
        throw_error(ec, "sigev_timer_settime");
        return old;
    }
    ::itimerspec settime(int flags, const ::itimerspec& value, error_code& ec) noexcept
    {
        ::itimerspec old{};
        ec = said(::sigev_timer_settime(*timer_, flags, &value, &old));
        return old;
    }

    /// As timer_gettime().
    ::itimerspec gettime() const
    {
        error_code ec;
        const ::itimerspec left = gettime(ec);
        throw_error(ec, "sigev_timer_gettime");
        return left;
    }
    ::itimerspec gettime(error_code& ec) const noexcept
    {
        ::itimerspec left{};
        ec = said(::sigev_timer_gettime(*timer_, &left));
        return left;
    }

    /// As timer_getoverrun(): of the most recent delivery.
    int getoverrun() const
    {
        const int overrun = ::sigev_timer_getoverrun(*timer_);
        if (overrun < 0)
            throw_error(last_error(), "sigev_timer_getoverrun");
        return overrun;
    }

    sigev::ledger ledger() const
    {
        ::sigev_ledger l{};
        throw_error(said(::sigev_timer_ledger(*timer_, &l)), "sigev_timer_ledger");
        return l;
    }

    /// The value that arms: 0 would disarm, so what is due already becomes one nanosecond.
    static constexpr ::itimerspec due(duration first, duration period) noexcept
    {
        constexpr duration least{1};
        return {to_timespec(period < duration::zero() ? duration::zero() : period),
                to_timespec(first < least ? least : first)};
    }

private:
    static error_code said(int result) noexcept { return result == 0 ? error_code() : last_error(); }

    std::optional<::timer_t> timer_; // 0 may be a timer
};

} // namespace sigev

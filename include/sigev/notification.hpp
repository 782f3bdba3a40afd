// sigev::notification: one occurrence, as a callback or a method of the program's own sees it.
#pragma once

#include <sigev.h>

#include <sigev/error.hpp>
#include <sigev/ledger.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace sigev {

/// Why there is a notification.
enum class cause : int {
    expired = SIGEV_CAUSE_EXPIRED,     ///< a timer was due
    completed = SIGEV_CAUSE_COMPLETED, ///< an operation has ended, well or with an error
    canceled = SIGEV_CAUSE_CANCELED,   ///< an operation was cancelled
    submitted = SIGEV_CAUSE_SUBMITTED, ///< sigev_submit(), subscription::submit()
    stepped = SIGEV_CAUSE_STEPPED      ///< a clock was set
};

/// A view of a struct sigev_notification.
/**
 * @par Thread safety
 * Read-only.
 *
 * @par Lifetime
 * It refers to the library's notification, which is gone when the function that was told of it returns.
 *
 * @par Fork
 * A callback that forks has it in its child too.
 */
class notification {
public:
    explicit constexpr notification(const ::sigev_notification& native) noexcept : native_(&native) {}

    /// sigev_value of the sigevent, and the same as what was put into it.
    ::sigval value() const noexcept { return native_->value; }
    int number() const noexcept { return native_->value.sival_int; }
    template <class T>
    T* pointer() const noexcept
    {
        return static_cast<T*>(native_->value.sival_ptr);
    }

    /// Timer: expirations in this delivery. AIO: bytes transferred. User: what was submitted.
    std::int64_t data() const noexcept { return native_->data; }

    /// Timer: when it was due. AIO: when the operation had ended. Since the epoch of clock(); zero: not known (user).
    std::chrono::nanoseconds scheduled() const noexcept { return std::chrono::nanoseconds(native_->scheduled); }

    /// When this delivery began, on the same clock.
    std::chrono::nanoseconds actual() const noexcept { return std::chrono::nanoseconds(native_->actual); }

    ::clockid_t clock() const noexcept { return native_->clock; }

    /// How late this delivery is. Zero where no time is known.
    std::chrono::nanoseconds lateness() const noexcept { return actual() - scheduled(); }

    sigev::cause cause() const noexcept { return static_cast<sigev::cause>(native_->cause); }

    /// What was merged into this delivery, at most DELAYTIMER_MAX. Timer: expirations beyond the first. User: what was submitted
    /// before it and found no room.
    int overrun() const noexcept { return native_->overrun; }

    /// AIO: how the operation ended. User: what was submitted.
    sigev::error_code error_code() const noexcept
    {
        return {native_->error, boost::system::system_category()};
    }

    sigev::source source() const noexcept { return static_cast<sigev::source>(native_->source); }

    /// Timer: timer_t. AIO: address of the aiocb. User: the sigev_t.
    std::uint64_t ident() const noexcept { return native_->ident; }

    /// As si_code would have it.
    int code() const noexcept { return native_->code; }

    const ::sigev_notification& native() const noexcept { return *native_; }

private:
    const ::sigev_notification* native_;
};

/// What this thread is delivering at the moment: inside a SIGEV_THREAD or SIGEV_CALLBACK function or a registered method.
inline std::optional<notification> current() noexcept
{
    if (const auto* const native = ::sigev_current())
        return notification(*native);
    return std::nullopt;
}

} // namespace sigev

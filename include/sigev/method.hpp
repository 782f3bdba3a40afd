// sigev::method: a C++ callable as a notification method.
//
//     sigev::method to_journal([&](const sigev::notification& n) { journal.append(n.number(), n.data()); });
//     struct sigevent event = {};
//     event.sigev_notify = to_journal.number();       // in any sigevent that this library is given
#pragma once

#include <sigev.h>

#include <sigev/error.hpp>
#include <sigev/notification.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace sigev {

/// What a method says of a delivery.
enum class verdict : int {
    delivered = SIGEV_DELIVERED, ///< the target has it
    retry = SIGEV_RETRY,         ///< not now: held, in order, and offered again after a while
    gone = SIGEV_GONE,           ///< there is no such target any more: discarded, and counted as such
};

/// What can be one.
template <class F>
concept method_callable = requires(F& f, const notification& n) {
    requires std::is_void_v<decltype(f(n))> || std::is_same_v<decltype(f(n)), int> ||
                 std::is_same_v<decltype(f(n)), verdict>;
};

/// A number for sigev_notify, behind which stands a callable: void, int (SIGEV_DELIVERED ..) or verdict (const notification&).
/**
 * The callable is called once per notification: on a context's reactor by a thread that runs the context, on the runtime by
 * one of its workers; never twice at once for one subscription, but at once for different ones. It should not block.
 *
 * An exception that leaves it goes where one goes that leaves a thread: std::terminate().
 *
 * @par Thread safety
 * @e Distinct @e objects: safe.@n
 * @e Shared @e objects: number() is safe.
 *
 * @par Lifetime
 * The destructor unregisters the number: no new subscription can name it, live ones go on. The callable is destroyed when the
 * last of them has ended, in any thread.
 *
 * @par Fork
 * A child inherits the method under the same number, with its own copy of the callable.
 */
class method {
public:
    /// `name` is for tables and traces; at most 15 characters are kept. Throws boost::system::system_error: EAGAIN (all
    /// numbers are in use), ENOMEM; std::bad_alloc.
    template <class F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, method> && method_callable<std::decay_t<F>>)
    explicit method(F&& callable, const char* name = "c++")
    {
        using callable_type = std::decay_t<F>;
        auto held = std::make_unique<callable_type>(std::forward<F>(callable));
        ::sigev_method hooks{};
        hooks.size = sizeof hooks;
        hooks.name = name;
        hooks.context = held.get();
        hooks.deliver = &deliver<callable_type>;
        hooks.release = &release<callable_type>;
        number_ = ::sigev_method_register(&hooks);
        if (number_ < 0)
            throw_error(last_error(), "sigev_method_register");
        held.release(); // the hook's from now on
    }

    method(method&& other) noexcept : number_(std::exchange(other.number_, unregistered)) {}
    method& operator=(method&& other) noexcept
    {
        method taken(std::move(other));
        std::swap(number_, taken.number_);
        return *this;
    }
    ~method()
    {
        if (number_ != unregistered)
            ::sigev_method_unregister(number_); // fails only after sigev_shutdown(), which has unregistered all
    }

    /// For sigev_notify. -1 when it has been moved from.
    int number() const noexcept { return number_; }

private:
    static constexpr int unregistered = -1;

    // Not noexcept: what the callable throws passes through here as through a thread's start function.
    template <class F>
    static int deliver(void* context, void*, const ::sigev_notification* native)
    {
        F& callable = *static_cast<F*>(context);
        if constexpr (std::is_void_v<decltype(callable(notification(*native)))>) {
            callable(notification(*native));
            return SIGEV_DELIVERED;
        } else {
            return static_cast<int>(callable(notification(*native)));
        }
    }

    template <class F>
    static void release(void* context)
    {
        delete static_cast<F*>(context);
    }

    int number_ = unregistered;
};

} // namespace sigev

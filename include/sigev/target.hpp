// sigev::target: where notifications go, said in one expression. A builder of struct sigevent.
//
//     sigev::target::signal(SIGRTMIN + 1, 42)
//     sigev::target::thread(on_expiry, &job)
//     sigev::target::method(to_journal, 7)
//     sigev::target::from(event)                      // what a caller handed in
#pragma once

#include <sigev.h>

#include <sigev/kqueue.hpp>
#include <sigev/method.hpp>

#include <cstddef>
#include <pthread.h>
#include <type_traits>

namespace sigev {

/// sigev_value, from an int or from a pointer.
class value {
public:
    constexpr value() noexcept : native_{.sival_ptr = nullptr} {}
    constexpr value(std::nullptr_t) noexcept : value() {}
    constexpr value(int number) noexcept : value() { native_.sival_int = number; }
    template <class T>
        requires std::is_convertible_v<T*, void*> // so neither const nor a function
    constexpr value(T* pointer) noexcept : native_{.sival_ptr = pointer}
    {}
    constexpr value(const ::sigval& native) noexcept : native_(native) {}

    constexpr const ::sigval& native() const noexcept { return native_; }

private:
    ::sigval native_;
};

/// Names a method and its target, as struct sigevent does; is checked when a subscription, timer or request is made with it.
/**
 * @par Thread safety
 * @e Distinct @e objects: safe.@n
 * @e Shared @e objects: reading is safe.
 *
 * @par Lifetime
 * A value. What it points to (thread attributes) or names (a kqueue, a method) is needed until a subscription has been made
 * from it, and is copied or held then; what the value points to is the program's.
 *
 * @par Fork
 * A value, in the child too.
 */
class target {
public:
    /// Called with the value.
    using function_type = void (*)(::sigval);

    /// Nobody is told; the ledger counts it as delivered.
    static target none() noexcept { return target(SIGEV_NONE, {}); }

    /// The process gets the signal, with the value in si_value.
    static target signal(int signo, value v = {}) noexcept
    {
        target t(SIGEV_SIGNAL, v);
        t.event_.sigev_signo = signo;
        return t;
    }

    /// The function is called as if by a new thread with these attributes (detached, whatever they say).
    static target thread(function_type function, value v = {}, const pthread_attr_t* attributes = nullptr) noexcept
    {
        target t(SIGEV_THREAD, v);
        t.event_.sigev_notify_function = function;
        // The member's type lacks the const; nothing writes to it.
        t.event_.sigev_notify_attributes = const_cast<pthread_attr_t*>(attributes);
        return t;
    }

    /// That thread of this process gets the signal.
    static target thread_id(lwpid_t tid, int signo, value v = {}) noexcept
    {
        target t(SIGEV_THREAD_ID, v);
        t.event_.sigev_signo = signo;
        t.event_.sigev_notify_thread_id = tid;
        return t;
    }

    /// A kevent is posted; the value comes as its udata. Flags: EV_ONESHOT, EV_CLEAR, EV_DISPATCH.
    static target kevent(int queue, value v = {}, unsigned short flags = 0) noexcept
    {
        target t(SIGEV_KEVENT, v);
        t.event_.sigev_notify_kqueue = queue;
        t.event_.sigev_notify_kevent_flags = flags;
        return t;
    }
    static target kevent(const kqueue& queue, value v = {}, unsigned short flags = 0) noexcept
    {
        return kevent(queue.native_handle(), v, flags);
    }

    /// The function is called by a thread that runs the reactor; on the runtime, by one of its workers. It must not block.
    static target callback(function_type function, value v = {}) noexcept
    {
        target t(SIGEV_CALLBACK, v);
        t.event_.sigev_notify_function = function;
        return t;
    }

    /// A method of the program's own.
    static target method(int number, value v = {}) noexcept { return target(number, v); }
    static target method(const sigev::method& m, value v = {}) noexcept { return target(m.number(), v); }

    /// What somebody else has filled in.
    static target from(const struct sigevent& event) noexcept { return target(event); }

    const struct sigevent& native() const noexcept { return event_; }

private:
    target(int notify, value v) noexcept
    {
        event_.sigev_notify = notify;
        event_.sigev_value = v.native();
    }
    explicit target(const struct sigevent& event) noexcept : event_(event) {}

    struct sigevent event_ = {};
};

} // namespace sigev

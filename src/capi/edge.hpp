// The C edge: errors are values inside, and become -1 and errno here. On success errno is the caller's.
#pragma once

#include "core/registry.hpp"
#include "sys/errno_guard.hpp"

#include <cerrno>
#include <pthread.h>

namespace sigev::capi {

/// 0, or -1 with errno.
inline int answer(int error) noexcept
{
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

/// What POSIX knows of running out: descriptors, threads and memory of the library's own are resources like any other.
inline int as_resource(int error) noexcept
{
    return error == EMFILE || error == ENFILE || error == ENOMEM ? EAGAIN : error;
}

/// Holds a cancellation of the calling thread back: libc's cancellation points stand under noexcept frames here, and none of
/// our calls is one itself.
class cancellation_hold {
public:
    cancellation_hold() noexcept { ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state_); }
    cancellation_hold(const cancellation_hold&) = delete;
    cancellation_hold& operator=(const cancellation_hold&) = delete;
    ~cancellation_hold() { ::pthread_setcancelstate(state_, nullptr); }

private:
    int state_ = PTHREAD_CANCEL_ENABLE;
};

/// Around every call that is not async-signal-safe.
class call_guard : public sys::errno_guard {
    cancellation_hold hold_;
};

/// Keeps errno as it was when the call turns out well: answer(guarded([&] { return ...; })).
template <class F>
int guarded(F&& f) noexcept
{
    const call_guard guard;
    return f();
}

} // namespace sigev::capi

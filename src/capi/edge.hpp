// The C edge: errors are values inside, and become -1 and errno here. On success errno is the caller's.
#pragma once

#include "core/registry.hpp"
#include "sys/cancellation_hold.hpp"
#include "sys/errno_guard.hpp"

#include <cerrno>

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

using sys::cancellation_hold;

/// Around every call that is not async-signal-safe.
class call_guard : public sys::errno_guard {
    cancellation_hold hold_;
};

/// What sigev_open() and its like are asked for, but for the reactor. 0 or EINVAL.
int read_options(const sigevent* event, std::uint32_t capacity, const sigev_options* options, const sigev_t* subscription,
                 core::subscription_spec& spec) noexcept;

/// Keeps errno as it was when the call turns out well: answer(guarded([&] { return ...; })).
template <class F>
int guarded(F&& f) noexcept
{
    const call_guard guard;
    return f();
}

} // namespace sigev::capi

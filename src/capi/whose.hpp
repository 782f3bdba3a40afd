// Whether a handle of a program's is one that the C API gave out: what the drop-in asks before it forwards to libc.
#pragma once

#include <aio.h>
#include <signal.h>

namespace sigev::capi {

/// By its looks alone (core/handle.hpp): whether such a timer lives is for the call to tell. Async-signal-safe.
bool is_handle_of_ours(timer_t timer) noexcept;

/// Whether the kernel's timer of this id is one that the C API has made: a program that names it means another one, or none. Looks
/// through all of them. Async-signal-safe.
bool is_kernel_timer_of_ours(int id) noexcept;

/// By the mark that it bears (sources/aio_status.hpp), as long as its result has not been taken. Async-signal-safe.
bool is_request_of_ours(const aiocb& request) noexcept;

} // namespace sigev::capi

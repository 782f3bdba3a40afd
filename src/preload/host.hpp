// The process that this library was loaded into: which parts are on, and libc's own functions for what is not ours.
//
// All of it is decided once, by our constructor, or by the first call where another library's constructor comes before it.
// From then on every function here is a load or two, and async-signal-safe.
#pragma once

#include <aio.h>
#include <cstdint>
#include <ctime>
#include <signal.h>
#include <unistd.h>

namespace sigev::preload {

/// libc's definitions, for handles that are not ours and for parts that are off.
struct libc_functions {
    decltype(&::timer_create) timer_create;
    decltype(&::timer_settime) timer_settime;
    decltype(&::timer_gettime) timer_gettime;
    decltype(&::timer_getoverrun) timer_getoverrun;
    decltype(&::timer_delete) timer_delete;
    decltype(&::aio_read) aio_read;
    decltype(&::aio_write) aio_write;
    decltype(&::aio_fsync) aio_fsync;
    decltype(&::aio_error) aio_error;
    decltype(&::aio_return) aio_return;
    decltype(&::aio_suspend) aio_suspend;
    decltype(&::aio_cancel) aio_cancel;
    decltype(&::aio_init) aio_init;
    decltype(&::lio_listio) lio_listio;
    decltype(&::close) close;
    int (*close_range)(unsigned, unsigned, int); ///< null in a libc that is older
    decltype(&::dup2) dup2;
    decltype(&::dup3) dup3;
};

struct host {
    libc_functions libc;
    bool timers; ///< timer_*() are served here
    bool aio;    ///< aio_*() and lio_listio() are
    int engine;            ///< SIGEV_ENGINE_* for timers
    std::uint32_t flags;   ///< SIGEV_TIMER_* for timers
    /// We came after libc (dlopen()): it may have timers and requests of its own. Where we came first there are none, and
    /// what is not ours is an error.
    bool late;
};

const host& this_host() noexcept;

} // namespace sigev::preload

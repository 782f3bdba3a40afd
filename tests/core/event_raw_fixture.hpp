// What the tests of core/event_raw share.
#pragma once

#include "core/event_raw.hpp"

#include "support/stress.hpp"
#include "support/support.hpp"
#include "sys/clock.hpp"

#include <cstdlib>
#include <utility>

#include <csetjmp>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

namespace sigev_tests {

namespace core = sigev::core;
using core::wakeup::word;
using sigev::spi::wakeup_kind;
using sigev::spi::wakeup_pair;

inline constexpr int kinds[] = {SIGEV_EVENT_RAW_DEFAULT, SIGEV_EVENT_RAW_EVENTFD, SIGEV_EVENT_RAW_PIPE};

inline bool is_open(int fd) { return fcntl(fd, F_GETFD) != -1; }

/// An open object; closed at the end unless that was done before.
class object {
public:
    explicit object(int kind = SIGEV_EVENT_RAW_DEFAULT) { BOOST_REQUIRE(core::open_event_raw(kind, event_) == 0); }
    object(const object&) = delete;
    ~object() { close(); }

    void close()
    {
        if (sigev_event_raw* event = std::exchange(event_, nullptr))
            core::close(*event);
    }

    sigev_event_raw& operator*() const { return *event_; }
    sigev_event_raw* operator->() const { return event_; }
    void post() const { core::post(*event_); }
    bool consume() const { return core::consume(*event_); }

    bool readable() const
    {
        pollfd watched{core::descriptor_of(*event_), POLLIN, 0};
        return poll(&watched, 1, 0) == 1;
    }

private:
    sigev_event_raw* event_ = nullptr;
};

/// A kind that calls a hook before and after the write, or the drain, of another kind.
struct hooked {
    static inline const wakeup_kind* real;
    static inline void (*before)();
    static inline void (*after)();
    static inline void (*around_drain)();

    static void signal(const wakeup_pair& pair) noexcept
    {
        if (before)
            before();
        real->signal(pair);
        if (after)
            after();
    }

    static bool drain(const wakeup_pair& pair) noexcept
    {
        around_drain();
        const bool any = real->drain(pair);
        around_drain();
        return any;
    }

    static void put_into(sigev_event_raw& event, void (*first)(), void (*then)() = nullptr, void (*drain_hook)() = nullptr)
    {
        static wakeup_kind kind;
        real = event.kind == &kind ? real : event.kind;
        kind = *real;
        kind.signal = &hooked::signal;
        before = first;
        after = then;
        around_drain = drain_hook;
        if (drain_hook)
            kind.drain = &hooked::drain;
        event.kind = &kind;
    }

    static void put_around_drain(sigev_event_raw& event, void (*hook)()) { put_into(event, nullptr, nullptr, hook); }
};

inline thread_local sigjmp_buf way_out;
inline thread_local unsigned abandon_every = 0; // 0: never
inline thread_local unsigned passed = 0;

inline void abandon_sometimes()
{
    if (abandon_every && ++passed % abandon_every == 0)
        siglongjmp(way_out, 1);
}

/// False when the post was abandoned.
inline bool post_or_abandon(const sigev_event_raw& event)
{
    if (sigsetjmp(way_out, 0))
        return false;
    core::post(event);
    return true;
}

} // namespace sigev_tests

// sigev_reactor_*(): the caller's own event loop.
#include "capi/edge.hpp"
#include "sys/clock.hpp"

using namespace sigev;
using namespace sigev::capi;

int sigev_reactor_open(sigev_reactor_t* reactor) noexcept
{
    return answer(guarded([&] {
        if (!reactor)
            return EINVAL;
        core::registry* all = core::registry::ensure();
        if (!all)
            return ENOMEM;
        core::reactor* r = nullptr;
        const int error = all->open_reactor(r);
        if (error == 0)
            *reactor = all->handle_of(*r);
        return error;
    }));
}

namespace {

// f(registry, reactor) returns what the function returns.
template <class F>
int with_reactor(sigev_reactor_t number, F&& f) noexcept
{
    core::registry* all = core::registry::current();
    core::reactor* r = nullptr;
    if (!all || number == 0 || all->find_reactor(number, r) != 0)
        return answer(EINVAL);
    const call_guard guard;
    const int result = f(*r);
    r->generation.unpin();
    return result;
}

} // namespace

int sigev_reactor_descriptors(sigev_reactor_t reactor, int* descriptors, unsigned n) noexcept
{
    return with_reactor(reactor, [&](core::reactor& r) {
        return static_cast<int>(r.descriptors(descriptors, descriptors ? n : 0));
    });
}

int sigev_reactor_ready(sigev_reactor_t reactor, unsigned which) noexcept
{
    return with_reactor(reactor, [which](core::reactor& r) {
        r.ready(which);
        return 0;
    });
}

// Nor is this one: as sigev_reactor_wake().
int sigev_reactor_next_deadline(sigev_reactor_t reactor, clockid_t clock, timespec* deadline) noexcept
{
    const bool known = clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME;
    core::registry* all = core::registry::current();
    core::reactor* r = nullptr;
    if (!deadline || !known || !all || reactor == 0 || all->find_reactor(reactor, r) != 0)
        return answer(EINVAL);
    const std::uint64_t left = r->remaining();
    r->generation.unpin();
    if (left == core::reactor_source::never)
        return 0;
    const std::uint64_t now = sys::now(clock);
    constexpr std::uint64_t end = ~std::uint64_t{0};
    *deadline = sys::to_timespec(left < end - now ? now + left : end);
    return 1;
}

// Not with_reactor(): what holds back a cancellation has no place in a signal handler.
int sigev_reactor_wake(sigev_reactor_t reactor) noexcept
{
    core::registry* all = core::registry::current();
    core::reactor* r = nullptr;
    if (!all || reactor == 0 || all->find_reactor(reactor, r) != 0)
        return answer(EINVAL);
    r->wake();
    r->generation.unpin();
    return 0;
}

int sigev_reactor_close(sigev_reactor_t reactor) noexcept
{
    return answer(guarded([&] {
        core::registry* all = core::registry::current();
        core::reactor* r = nullptr;
        if (!all || reactor == 0 || all->find_reactor(reactor, r) != 0)
            return EINVAL;
        int error = 0;
        if (r->dispatcher().is_draining_here())
            error = EDEADLK;
        else if (!r->shut()) // somebody else closes it; while it is pinned, since the slot may serve again after that
            error = EINVAL;
        r->generation.unpin(); // closing waits for pins
        if (error == 0)
            all->close_reactor(*r);
        return error;
    }));
}

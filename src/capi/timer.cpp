// sigev_timer_*(): a timer_t of the host's holds a handle.
#include "capi/edge.hpp"
#include "capi/whose.hpp"
#include "sources/kernel_timer.hpp"
#include "sources/timer.hpp"

#include <cstring>
#include <optional>
#include <type_traits>

using namespace sigev;
using namespace sigev::capi;

static_assert(sizeof(timer_t) == sizeof(std::uint64_t), "a handle must fit into timer_t");

namespace {

std::uint64_t number_of(timer_t timer) noexcept
{
    return reinterpret_cast<std::uint64_t>(timer);
}

int check(const sigev_timer_options& o) noexcept
{
    const bool precise = o.flags == SIGEV_TIMER_PRECISE;
    if (o.size != sizeof o || (o.flags != 0 && !precise) || (precise && o.slack != 0) || o.reserved != 0)
        return EINVAL;
    switch (o.engine) {
    case SIGEV_ENGINE_DEFAULT:
    case SIGEV_ENGINE_HEAP:
    case SIGEV_ENGINE_KERNEL: return 0;
    default: return EINVAL;
    }
}

// A timer of the program's own loop that tells by nothing or by a call: what its making reaches is no cancellation point, or is held
// below, and to hold one back takes a tenth of the whole.
bool holds_for_itself(const sigev_timer_options& o, clockid_t clock, const sigevent* event) noexcept
{
    return o.reactor != 0 && event && (event->sigev_notify == SIGEV_CALLBACK || event->sigev_notify == SIGEV_NONE) &&
           (clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME) && o.engine != SIGEV_ENGINE_KERNEL;
}

int create(const sigev_timer_options& o, clockid_t clock, const sigevent* event, timer_t* timer) noexcept
{
    const sys::errno_guard guard;
    if (!timer)
        return EINVAL;
    std::optional<cancellation_hold> hold;
    if (!holds_for_itself(o, clock, event))
        hold.emplace();
    sources::timer_request wanted{clock, event, o.engine, o.slack, o.flags == SIGEV_TIMER_PRECISE};
    core::registry* all = core::registry::ensure();
    sources::timers* source = all ? sources::timers::ensure(*all) : nullptr;
    if (!source)
        return EAGAIN;
    core::reactor* on = nullptr;
    int error = all->find_reactor(o.reactor, on);
    if (error)
        return as_resource(error);
    std::uint64_t number = 0;
    if (o.manual_clock != 0 && !(wanted.on_clock = sources::timers::find_clock(o.manual_clock, source)))
        error = EINVAL;
    else
        error = source->create(*on, wanted, number);
    if (wanted.on_clock)
        wanted.on_clock->generation.unpin();
    on->generation.unpin();
    if (error == 0)
        *timer = reinterpret_cast<timer_t>(number);
    return as_resource(error);
}

// f(bank, timer), of either kind of bank, returns 0 or an errno. Async-signal-safe if f is: no cancellation point is below the
// calls that are.
template <class F>
int with_timer(timer_t timer, F&& f) noexcept
{
    sys::errno_guard guard;
    sources::bank* bank = nullptr;
    sources::bank::timer t{};
    int error = EINVAL;
    if (sources::timers::find(number_of(timer), bank, t))
        error = bank->family() == sources::clock_family::kernel ? f(static_cast<sources::kernel_bank&>(*bank), t)
                                                                : f(static_cast<sources::timer_bank&>(*bank), t);
    return error == 0 ? 0 : guard.fail(error);
}

int destroy(timer_t timer, bool wait) noexcept
{
    return with_timer(timer, [wait](auto& bank, const sources::bank::timer& t) {
        if constexpr (std::is_same_v<decltype(bank), sources::timer_bank&>)
            return bank.destroy(t, wait); // which knows when to hold a cancellation back
        const cancellation_hold hold;
        return bank.destroy(t, wait);
    });
}

} // namespace

int sigev_timer_create(clockid_t clock, sigevent* event, timer_t* timer) noexcept
{
    return answer(create({}, clock, event, timer));
}

int sigev_timer_create_on(sigev_reactor_t reactor, clockid_t clock, sigevent* event, timer_t* timer) noexcept
{
    sigev_timer_options on{};
    on.reactor = reactor;
    return answer(create(on, clock, event, timer));
}

int sigev_timer_create_with(
    const sigev_timer_options* options, clockid_t clock, sigevent* event, timer_t* timer) noexcept
{
    if (const int error = options ? check(*options) : 0)
        return answer(error);
    return answer(create(options ? *options : sigev_timer_options{}, clock, event, timer));
}

int sigev_timer_settime(timer_t timer, int flags, const itimerspec* value, itimerspec* old) noexcept
{
    return answer(value ? sources::timers::settime(number_of(timer), flags, *value, old) : EINVAL);
}

int sigev_timer_gettime(timer_t timer, itimerspec* value) noexcept
{
    if (!value)
        return answer(EINVAL);
    return with_timer(timer, [&](auto& bank, const sources::bank::timer& t) {
        return bank.gettime(t, *value);
    });
}

int sigev_timer_getoverrun(timer_t timer) noexcept
{
    int overrun = 0;
    const int error = with_timer(timer, [&](auto& bank, const sources::bank::timer& t) {
        return bank.overrun(t, overrun);
    });
    return error ? -1 : overrun;
}

int sigev_timer_delete(timer_t timer) noexcept
{
    return destroy(timer, false);
}

int sigev_timer_delete_wait(timer_t timer) noexcept
{
    return destroy(timer, true);
}

int sigev_timer_ledger(timer_t timer, sigev_ledger* ledger) noexcept
{
    if (!ledger)
        return answer(EINVAL);
    const cancellation_hold hold;
    return with_timer(timer, [&](auto& bank, const sources::bank::timer& t) {
        return bank.ledger(t, *ledger);
    });
}

bool sigev::capi::is_handle_of_ours(timer_t timer) noexcept
{
    return core::decode(number_of(timer)).kind == core::handle_kind::timer;
}

bool sigev::capi::is_kernel_timer_of_ours(int id) noexcept
{
    return sources::timers::keeps(id);
}

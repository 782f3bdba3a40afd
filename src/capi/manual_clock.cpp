// sigev_manual_clock_*(): time that stands still until a test moves it. sigev_clock_steps_open(): who is told when a clock is set.
#include "capi/edge.hpp"
#include "sources/clock_steps.hpp"
#include "sources/manual_clock.hpp"
#include "sources/timer.hpp"

using namespace sigev;
using namespace sigev::capi;

namespace {

// f(timers, clock) returns 0 or an errno. The clock is pinned meanwhile.
template <class F>
int with_clock(sigev_manual_clock_t number, F&& f) noexcept
{
    sys::errno_guard guard;
    sources::timers* all = nullptr;
    sources::manual_clock* const clock = sources::timers::find_clock(number, all);
    if (!clock)
        return guard.fail(EINVAL);
    const int error = f(*all, *clock);
    clock->generation.unpin();
    return error == 0 ? 0 : guard.fail(error);
}

} // namespace

int sigev_manual_clock_open(const timespec* realtime, sigev_manual_clock_t* clock) noexcept
{
    return answer(guarded([&] {
        if (!clock || (realtime && !sources::is_valid(*realtime)))
            return EINVAL;
        core::registry* registry = core::registry::ensure();
        sources::timers* all = registry ? sources::timers::ensure(*registry) : nullptr;
        constexpr std::uint64_t usual = 1'000'000'000; // seconds: the ninth of September, 2001
        return all ? all->open_clock(
                         realtime ? sys::to_nanoseconds(*realtime, sources::longest) : usual * sys::nanoseconds_per_second,
                         *clock)
                   : EAGAIN;
    }));
}

int sigev_manual_clock_advance(sigev_manual_clock_t clock, const timespec* by) noexcept
{
    const cancellation_hold hold;
    if (!by || !sources::is_valid(*by))
        return answer(EINVAL);
    return with_clock(clock, [by](sources::timers& all, sources::manual_clock& c) {
        return c.advance(all, sys::to_nanoseconds(*by, sources::longest));
    });
}

int sigev_manual_clock_settime(sigev_manual_clock_t clock, clockid_t side, const timespec* time) noexcept
{
    const cancellation_hold hold;
    if (!time || !sources::is_valid(*time))
        return answer(EINVAL);
    return with_clock(clock, [&](sources::timers& all, sources::manual_clock& c) {
        return c.set(all, side, sys::to_nanoseconds(*time, sources::longest));
    });
}

int sigev_manual_clock_gettime(sigev_manual_clock_t clock, clockid_t side, timespec* time) noexcept
{
    return with_clock(clock, [&](sources::timers&, sources::manual_clock& c) {
        if (!time || !sources::manual_clock::has(side))
            return EINVAL;
        *time = sys::to_timespec(c.time.now(side));
        return 0;
    });
}

int sigev_manual_clock_close(sigev_manual_clock_t clock) noexcept
{
    return answer(guarded([&] { return sources::timers::close_clock(clock); }));
}

int sigev_clock_steps_open(
    sigev_manual_clock_t clock, const sigevent* event, uint32_t capacity, const sigev_options* options,
    sigev_t* subscription) noexcept
{
    return answer(guarded([&] {
        core::subscription_spec spec;
        if (const int error = read_options(event, capacity, options, subscription, spec))
            return error;
        spec.source = SIGEV_SOURCE_CLOCK;
        core::registry* registry = core::registry::ensure();
        sources::timers* all = registry ? sources::timers::ensure(*registry) : nullptr;
        sources::clock_steps* const steps = all ? sources::clock_steps::ensure(*registry) : nullptr;
        if (!steps)
            return EAGAIN;
        sources::manual_clock* const manual = clock != 0 ? sources::timers::find_clock(clock, all) : nullptr;
        if (clock != 0 && !manual)
            return EINVAL;
        int error = registry->find_reactor(options ? options->reactor : 0, spec.on);
        if (error == 0) {
            error = steps->open(spec, manual, *subscription);
            spec.on->generation.unpin();
        }
        if (manual)
            manual->generation.unpin();
        return as_resource(error);
    }));
}

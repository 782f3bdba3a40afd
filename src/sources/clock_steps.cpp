#include "sources/clock_steps.hpp"

#include "sys/clock.hpp"
#include "sys/errno_guard.hpp"
#include "sys/raw_io.hpp"

#include <cerrno>
#include <new>
#include <sys/timerfd.h>
#include <unistd.h>

namespace sigev::sources {

namespace {

std::int64_t distance() noexcept
{
    return static_cast<std::int64_t>(sys::now(CLOCK_REALTIME) - sys::now(CLOCK_BOOTTIME));
}

} // namespace

// ---- one reactor's ------------------------------------------------------------------------------------------------------------

int step_watch::open(const core::reactor& on) noexcept
{
    const int fd = ::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0)
        return errno;
    fd_.store(fd, std::memory_order_release);
    arm();
    distance_ = distance();
    on_.store(&on, std::memory_order_release);
    return 0;
}

// False: the clock was set since it was last read.
bool step_watch::arm() noexcept
{
    itimerspec far{};
    far.it_value.tv_sec = 9'000'000'000; // in 2255
    constexpr int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    return ::timerfd_settime(fd_.load(std::memory_order_relaxed), flags, &far, nullptr) == 0 || errno != ECANCELED;
}

// Between two looks the clock may be set more than once: that is told as one step.
bool step_watch::reap() noexcept
{
    const sys::errno_guard guard;
    std::uint64_t count;
    if (sys::raw_read(fd_.load(std::memory_order_relaxed), &count, sizeof count) < 0 && errno != ECANCELED)
        return false;
    while (!arm())
        ;
    const std::int64_t now = distance();
    all_.tell(nullptr, on_.load(std::memory_order_relaxed), now - distance_);
    distance_ = now;
    return true;
}

unsigned step_watch::descriptors(int* out) const noexcept
{
    const int fd = fd_.load(std::memory_order_acquire);
    if (fd < 0)
        return 0;
    *out = fd;
    return 1;
}

void step_watch::detach() noexcept
{
    sys::unique_fd(fd_.exchange(-1, std::memory_order_acq_rel));
    on_.store(nullptr, std::memory_order_release);
}

// ---- all ----------------------------------------------------------------------------------------------------------------------

clock_steps* clock_steps::ensure(core::registry& all) noexcept
{
    return static_cast<clock_steps*>(
        all.ensure(core::extension_place::clock_steps, [](core::registry& r) -> std::unique_ptr<core::extension> {
            return std::make_unique<clock_steps>(r);
        }));
}

int clock_steps::watch(core::reactor& on) noexcept
{
    const std::lock_guard lock(watches_mutex_);
    if (on.source(core::reactor::steps_place))
        return 0;
    step_watch* free = nullptr;
    for (const auto& w : watches_)
        if (w->is_free())
            free = w.get();
    if (!free) {
        watches_.push_back(std::make_unique<step_watch>(*this));
        free = watches_.back().get();
    }
    if (const int error = free->open(on))
        return error;
    on.attach(core::reactor::steps_place, *free);
    on.wake(); // so that its loop learns of the descriptor
    return 0;
}

int clock_steps::open(const core::subscription_spec& spec, const manual_clock* clock, sigev_t& out) noexcept
{
    core::subscription* s = nullptr;
    try {
        if (!clock)
            if (const int error = watch(*spec.on))
                return error;
        if (const int error = registry_.open(spec, s))
            return error;
        const sigev_t handle = registry_.handle_of(*s);
        const std::lock_guard lock(mutex_);
        listeners_.push_back({handle, clock, spec.on});
        out = handle;
        return 0;
    } catch (const std::bad_alloc&) {
    }
    if (s) {
        spec.on->dispatcher().cancel(*s);
        registry_.release(*s);
    }
    return ENOMEM;
}

void clock_steps::forget(const manual_clock& clock) noexcept
{
    const std::lock_guard lock(mutex_);
    std::erase_if(listeners_, [&](const listener& l) { return l.clock == &clock; });
}

void clock_steps::tell(const manual_clock* clock, const core::reactor* on, std::int64_t by) noexcept
{
    const std::lock_guard lock(mutex_);
    std::erase_if(listeners_, [&](const listener& l) {
        core::subscription* const s = registry_.find(l.subscription);
        if (!s)
            return true; // closed
        if (l.clock == clock && (!on || l.on == on))
            s->road.load(std::memory_order_acquire)->submit(*s, core::decode(l.subscription).generation, by, 0);
        registry_.unpin(*s);
        return false;
    });
}

} // namespace sigev::sources

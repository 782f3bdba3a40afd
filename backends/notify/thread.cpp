// SIGEV_THREAD: the function is called as if it were the start routine of a new, detached thread with the given attributes.
// It is called by a cached worker; which one, and what makes two workers interchangeable, is the runtime's business
// (core/runtime). The lane keeps the target's calls in order, and reserves a thread now, so that none is missing later.
#include "spi/method.hpp"
#include "spi/workers.hpp"

#include <cerrno>
#include <new>

namespace sigev::backends {

namespace {

struct target {
    spi::workers* team;
    spi::lane* lane;
};

int open(const spi::open_request& request, void** out) noexcept
{
    if (!request.event.sigev_notify_function)
        return EINVAL;
    auto* t = new (std::nothrow) target{&request.team, nullptr};
    if (!t)
        return EAGAIN;
    spi::lane_call call;
    call.function = request.event.sigev_notify_function;
    const spi::lane_threads wanted{
        .attributes = static_cast<const pthread_attr_t*>(request.event.sigev_notify_attributes),
        .concurrency = request.concurrency,
        .fresh = request.fresh_thread,
    };
    if (const int error = t->team->open_lane(call, wanted, request.port, &t->lane)) {
        delete t;
        return error;
    }
    *out = t;
    return 0;
}

// Attributes are the program's memory, and what they say is looked at anew each time.
bool common(const sigevent& event, spi::workers& team, std::uint64_t& target) noexcept
{
    target = reinterpret_cast<std::uintptr_t>(event.sigev_notify_function);
    return !event.sigev_notify_attributes && team.are_calls_alike_here();
}

spi::verdict deliver(void* p, spi::delivery& d, const sigev_notification&) noexcept
{
    const auto& t = *static_cast<const target*>(p);
    t.team->enqueue(*t.lane, d, d);
    return spi::verdict::accepted;
}

void deliver_all(void* p, spi::delivery& first, spi::delivery& last) noexcept
{
    const auto& t = *static_cast<const target*>(p);
    t.team->enqueue(*t.lane, first, last);
}

spi::lane* lane_of(void* p) noexcept
{
    return static_cast<const target*>(p)->lane;
}

void withdraw(void* p) noexcept
{
    const auto& t = *static_cast<const target*>(p);
    t.team->withdraw(*t.lane);
}

void close(void* p) noexcept
{
    auto* t = static_cast<target*>(p);
    t->team->close_lane(t->lane);
    delete t;
}

} // namespace

extern const spi::method thread_method = {
    .name = "thread",
    .number = SIGEV_THREAD,
    .may_retry = false,
    .runs_user_code = false,
    .deferred = true,
    .open = open,
    .deliver = deliver,
    .withdraw = withdraw,
    .call = nullptr,
    .close = close,
    .deliver_all = deliver_all,
    .lane_of = lane_of,
    .anywhere = true,
    .common = common,
};

} // namespace sigev::backends

// SIGEV_CALLBACK: the function is called by the thread that runs the reactor. On the runtime's own reactor, where no code of
// the program may run on the loop, a worker calls it.
#include "spi/method.hpp"
#include "spi/workers.hpp"

#include <cerrno>
#include <new>

namespace sigev::backends {

namespace {

struct target {
    void (*function)(sigval);
};

int open(const spi::open_request& request, void** out) noexcept
{
    if (!request.event.sigev_notify_function)
        return EINVAL;
    auto* t = new (std::nothrow) target{request.event.sigev_notify_function};
    *out = t;
    return t ? 0 : EAGAIN;
}

spi::verdict deliver(void* p, spi::delivery&, const sigev_notification& n) noexcept
{
    static_cast<const target*>(p)->function(n.value);
    return spi::verdict::delivered;
}

void call(void* p, spi::lane_call& out) noexcept
{
    out.function = static_cast<const target*>(p)->function;
}

void close(void* p) noexcept
{
    delete static_cast<target*>(p);
}

} // namespace

extern const spi::method callback_method = {
    .name = "callback",
    .number = SIGEV_CALLBACK,
    .may_retry = false,
    .runs_user_code = true,
    .deferred = false,
    .open = open,
    .deliver = deliver,
    .withdraw = nullptr,
    .call = call,
    .close = close,
};

} // namespace sigev::backends

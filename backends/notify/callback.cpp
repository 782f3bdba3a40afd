// SIGEV_CALLBACK: the function is called by the thread that runs the reactor. On the runtime's own reactor, where no code of
// the program may run on the loop, a worker calls it.
#include "spi/method.hpp"
#include "spi/workers.hpp"

#include <cerrno>

namespace sigev::backends {

namespace {

// The target is the function itself.
using function = void (*)(sigval);

int open(const spi::open_request& request, void** out) noexcept
{
    if (!request.event.sigev_notify_function)
        return EINVAL;
    *out = reinterpret_cast<void*>(request.event.sigev_notify_function);
    return 0;
}

bool common(const sigevent& event, spi::workers&, std::uint64_t& target) noexcept
{
    target = reinterpret_cast<std::uintptr_t>(event.sigev_notify_function);
    return true;
}

spi::verdict deliver(void* p, spi::delivery&, const sigev_notification& n) noexcept
{
    reinterpret_cast<function>(p)(n.value);
    return spi::verdict::delivered;
}

void call(void* p, spi::lane_call& out) noexcept
{
    out.function = reinterpret_cast<function>(p);
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
    .close = nullptr,
    .common = common,
    .light = true,
};

} // namespace sigev::backends

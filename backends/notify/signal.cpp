// SIGEV_SIGNAL: the signal is queued to the process, with si_value, as a realtime signal is.
//
// The kernel's queue has a limit per user (RLIMIT_SIGPENDING). When it is full the answer is `retry`: the notification is held,
// in order, and offered again; it is not lost. Below SIGRTMIN the kernel keeps one instance of a signal that is pending, sends it
// without its value when the queue is full, and says nothing: `delivered` means accepted by the kernel.
//
// The disposition is not looked at: a blocked signal is queued even while it is ignored, and may be waited for.
#include "spi/method.hpp"
#include "sys/siginfo.hpp"

#include <cerrno>
#include <cstdint>

namespace sigev::backends {

namespace {

// The target is the signal's number itself.
int signo_of(void* target) noexcept
{
    return static_cast<int>(reinterpret_cast<std::intptr_t>(target));
}

int open(const spi::open_request& request, void** out) noexcept
{
    if (!sys::valid_signal(request.event.sigev_signo))
        return EINVAL;
    *out = reinterpret_cast<void*>(static_cast<std::intptr_t>(request.event.sigev_signo));
    return 0;
}

bool common(const sigevent& event, spi::workers&, std::uint64_t& target) noexcept
{
    target = static_cast<std::uint64_t>(event.sigev_signo);
    return true;
}

spi::verdict deliver(void* p, spi::delivery&, const sigev_notification& n) noexcept
{
    return sys::queue_to_process(signo_of(p), n) == EAGAIN ? spi::verdict::retry : spi::verdict::delivered;
}

} // namespace

extern const spi::method signal_method = {
    .name = "signal",
    .number = SIGEV_SIGNAL,
    .may_retry = true,
    .runs_user_code = false,
    .deferred = false,
    .open = open,
    .deliver = deliver,
    .withdraw = nullptr,
    .call = nullptr,
    .close = nullptr,
    .common = common,
    .light = true,
};

} // namespace sigev::backends

// sigev_kqueue(), sigev_kqueue_close(), sigev_kevent(): the C edge of the kqueues.
#include "capi/edge.hpp"
#include "spi/kqueue_port.hpp"

using namespace sigev;

namespace {

/// Null when this process has used nothing yet: then no descriptor is a kqueue.
spi::kqueue_port* kqueues() noexcept
{
    core::registry* const all = core::registry::current();
    return all ? &all->kqueues() : nullptr;
}

} // namespace

int sigev_kqueue(void) noexcept
{
    capi::call_guard guard;
    core::registry* const all = core::registry::ensure();
    const int result = all ? all->kqueues().open() : -ENOMEM;
    return result >= 0 ? result : guard.fail(-result);
}

int sigev_kqueue_close(int kqueue) noexcept
{
    return capi::answer(capi::guarded([&] {
        spi::kqueue_port* const all = kqueues();
        return all ? all->close(kqueue) : EBADF;
    }));
}

int sigev_kevent(int kqueue, const struct sigev_kev* changes, int nchanges, struct sigev_kev* events, int nevents,
                 const struct timespec* timeout) noexcept
{
    capi::call_guard guard;
    spi::kqueue_port* const all = kqueues();
    const int result = all ? all->kevent(kqueue, changes, nchanges, events, nevents, timeout) : -EBADF;
    return result >= 0 ? result : guard.fail(-result);
}

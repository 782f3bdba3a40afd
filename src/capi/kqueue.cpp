// sigev_kqueue(), sigev_kqueue_close(), sigev_kevent(): the C edge of the kqueues.
#include <sigev.h>

#include "core/registry.hpp"
#include "spi/kqueue_port.hpp"
#include "sys/errno_guard.hpp"

#include <cerrno>

namespace {

/// -errno as a system call answers it, to errno and -1 as C expects it.
int answer(int result) noexcept
{
    if (result >= 0)
        return result;
    errno = -result;
    return -1;
}

/// Null when this process has not made a kqueue: then no descriptor is one.
sigev::spi::kqueue_port* kqueues() noexcept
{
    sigev::core::registry* const registry = sigev::core::registry::current();
    return registry ? &registry->kqueues() : nullptr;
}

} // namespace

int sigev_kqueue() noexcept
{
    int result = -ENOMEM;
    {
        const sigev::sys::errno_guard guard;
        if (sigev::core::registry* const registry = sigev::core::registry::ensure())
            result = registry->kqueues().open();
    }
    return answer(result);
}

int sigev_kqueue_close(int kqueue) noexcept
{
    int error = EBADF;
    {
        const sigev::sys::errno_guard guard;
        if (sigev::spi::kqueue_port* const all = kqueues())
            error = all->close(kqueue);
    }
    return answer(-error);
}

int sigev_kevent(int kqueue, const struct sigev_kev* changes, int nchanges, struct sigev_kev* events, int nevents,
                 const struct timespec* timeout) noexcept
{
    int result = -EBADF;
    {
        const sigev::sys::errno_guard guard;
        if (sigev::spi::kqueue_port* const all = kqueues())
            result = all->kevent(kqueue, changes, nchanges, events, nevents, timeout);
    }
    return answer(result);
}

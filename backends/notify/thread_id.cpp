// SIGEV_THREAD_ID: the signal is queued to one thread of this process.
//
// A thread that has ended is *gone*, and what is raised for it is discarded and counted. Its number may be given to another
// thread: so what is kept is not the number but a hold on the thread itself, and that is looked at before each signal. With
// Linux 6.9 the hold is a pidfd of the thread, which can be sent to directly; before, a descriptor of the thread's folder
// in /proc, which stays empty once the thread has ended, whoever has the number now. Between that look and the signal the
// thread may end and its number be given away: the window is the length of one system call, and is closed by the pidfd only.
// Without /proc the number is all there is.
#include "spi/method.hpp"
#include "sys/siginfo.hpp"
#include "sys/thread_hold.hpp"

#include <cerrno>
#include <new>

namespace sigev::backends {

namespace {

struct target {
    int signo;
    sys::thread_hold thread;
};

int open(const spi::open_request& request, void** out) noexcept
{
    if (!sys::valid_signal(request.event.sigev_signo))
        return EINVAL;
    auto* t = new (std::nothrow) target{request.event.sigev_signo, {}};
    if (!t)
        return EAGAIN;
    if (const int error = t->thread.open(request.event.sigev_notify_thread_id)) {
        delete t;
        return error;
    }
    *out = t;
    return 0;
}

spi::verdict deliver(void* p, spi::delivery&, const sigev_notification& n) noexcept
{
    auto& t = *static_cast<target*>(p);
    switch (t.thread.queue(t.signo, n)) {
    case 0: return spi::verdict::delivered;
    case EAGAIN: return spi::verdict::retry;
    default: return spi::verdict::gone;
    }
}

void close(void* p) noexcept
{
    delete static_cast<target*>(p);
}

} // namespace

extern const spi::method thread_id_method = {
    .name = "thread_id",
    .number = SIGEV_THREAD_ID,
    .may_retry = true,
    .runs_user_code = false,
    .deferred = false,
    .open = open,
    .deliver = deliver,
    .withdraw = nullptr,
    .call = nullptr,
    .close = close,
};

} // namespace sigev::backends

// SIGEV_KEVENT: a kevent is posted to the kqueue that the sigevent names, and counts as delivered once it is
// retrieved.
#include "spi/kqueue_port.hpp"
#include "spi/method.hpp"

#include <cerrno>
#include <memory>
#include <new>

namespace sigev::backends {

namespace {

using spi::knote;
using spi::kqueue_port;

struct target {
    kqueue_port& kqueues;
    knote* note;
};

target& as_target(void* p) noexcept { return *static_cast<target*>(p); }

int open(const spi::open_request& request, void** out) noexcept
{
    // As on FreeBSD. A program that did not zero its sigevent most often learns it here.
    const int flags = request.event.sigev_notify_kevent_flags;
    if (flags & ~(EV_ONESHOT | EV_CLEAR | EV_DISPATCH))
        return EINVAL;

    std::unique_ptr<target> t(new (std::nothrow) target{request.kqueues, nullptr});
    if (!t)
        return ENOMEM;
    const spi::knote_request note{
        .kqueue = request.event.sigev_notify_kqueue,
        .source = request.source,
        .ident = request.ident,
        .udata = request.event.sigev_value.sival_ptr, // the whole union: a sival_int lies where its writer put it
        .flags = static_cast<std::uint16_t>(flags),
        .port = request.port,
    };
    if (const int error = request.kqueues.attach(note, &t->note))
        return error;
    *out = t.release();
    return 0;
}

spi::verdict deliver(void* t, spi::delivery& d, const sigev_notification&) noexcept
{
    return as_target(t).kqueues.post(*as_target(t).note, d) ? spi::verdict::accepted : spi::verdict::gone;
}

void withdraw(void* t) noexcept { as_target(t).kqueues.withdraw(*as_target(t).note); }

void close(void* t) noexcept
{
    const std::unique_ptr<target> owned(&as_target(t));
    owned->kqueues.detach(owned->note);
}

} // namespace

extern const spi::method kevent_method = {
    .name = "kevent",
    .number = SIGEV_KEVENT,
    .may_retry = false,
    .runs_user_code = false,
    .deferred = true, // the overrun is latched at retrieval
    .open = open,
    .deliver = deliver,
    .withdraw = withdraw,
    .call = nullptr,
    .close = close,
    .anywhere = true,
};

} // namespace sigev::backends

// SIGEV_KEVENT: a kevent is posted to the kqueue that the sigevent names, and counts as delivered once it is
// retrieved.
#include "spi/kqueue_port.hpp"
#include "spi/method.hpp"

#include <cerrno>

namespace sigev::backends {

namespace {

using spi::knote;
using spi::kqueue_port;
using spi::pledge;

// The target is the note itself.
knote* note_of(void* p) noexcept { return static_cast<knote*>(p); }

// What one has of all who share the road: the note as well; or, of a request, the pledge of one, to be told by its lowest bit.
bool is_pledge(const void* own) noexcept { return reinterpret_cast<std::uintptr_t>(own) & 1; }
void* own_of(pledge* p) noexcept { return reinterpret_cast<char*>(p) + 1; }
pledge* pledge_of(void* own) noexcept { return reinterpret_cast<pledge*>(static_cast<char*>(own) - 1); }

// As on FreeBSD. A program that did not zero its sigevent most often learns it here.
bool are_legal(int flags) noexcept { return (flags & ~(EV_ONESHOT | EV_CLEAR | EV_DISPATCH)) == 0; }

int attach(const spi::open_request& request, bool once, void** out) noexcept
{
    const int flags = request.event.sigev_notify_kevent_flags;
    if (!are_legal(flags))
        return EINVAL;

    const spi::knote_request note{
        .kqueue = request.event.sigev_notify_kqueue,
        .source = request.source,
        .ident = request.ident,
        .udata = request.event.sigev_value.sival_ptr, // the whole union: a sival_int lies where its writer put it
        .flags = static_cast<std::uint16_t>(flags),
        .port = request.port,
        .once = once,
    };
    knote* k = nullptr;
    const int error = request.kqueues.attach(note, &k);
    *out = k;
    return error;
}

int open(const spi::open_request& request, void** out) noexcept
{
    return attach(request, false, out);
}

// Into whatever kqueue: what many can share of it is the road only.
bool common(const sigevent&, spi::workers&, std::uint64_t& target) noexcept
{
    target = 0;
    return true;
}

int join(const spi::open_request& request, void** own) noexcept
{
    if (request.source != SIGEV_SOURCE_AIO)
        return attach(request, true, own);
    const int flags = request.event.sigev_notify_kevent_flags;
    if (!are_legal(flags))
        return EINVAL;
    pledge* p = nullptr;
    const int error =
        request.kqueues.promise(request.event.sigev_notify_kqueue, request.ident, static_cast<std::uint16_t>(flags), &p);
    if (!error)
        *own = own_of(p);
    return error;
}

void leave(void* own) noexcept
{
    if (is_pledge(own))
        kqueue_port::give_up(pledge_of(own));
    else
        kqueue_port::detach(note_of(own));
}

spi::verdict deliver(void* t, spi::delivery& d, const sigev_notification& n) noexcept
{
    const bool posted = is_pledge(t) ? kqueue_port::post(*pledge_of(t), d, *static_cast<spi::note_room*>(n.value.sival_ptr))
                                     : kqueue_port::post(*note_of(t), d);
    return posted ? spi::verdict::accepted : spi::verdict::gone;
}

void withdraw(void* t) noexcept { kqueue_port::withdraw(*note_of(t)); }

void close(void* t) noexcept { kqueue_port::detach(note_of(t)); }

void withdraw_all(kqueue_port& kqueues, bool (*is)(const spi::delivery&, const void*), const void* what) noexcept
{
    kqueues.withdraw_if(is, what);
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
    .common = common,
    .join = join,
    .leave = leave,
    .withdraw_all = withdraw_all,
};

} // namespace sigev::backends

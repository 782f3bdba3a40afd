// What a call of aio_read() and its like does before there is a request on its way: what it says is looked at, who is to be told
// is subscribed, and a read of what is in memory is over.
#include "sources/aio.hpp"

#include "core/statistics.hpp"
#include "sources/aio_now.hpp"
#include "sources/aio_options.hpp"
#include "sources/aio_request.hpp"
#include "sources/aio_status.hpp"
#include "sys/clock.hpp"

#include <cerrno>
#include <new>
#include <utility>

namespace sigev::sources {

int aio_source::submit(const aio_call& call, aiocb& cb) noexcept
{
    static_assert(sizeof(telling_request) <= 216, "what a request may cost, with what the heap takes for itself: 224");
    quiet_request probe; // a read that is over inside the call, and tells nobody, needs no more than this
    request_ptr r;
    const bool tells = !is_silent(cb.aio_sigevent);
    if (tells && !(r = make_request(cb.aio_sigevent)))
        return EAGAIN;
    request& wanted = tells ? *r : probe;
    if (const int error = prepare(call, cb, wanted))
        return error;
    if (is_over_inside(call, wanted)) {
        publish_over(wanted);
        if (tells)
            finish(*r.release());
        return 0;
    }
    if (!tells)
        if (void* const memory = spare_requests_.take(sizeof(quiet_request)))
            r.reset(new (memory) quiet_request(std::move(probe)));
    if (!r) {
        abandon(probe);
        return EAGAIN;
    }
    return start(std::move(r));
}

// Null: no memory.
aio_source::request_ptr aio_source::make_request(const sigevent& event) noexcept
{
    if (is_silent(event))
        return request_ptr(new (std::nothrow) quiet_request);
    request_ptr r(new (std::nothrow) telling_request);
    if (r)
        r->tells = true;
    return r;
}

void aio_source::request_deleter::operator()(request* r) const noexcept
{
    if (r->tells)
        delete static_cast<telling_request*>(r);
    else
        delete static_cast<quiet_request*>(r);
}

bool aio_source::is_over_inside(const aio_call& call, request& r) noexcept
{
    if (r.operation != spi::aio_operation::read || call.tried)
        return false;
    now_read read{r.buffer, r.length, r.offset, r.pieces};
    const bool over = read_now(read, r.user->aio_fildes);
    r.result = read.result;
    return over;
}

// What the call says, and who is to be told. 0 or the error of the call; then nothing is left behind.
int aio_source::prepare(const aio_call& call, aiocb& cb, request& r) noexcept
{
    if (const int error = refused_at_once(call.operation, cb.aio_reqprio))
        return error;
    r.user = &cb;
    r.operation = call.operation;
    r.buffer = const_cast<void*>(cb.aio_buf);
    r.length = cb.aio_nbytes;
    r.offset = cb.aio_offset;
    if (call.vector) {
        const auto* const pieces = static_cast<const iovec*>(r.buffer);
        if (const int error = vector_length(pieces, cb.aio_nbytes, r.length))
            return error;
        r.pieces = static_cast<std::uint32_t>(cb.aio_nbytes);
    }
    if (is_aio_kept() && !reserve_entry(r))
        return EAGAIN;
    int error = 0;
    if (r.tells)
        error = subscribe(call.on, cb.aio_sigevent, SIGEV_SOURCE_AIO, reinterpret_cast<std::uintptr_t>(&cb),
                          static_cast<telling_request&>(r), told_by_kevent(cb) ? free_noted : free_told);
    else if (call.on != 0)
        error = look_for_reactor(call.on);
    if (error)
        abandon(r);
    else if (core::statistics::wanted()) [[unlikely]]
        note_asked(r);
    return error;
}

void aio_source::note_asked(request& r) noexcept
{
    core::statistics::created(SIGEV_SOURCE_AIO, r.tells ? r.told()->method->number : SIGEV_NONE);
    r.asked() = static_cast<std::int64_t>(sys::now(CLOCK_MONOTONIC));
}

// For aio_waitcomplete(). What an earlier request of the same aiocb has left, and nobody has returned, is given up.
bool aio_source::reserve_entry(request& r) noexcept
{
    take_aio(*r.user);
    r.entry = completed_.reserve();
    return r.entry != aio_completed::none;
}

// 0, EINVAL or EAGAIN.
int aio_source::look_for_reactor(sigev_reactor_t on) noexcept
{
    core::reactor* reactor;
    const int error = registry_.find_reactor(on, reactor);
    if (!error)
        reactor->generation.unpin();
    return !error || error == EINVAL ? error : EAGAIN;
}

// Not of a silent event. The subscription is pinned.
int aio_source::subscribe(sigev_reactor_t on, const sigevent& event, int source, std::uint64_t ident, aio_telling& out,
                          void (*over)(core::occasion&) noexcept) noexcept
{
    core::subscription_spec spec;
    spec.event = &event;
    spec.source = source;
    spec.ident = ident;
    spec.code = SI_ASYNCIO;
    spec.over = over;
    int error = registry_.commons().join(on, spec, out);
    if (error == ENOTSUP) {
        core::reactor* reactor;
        if (const int none = registry_.find_reactor(on, reactor))
            return none == EINVAL ? EINVAL : EAGAIN;
        spec.one_shot = true;
        spec.on = reactor;
        error = registry_.open(spec, out.owner);
        reactor->generation.unpin();
    }
    return error == ENOMEM ? EAGAIN : error;
}

// Nothing was started: nobody is told.
void aio_source::abandon(request& r) noexcept
{
    if (r.tells)
        stay_silent(static_cast<telling_request&>(r));
    if (const auto entry = std::exchange(r.entry, aio_completed::none); entry != aio_completed::none)
        completed_.give_back(entry);
}

void aio_source::stay_silent(aio_telling& t) noexcept
{
    if (!t.owner)
        return;
    if (t.owner->kind == core::raising::common)
        return registry_.commons().leave(t);
    core::subscription* const s = std::exchange(t.owner, nullptr);
    s->road.load(std::memory_order_acquire)->cancel(*s);
    s->generation.unpin();
    registry_.maybe_free(*s);
}

} // namespace sigev::sources

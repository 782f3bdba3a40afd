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

bool aio_source::read_inside(aio_call& call, aiocb& cb) noexcept
{
    if (!is_simple_read(call, cb))
        return false;
    now_read read{const_cast<void*>(cb.aio_buf), cb.aio_nbytes, cb.aio_offset};
    if (!read_now(read, cb.aio_fildes)) {
        call.tried = true;
        return false;
    }
    registry_.count_silent_requests(1);
    aio_status::over(cb, registry_.epoch, false, read.result, 0);
    return true;
}

int aio_source::submit(const aio_call& call, aiocb& cb) noexcept
{
    request probe; // a read that is over inside the call needs no more than this
    if (const int error = prepare(call, cb, probe))
        return error;
    if (is_over_inside(call, probe)) {
        publish_over(probe);
        tell(probe.told, probe.result, 0);
        return 0;
    }
    std::unique_ptr<request> r(new (std::nothrow) request(std::move(probe)));
    if (!r) {
        abandon(probe);
        return EAGAIN;
    }
    static_assert(sizeof(request) <= 256, "what a request may cost");
    return start(std::move(r));
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
    if (!is_silent(cb.aio_sigevent) || call.on != 0)
        error = subscribe(call.on, cb.aio_sigevent, SIGEV_SOURCE_AIO, reinterpret_cast<std::uintptr_t>(&cb), r.told);
    if (error)
        abandon(r);
    else if (core::statistics::wanted()) [[unlikely]]
        note_asked(r);
    return error;
}

void aio_source::note_asked(request& r) noexcept
{
    core::statistics::created(SIGEV_SOURCE_AIO, r.told ? r.told->method->number : SIGEV_NONE);
    r.asked = static_cast<std::int64_t>(sys::now(CLOCK_MONOTONIC));
}

// For aio_waitcomplete(). What an earlier request of the same aiocb has left, and nobody has returned, is given up.
bool aio_source::reserve_entry(request& r) noexcept
{
    take_aio(*r.user);
    r.entry = completed_.reserve();
    return r.entry != aio_completed::none;
}

int aio_source::subscribe(sigev_reactor_t on, const sigevent& event, int source, std::uint64_t ident,
                          core::subscription*& out) noexcept
{
    core::reactor* reactor;
    if (const int error = registry_.find_reactor(on, reactor))
        return error == EINVAL ? EINVAL : EAGAIN;
    int error = 0;
    if (!is_silent(event)) {
        core::subscription_spec spec;
        spec.event = &event;
        spec.source = source;
        spec.ident = ident;
        spec.code = SI_ASYNCIO;
        spec.one_shot = true;
        spec.on = reactor;
        error = registry_.open(spec, out);
        if (!error)
            out->generation.pin(0, 0);
    }
    reactor->generation.unpin();
    return error == ENOMEM ? EAGAIN : error;
}

// Nothing was started: nobody is told.
void aio_source::abandon(request& r) noexcept
{
    abandon(r.told);
    if (const auto entry = std::exchange(r.entry, aio_completed::none); entry != aio_completed::none)
        completed_.give_back(entry);
}

void aio_source::abandon(core::subscription*& told) noexcept
{
    core::subscription* const s = std::exchange(told, nullptr);
    if (!s)
        return;
    s->road.load(std::memory_order_acquire)->cancel(*s);
    s->generation.unpin();
    registry_.maybe_free(*s);
}

} // namespace sigev::sources

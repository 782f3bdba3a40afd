// lio_listio(). In three steps: everything is looked at and reserved, which may fail with nothing started; everything is
// started; the last one to end tells of the whole.
//
// While requests are started the list counts one more than there are, so that it is not over before the last one is. Each
// request's own notification is raised before the request is taken off the list's count: so the list's comes after all of
// theirs. The list's state is on the heap and counts who holds it: a caller of LIO_WAIT whom a signal takes away, as an array
// of his that is gone, harms nobody.
//
// Reads that tell nobody have nothing to reserve: they are tried when their turn comes, inside the call, and are requests only
// if that was in vain.
//
// What could be started by itself and is not, for want of memory, a descriptor or a thread, has the status EAGAIN; the others
// go on.
#include "core/statistics.hpp"
#include "sources/aio_ended.h"
#include "sources/aio_now.hpp"
#include "sources/aio_request.hpp"
#include "sources/aio_status.hpp"
#include "sys/futex.hpp"

#include <cerrno>
#include <new>
#include <utility>

namespace sigev::sources {

namespace {

bool call_of(const aiocb& cb, sigev_reactor_t on, aio_call& out) noexcept
{
    out.on = on;
    switch (cb.aio_lio_opcode) {
    case LIO_READ:
    case SIGEV_LIO_READV:
        out.operation = spi::aio_operation::read;
        break;
    case LIO_WRITE:
    case SIGEV_LIO_WRITEV:
        out.operation = spi::aio_operation::write;
        break;
    default:
        return false;
    }
    out.vector = cb.aio_lio_opcode == SIGEV_LIO_READV || cb.aio_lio_opcode == SIGEV_LIO_WRITEV;
    return true;
}

bool is_nothing(const aiocb* cb) noexcept
{
    return !cb || cb->aio_lio_opcode == LIO_NOP;
}

} // namespace

int aio_source::submit_list(sigev_reactor_t on, bool wait, aiocb* const list[], int entries, const sigevent* event) noexcept
{
    aio_list* whole = nullptr;
    if (const int error = open_list(on, list, wait ? nullptr : event, whole))
        return error;
    request* first = nullptr; // prepared, by `next`
    if (const int error = prepare_list(on, list, entries, *whole, first)) {
        stay_silent(*whole);
        whole->let_go();
        return error;
    }
    begin_list(list, entries);
    const int error = start_list(on, list, entries, *whole, first);
    ::sigev_aio_ended_tell(); // somebody may wait for what was over inside the call, or was not started
    if (!wait) {
        one_less(*whole, 0);
        return error;
    }
    whole->references.fetch_add(1, std::memory_order_relaxed);
    one_less(*whole, 0);
    const int interrupted = wait_for(*whole);
    const bool failed = whole->failed.load(std::memory_order_acquire);
    whole->let_go();
    return interrupted ? interrupted : error ? error : failed ? EIO : 0;
}

// 0, or an errno; then nothing is left behind.
int aio_source::prepare_list(sigev_reactor_t on, aiocb* const list[], int entries, aio_list& whole, request*& first) noexcept
{
    spi::aio_work** end = nullptr;
    int error = 0;
    for (int i = 0; i < entries && !error; ++i) {
        aio_call call;
        if (is_nothing(list[i]))
            continue;
        if (!call_of(*list[i], on, call)) {
            error = EINVAL;
            break;
        }
        if (is_simple_read(call, *list[i]))
            continue;
        request_ptr r = make_request(list[i]->aio_sigevent);
        error = r ? prepare(call, *list[i], *r) : EAGAIN;
        if (error)
            break;
        r->list = &whole;
        request* const kept = r.release();
        if (end)
            *end = kept;
        else
            first = kept;
        end = &kept->next;
    }
    while (error && first) {
        const request_ptr r(std::exchange(first, static_cast<request*>(first->next)));
        abandon(*r);
    }
    return error;
}

// Who is told of the first may look at the others at once, also in a handler on this thread: they are in progress.
void aio_source::begin_list(aiocb* const list[], int entries) noexcept
{
    for (int i = 0; i < entries; ++i)
        if (!is_nothing(list[i]))
            aio_status::begin(*list[i], registry_.epoch, told_by_kevent(*list[i]), nullptr);
}

// 0, or EAGAIN: some could not be started.
int aio_source::start_list(sigev_reactor_t on, aiocb* const list[], int entries, aio_list& whole, request* first) noexcept
{
    int error = 0;
    for (int i = 0; i < entries; ++i) {
        aio_call call;
        request_ptr r;
        if (is_nothing(list[i])) {
            continue;
        } else if (first && first->user == list[i]) {
            r.reset(std::exchange(first, static_cast<request*>(first->next)));
            r->next = nullptr;
        } else {
            if (!call_of(*list[i], on, call) || read_inside(call, *list[i]))
                continue;
            r = make_request(list[i]->aio_sigevent);
            if (!r || prepare(call, *list[i], *r) != 0) {
                aio_status::over(*list[i], registry_.epoch, told_by_kevent(*list[i]), -1, EAGAIN);
                whole.failed.store(true, std::memory_order_relaxed);
                error = EAGAIN;
                continue;
            }
            r->list = &whole;
        }
        whole.references.fetch_add(1, std::memory_order_relaxed);
        whole.left.fetch_add(1, std::memory_order_relaxed);
        if (start_one(call, std::move(r)) != 0)
            error = EAGAIN;
    }
    return error;
}

int aio_source::open_list(sigev_reactor_t on, aiocb* const list[], const sigevent* event, aio_list*& out) noexcept
{
    std::unique_ptr<aio_list> whole(new (std::nothrow) aio_list);
    if (!whole)
        return EAGAIN;
    if (event && !is_silent(*event)) {
        const auto over = [](core::occasion& o) noexcept { static_cast<aio_list&>(static_cast<aio_telling&>(o)).let_go(); };
        if (const int error =
                subscribe(on, *event, SIGEV_SOURCE_AIO_LIST, reinterpret_cast<std::uintptr_t>(list), *whole, over))
            return error;
        if (core::statistics::wanted()) [[unlikely]]
            core::statistics::created(SIGEV_SOURCE_AIO_LIST, whole->owner->method->number);
    } else if (on != 0) {
        if (const int error = look_for_reactor(on))
            return error;
    }
    out = whole.release();
    return 0;
}

// 0, or EAGAIN: it was not started, and its status says so.
int aio_source::start_one(const aio_call& call, request_ptr r) noexcept
{
    aiocb& cb = *r->user;
    if (is_over_inside(call, *r)) {
        publish_over(*r);
        finish(*r.release());
        return 0;
    }
    aio_list& whole = *r->list;
    const int error = start(std::move(r));
    if (error) {
        aio_status::over(cb, registry_.epoch, told_by_kevent(cb), -1, error);
        one_less(whole, error);
    }
    return error;
}

// A request of it has ended, or the one who submits it is through. Hands back a reference.
void aio_source::one_less(aio_list& list, int error) noexcept
{
    if (error)
        list.failed.store(true, std::memory_order_release);
    if (list.left.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        if (list.owner) {
            list.references.fetch_add(1, std::memory_order_relaxed); // the notification's
            if (!tell(list, 0, list.failed.load(std::memory_order_acquire) ? EIO : 0))
                list.let_go();
        }
        if (list.over.exchange(aio_list::all_over, std::memory_order_seq_cst) == aio_list::awaited)
            sys::futex_wake(list.over);
    }
    list.let_go();
}

// 0 or EINTR; then the requests go on.
int aio_source::wait_for(aio_list& list) noexcept
{
    std::uint32_t seen = aio_list::going_on;
    list.over.compare_exchange_strong(seen, aio_list::awaited, std::memory_order_acquire);
    while (list.over.load(std::memory_order_acquire) != aio_list::all_over)
        if (!sys::futex_wait_interruptibly(list.over, aio_list::awaited))
            return EINTR;
    return 0;
}

} // namespace sigev::sources

#include "sources/aio.hpp"

#include "sources/aio_status.hpp"
#include "sys/clock.hpp"
#include "sys/unique_fd.hpp"

#include <cerrno>
#include <fcntl.h>
#include <new>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace sigev::sources {

struct aio_source::request : spi::aio_work, aio_order::item {
    aiocb* user = nullptr; ///< not touched once its status is final
    core::subscription* told = nullptr;
    aio_order::file* file = nullptr; ///< a reference, until launch() hands it over
    sys::unique_fd held;
    order_kind ordered = order_kind::free;
};

namespace {

// What ends by itself. Anything else may wait for ever: character devices (terminals) and what has no type (eventfd) too.
bool ends_by_itself(mode_t mode) noexcept
{
    return S_ISREG(mode) || S_ISBLK(mode) || S_ISDIR(mode);
}

// Programs leave the sigevent of an aiocb zeroed when they want to hear nothing.
sigevent effective_event(const aiocb& cb) noexcept
{
    sigevent event = cb.aio_sigevent;
    if (event.sigev_notify == SIGEV_SIGNAL && event.sigev_signo == 0)
        event.sigev_notify = SIGEV_NONE;
    return event;
}

} // namespace

aio_source::aio_source(core::registry& all) : registry_(all), engine_(spi::make_thread_engine(*this)) {}

aio_source* aio_source::ensure() noexcept
{
    core::registry* all = core::registry::ensure();
    if (!all)
        return nullptr;
    return static_cast<aio_source*>(
        all->ensure(core::extension_place::aio, [](core::registry& r) -> std::unique_ptr<core::extension> {
            return std::make_unique<aio_source>(r);
        }));
}

void aio_source::stop() noexcept
{
    engine_->stop();
}

// ---- the call ---------------------------------------------------------------------------------------------------------

int aio_source::submit(sigev_reactor_t on, spi::aio_operation operation, aiocb& cb) noexcept
{
    if (const int error = refused_at_once(operation, cb.aio_reqprio))
        return error;
    std::unique_ptr<request> r(new (std::nothrow) request);
    if (!r)
        return EAGAIN;
    static_assert(sizeof(request) <= 256, "what a request may cost");
    r->user = &cb;
    r->operation = operation;
    r->buffer = const_cast<void*>(cb.aio_buf);
    r->length = cb.aio_nbytes;
    r->offset = cb.aio_offset;

    int error = hold_file(*r, cb);
    if (!error && !r->error)
        error = engine_->reserve(r->may_wait);
    if (!error)
        error = subscribe(*r, on, cb);
    if (error) {
        if (r->file) {
            const std::lock_guard lock(mutex_);
            order_.close(*r->file);
        }
        return error;
    }
    aio_status::begin(cb, registry_.epoch, cb.aio_sigevent.sigev_notify == SIGEV_KEVENT);
    launch(*r.release());
    return 0;
}

// The duplicate, and what the file is. An error of the operation itself is kept in r.error. 0 or the error of the call.
int aio_source::hold_file(request& r, const aiocb& cb) noexcept
{
    r.held = sys::unique_fd(::fcntl(cb.aio_fildes, F_DUPFD_CLOEXEC, 0));
    struct stat about;
    if (!r.held || ::fstat(r.held.get(), &about) != 0) {
        if (errno != EBADF)
            return EAGAIN; // no descriptor, no memory
        r.error = EBADF;
        return is_sync(r.operation) ? EBADF : 0;
    }
    r.descriptor = r.held.get();
    r.positioned = ::lseek(r.descriptor, 0, SEEK_CUR) >= 0;
    r.may_wait = !ends_by_itself(about.st_mode) && !is_sync(r.operation);
    r.error = fails_later(r.operation, r.positioned, r.offset, r.length);
    if (r.error || !ends_by_itself(about.st_mode))
        return 0; // no order among what may never end: a sync would never start

    if (is_sync(r.operation))
        r.ordered = order_kind::sync;
    else if (r.operation == spi::aio_operation::write && (::fcntl(r.descriptor, F_GETFL) & O_APPEND))
        r.ordered = order_kind::append;
    const std::lock_guard lock(mutex_);
    r.file = order_.open({about.st_dev, about.st_ino});
    return r.file ? 0 : EAGAIN;
}

int aio_source::subscribe(request& r, sigev_reactor_t on, const aiocb& cb) noexcept
{
    core::reactor* reactor;
    if (const int error = registry_.find_reactor(on, reactor))
        return error == EINVAL ? EINVAL : EAGAIN;
    const sigevent event = effective_event(cb);
    core::subscription_spec spec;
    spec.event = &event;
    spec.source = SIGEV_SOURCE_AIO;
    spec.ident = reinterpret_cast<std::uintptr_t>(&cb);
    spec.code = SI_ASYNCIO;
    spec.one_shot = true;
    spec.on = reactor;
    const int error = registry_.open(spec, r.told);
    if (!error)
        r.told->generation.pin(0, 0);
    reactor->generation.unpin();
    return error == ENOMEM ? EAGAIN : error;
}

void aio_source::launch(request& r) noexcept
{
    if (r.error) { // known already; told as if the operation had found it
        aio_status::finish(*r.user, -1, r.error);
        r.held.reset();
        finish(r);
        return;
    }
    if (!r.file) {
        engine_->start(r);
        return;
    }
    aio_order::item* ready;
    {
        const std::lock_guard lock(mutex_);
        ready = order_.enqueue(r, *r.file, r.ordered);
    }
    start_all(ready);
}

// ---- the end ------------------------------------------------------------------------------------------------------------

void aio_source::done(spi::aio_work& work) noexcept
{
    auto& r = static_cast<request&>(work);
    // Before the status: a program that then closes its own descriptor of a pipe's end has closed the last one.
    r.held.reset();
    if (!r.error)
        r.error = r.covered_error;
    aio_order::item* ready = nullptr;
    if (r.file) {
        const std::lock_guard lock(mutex_);
        aio_status::finish(*r.user, r.result, r.error);
        ready = order_.complete(r, r.error);
    } else {
        aio_status::finish(*r.user, r.result, r.error);
    }
    start_all(ready);
    finish(r);
}

void aio_source::start_all(aio_order::item* ready) noexcept
{
    while (ready) {
        // Before start(): the request may be over, and freed, when that returns.
        aio_order::item* const next = std::exchange(ready->next_ready, nullptr);
        engine_->start(static_cast<request&>(*ready));
        ready = next;
    }
}

// The status is final, and the aiocb the caller's. Raises the notification from what was copied.
void aio_source::finish(request& r) noexcept
{
    core::subscription& s = *r.told;
    const auto now = static_cast<std::int64_t>(sys::now(CLOCK_MONOTONIC));
    s.road.load(std::memory_order_acquire)->submit_only(s, r.error ? 0 : r.result, r.error, now);
    s.generation.unpin();
    registry_.maybe_free(s);
    delete &r;
}

aio_taken take_aio(aiocb& cb) noexcept
{
    const aio_taken taken = aio_status::take(cb);
    if (taken.valid && taken.told_by_kevent)
        if (core::registry* all = core::registry::current())
            all->kqueues().forget(reinterpret_cast<std::uintptr_t>(&cb));
    return taken;
}

} // namespace sigev::sources

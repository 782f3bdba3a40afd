#include "sources/aio.hpp"

#include "core/statistics.hpp"
#include "sources/aio_ended.h"
#include "sources/aio_now.hpp"
#include "sources/aio_options.hpp"
#include "sources/aio_request.hpp"
#include "sources/aio_status.hpp"
#include "sys/clock.hpp"
#include "sys/same_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <new>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace sigev::sources {

namespace {

// What ends by itself. Anything else may wait for ever: character devices (terminals) and what has no type (eventfd) too.
bool ends_by_itself(mode_t mode) noexcept
{
    return S_ISREG(mode) || S_ISBLK(mode) || S_ISDIR(mode);
}

// Programs leave the sigevent of an aiocb zeroed when they want to hear nothing.
bool is_silent(const sigevent& event) noexcept
{
    return event.sigev_notify == SIGEV_NONE || (event.sigev_notify == SIGEV_SIGNAL && event.sigev_signo == 0);
}

} // namespace

aio_source::aio_source(core::registry& all) : registry_(all), engine_(spi::make_thread_engine(*this)) {}

aio_source::~aio_source() = default;

aio_source* aio_source::ensure() noexcept
{
    core::registry* all = core::registry::ensure();
    if (!all)
        return nullptr;
    return static_cast<aio_source*>(
        all->ensure(core::extension_place::aio, [](core::registry& r) -> std::unique_ptr<core::extension> {
            auto source = std::make_unique<aio_source>(r);
            source->choose(chosen_aio_limits());
            return source;
        }));
}

aio_source* aio_source::current() noexcept
{
    const core::registry* all = core::registry::current();
    return all ? static_cast<aio_source*>(all->find(core::extension_place::aio)) : nullptr;
}

void aio_source::stop() noexcept
{
    engine_->stop();
}

// ---- the call ---------------------------------------------------------------------------------------------------------

int aio_source::submit(const aio_call& call, aiocb& cb) noexcept
{
    request probe; // a read that is over inside the call needs no more than this
    if (const int error = prepare(call, cb, probe))
        return error;
    if (read_now(probe, cb.aio_fildes)) {
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

// 0, or the error of the call; then nobody is told.
int aio_source::start(std::unique_ptr<request> r) noexcept
{
    int error = 0;
    if (r->pieces) { // the array may be gone when the call has returned
        r->vector.reset(new (std::nothrow) iovec[r->pieces]);
        if (r->vector)
            std::copy_n(static_cast<const iovec*>(r->buffer), r->pieces, r->vector.get());
        else
            error = EAGAIN;
        r->buffer = r->vector.get();
    }
    if (!error)
        error = join_file(*r);
    if (error && (error != EBADF || is_sync(r->operation))) {
        abandon(*r);
        return error;
    }
    if (!error)
        r->positioned = r->file().positioned;
    if (!error && (error = fails_later(r->operation, r->file().access, r->positioned, r->offset, r->length)))
        leave(r->file());
    if (error) { // told as if the operation had found it
        r->error = error;
        publish_over(*r);
        finish(*r.release());
        return 0;
    }
    launch(*r.release());
    return 0;
}

void aio_source::launch(request& r) noexcept
{
    aio_file& file = r.file();
    order_kind kind = order_kind::free;
    if (is_sync(r.operation))
        kind = order_kind::sync;
    else if (file.order && r.operation == spi::aio_operation::write && (::fcntl(file.descriptor, F_GETFL) & O_APPEND))
        kind = order_kind::append;
    const bool ordered = file.order; // the file may be gone when the mutex is free
    aio_order::item* ready = nullptr;
    {
        // In one step: who cancels looks for EINPROGRESS under the mutex, and takes what it finds out of these lists.
        const std::lock_guard lock(mutex_);
        aio_status::begin(*r.user, registry_.epoch, told_by_kevent(*r.user), &r);
        aio_files::link(file, r);
        if (ordered) {
            aio_order::share(*file.order);
            r.ordered = true;
            ready = order_.enqueue(r, *file.order, kind);
        } else {
            r.started = true;
        }
    }
    if (ordered)
        start_all(ready);
    else
        engine_->start(r);
}

// ---- its file ----------------------------------------------------------------------------------------------------------

// Makes the request a user of the file under its number. 0, EBADF, EAGAIN.
int aio_source::join_file(request& r) noexcept
{
    const int number = r.user->aio_fildes;
    aio_file* file;
    {
        const std::lock_guard lock(mutex_);
        file = files_.find(number);
        if (file)
            ++file->users;
    }
    if (file) {
        if (sys::is_same_file(number, file->descriptor)) {
            r.channel = file;
            return 0;
        }
        leave(*file);
    }
    std::unique_ptr<aio_file> fresh(new (std::nothrow) aio_file);
    if (!fresh)
        return EAGAIN;
    if (const int error = open_file(*fresh, number))
        return error;
    {
        const std::lock_guard lock(mutex_);
        file = files_.find(number); // another thread's, made meanwhile
        if (file && sys::is_same_file(number, file->descriptor)) {
            ++file->users;
        } else if (files_.put(*fresh)) {
            file = fresh.release();
        } else {
            file = nullptr;
        }
        r.channel = file;
        if (fresh && fresh->order)
            order_.close(*fresh->order);
    }
    if (fresh)
        close_duplicate(*fresh);
    return file ? 0 : EAGAIN;
}

// The duplicate, and what the file is.
int aio_source::open_file(aio_file& file, int number) noexcept
{
    file.number = number;
    file.users = 1;
    file.duplicate = sys::unique_fd(::fcntl(number, F_DUPFD_CLOEXEC, 0));
    struct stat about;
    if (!file.duplicate || ::fstat(file.duplicate.get(), &about) != 0)
        return errno == EBADF ? EBADF : EAGAIN; // no descriptor, no memory
    file.descriptor = file.duplicate.get();
    const bool ends = ends_by_itself(about.st_mode);
    // An eventfd and its like let themselves be sought in, and know no offsets.
    file.positioned = ends || (S_ISCHR(about.st_mode) && ::lseek(file.descriptor, 0, SEEK_CUR) >= 0);
    file.may_wait = !ends;
    const int flags = ::fcntl(file.descriptor, F_GETFL);
    file.access = flags & O_ACCMODE;
    file.direct = (flags & O_DIRECT) != 0;
    if (const int error = engine_->open(file))
        return error;
    if (!ends)
        return 0; // no order among what may never end: a sync would never start
    const std::lock_guard lock(mutex_);
    file.order = order_.open({about.st_dev, about.st_ino});
    return file.order ? 0 : EAGAIN;
}

void aio_source::close_duplicate(aio_file& file) noexcept
{
    engine_->close(file);
    file.duplicate.reset();
}

// By a user that has no request on it.
void aio_source::leave(aio_file& file) noexcept
{
    {
        const std::lock_guard lock(mutex_);
        if (--file.users != 0)
            return;
        file.closing = true;
    }
    close_duplicate(file);
    {
        const std::lock_guard lock(mutex_);
        file.closed = true;
        if (!forget_locked(file))
            return;
    }
    delete &file;
}

// True: the caller deletes it.
bool aio_source::forget_locked(aio_file& file) noexcept
{
    if (!file.closed || file.first)
        return false;
    files_.remove(file);
    if (file.order)
        order_.close(*file.order);
    return true;
}

// ---- the end ------------------------------------------------------------------------------------------------------------

void aio_source::done(spi::aio_work* list) noexcept
{
    aio_file* closing = nullptr;
    aio_order::item* ready = nullptr;
    {
        std::unique_lock lock(mutex_);
        for (spi::aio_work* w = list; w; w = w->next) {
            aio_file& file = static_cast<request&>(*w).file();
            if (--file.users == 0) {
                file.closing = true;
                file.next_closing = std::exchange(closing, &file);
            }
        }
        if (closing) {
            lock.unlock();
            for (aio_file* f = closing; f; f = f->next_closing)
                close_duplicate(*f);
            lock.lock();
            for (aio_file* f = closing; f; f = f->next_closing)
                f->closed = true;
        }
        // From here on the chain serves for those that are to be deleted: whoever takes the last request off a closed file.
        closing = nullptr;
        aio_order::item** end = &ready;
        for (spi::aio_work* w = list; w; w = w->next) {
            auto& r = static_cast<request&>(*w);
            aio_file& file = r.file();
            *end = publish_locked(r);
            while (*end)
                end = &(*end)->next_ready;
            if (forget_locked(file))
                file.next_closing = std::exchange(closing, &file);
        }
    }
    ::sigev_aio_ended_tell();
    while (closing)
        delete std::exchange(closing, closing->next_closing);
    start_all(ready);
    while (list) {
        auto& r = static_cast<request&>(*list);
        list = list->next;
        finish(r);
    }
}

// The status is final, and the aiocb the caller's. Returns what may start now.
aio_order::item* aio_source::publish_locked(request& r) noexcept
{
    aio_files::unlink(r.file(), r);
    if (!r.error)
        r.error = r.covered_error;
    count_if_silent(r);
    keep_locked(r);
    aio_status::finish(*r.user, r.result, r.error);
    // What was cancelled has not failed: an fsync does not speak of it.
    return r.ordered ? order_.complete(r, r.error == ECANCELED ? 0 : r.error) : nullptr;
}

// The same for a request that was never in progress.
void aio_source::publish_over(request& r) noexcept
{
    count_if_silent(r);
    if (r.entry == aio_completed::none) {
        aio_status::over(*r.user, registry_.epoch, told_by_kevent(*r.user), r.result, r.error);
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        aio_status::settle(*r.user, registry_.epoch, r.result, r.error);
        keep_locked(r);
    }
    ::sigev_aio_ended_tell();
}

// Beside the status, for aio_waitcomplete(), which looks under the mutex.
void aio_source::keep_locked(request& r) noexcept
{
    if (const auto entry = std::exchange(r.entry, aio_completed::none); entry != aio_completed::none)
        aio_status::keep(*r.user, told_by_kevent(*r.user), completed_.add(entry, *r.user, r.error ? -1 : r.result, r.error));
}

// Before its status: who sees that one finds it in the account.
void aio_source::count_if_silent(const request& r) noexcept
{
    if (!r.told)
        registry_.count_silent_request();
    if (core::statistics::wanted()) [[unlikely]]
        core::statistics::request_over(r.told, r.asked);
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

// Raises the notification from what was copied.
void aio_source::finish(request& r) noexcept
{
    tell(r.told, r.result, r.error);
    if (r.list)
        one_less(*r.list, r.error);
    delete &r;
}

void aio_source::tell(core::subscription* told, ssize_t result, int error) noexcept
{
    if (!told)
        return;
    const auto now = static_cast<std::int64_t>(sys::now(CLOCK_MONOTONIC));
    told->road.load(std::memory_order_acquire)->submit_only(*told, error ? 0 : result, error, now);
    told->generation.unpin();
    registry_.maybe_free(*told);
}

// ---- cancelling -----------------------------------------------------------------------------------------------------------

int aio_source::cancel(int descriptor, aiocb* cb) noexcept
{
    spi::aio_work* taken = nullptr;
    aio_order::item* ready = nullptr;
    bool goes_on = false;
    {
        const std::lock_guard lock(mutex_);
        aio_order::item** end = &ready;
        const auto take = [&](request& r) {
            if (!withdraw_locked(r)) {
                goes_on = true;
                return;
            }
            // Some of it has been transferred, to where it cannot be called back from: it ends with that.
            if (r.result == 0)
                r.error = ECANCELED;
            else
                goes_on = true;
            // At once: nobody may find that its turn has come.
            if (std::exchange(r.ordered, false))
                *end = order_.complete(r, 0);
            while (*end)
                end = &(*end)->next_ready;
            r.next = std::exchange(taken, &r);
        };
        if (cb) {
            auto* const r = static_cast<request*>(aio_status::request_of(*cb));
            if (r && r->user == cb)
                take(*r);
        } else if (aio_file* const file = files_.at(descriptor);
                   file && (file->closing || sys::is_same_file(descriptor, file->descriptor))) {
            for (aio_user* u = file->last; u; u = u->earlier) // who follows first, or its turn would come meanwhile
                take(static_cast<request&>(*u));
        }
    }
    start_all(ready);
    const bool some = taken != nullptr;
    if (some)
        done(taken);
    return goes_on ? AIO_NOTCANCELED : some ? AIO_CANCELED : AIO_ALLDONE;
}

bool aio_source::withdraw_locked(request& r) noexcept
{
    if (r.withdrawn || (r.started && !engine_->withdraw(r)))
        return false;
    r.withdrawn = true;
    return true;
}

// ---- the result -----------------------------------------------------------------------------------------------------------

aio_taken take_aio(aiocb& cb) noexcept
{
    aio_taken taken = aio_status::take(cb);
    if (taken.valid && taken.kept) {
        aio_source* const source = aio_source::current();
        taken.valid = source && source->completed_.claim(taken.entry);
    }
    if (taken.valid && taken.told_by_kevent)
        if (core::registry* all = core::registry::current())
            all->kqueues().forget(reinterpret_cast<std::uintptr_t>(&cb));
    return taken;
}

bool aio_source::take_completed(aio_entry& out) noexcept
{
    {
        const std::lock_guard lock(mutex_);
        if (!completed_.take(out))
            return false;
    }
    // Nobody else returns it, so the aiocb is there.
    if (aio_status::take(*out.cb).told_by_kevent)
        registry_.kqueues().forget(reinterpret_cast<std::uintptr_t>(out.cb));
    return true;
}

} // namespace sigev::sources

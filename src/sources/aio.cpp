#include "sources/aio.hpp"

#include "core/statistics.hpp"
#include "sources/aio_ended.h"
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

// ---- the beginning ---------------------------------------------------------------------------------------------------------

// 0, or the error of the call; then nobody is told.
int aio_source::start(request_ptr r) noexcept
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
        destroy(std::exchange(closing, closing->next_closing));
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
    return r.ordered ? order_.complete(r, *r.file().order, r.error == ECANCELED ? 0 : r.error) : nullptr;
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
        // In progress for a moment: who returns it finds the entry, whose it is to claim.
        aio_status::begin(*r.user, registry_.epoch, told_by_kevent(*r.user), nullptr);
        keep_locked(r);
        aio_status::finish(*r.user, r.result, r.error);
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
void aio_source::count_if_silent(request& r) noexcept
{
    if (!r.tells)
        registry_.count_silent_requests(1);
    if (core::statistics::wanted()) [[unlikely]]
        core::statistics::request_over(r.told(), r.asked());
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
    aio_list* const list = r.list;
    const int error = r.error;
    if (!r.tells) {
        auto& quiet = static_cast<quiet_request&>(r);
        quiet.~quiet_request();
        spare_requests_.give(&quiet);
    } else {
        auto& telling = static_cast<telling_request&>(r);
        const ssize_t result = r.result;
        if (!tell(telling.owner->has_its_own_each() ? make_room(telling) : telling, result, error))
            request_deleter()(&r);
    }
    if (list)
        one_less(*list, error);
}

// A kqueue keeps its note where the request was.
aio_telling& aio_source::make_room(telling_request& r) noexcept
{
    static_assert(sizeof(noted_request) <= sizeof(telling_request) && alignof(noted_request) <= alignof(telling_request));
    const aio_telling kept = r;
    r.~telling_request();
    auto& n = *new (&r) noted_request{{kept.owner->road.load(std::memory_order_acquire), reinterpret_cast<void*>(kept.ident), {}}, kept};
    n.ident = reinterpret_cast<std::uintptr_t>(static_cast<spi::note_room*>(&n));
    return n;
}

void aio_source::free_told(core::occasion& o) noexcept
{
    delete &static_cast<telling_request&>(static_cast<aio_telling&>(o));
}

void aio_source::free_noted(core::occasion& o) noexcept
{
    auto& n = static_cast<noted_request&>(static_cast<aio_telling&>(o));
    if (!n.value.sival_ptr)
        return; // the kqueue has it
    n.~noted_request();
    ::operator delete(&n);
}

// True: its memory is the subscription's, which gives it back. (A registered method, a thread, attributes of the program's: it has a
// subscription of its own, with a record.)
bool aio_source::tell(aio_telling& t, ssize_t result, int error) noexcept
{
    core::subscription& told = *t.owner;
    core::dispatcher& road = *told.road.load(std::memory_order_acquire);
    const bool shares = told.kind == core::raising::common;
    // A kevent says no time, so nobody asks for it here, nor where it is compared with that of the delivery.
    const bool timed = !told.has_its_own_each() || core::statistics::wanted();
    const auto now = timed ? static_cast<std::int64_t>(sys::now(CLOCK_MONOTONIC)) : 0;
    if (shares)
        road.submit(t, error ? 0 : result, error, now);
    else
        road.submit_only(told, error ? 0 : result, error, now);
    told.generation.unpin();
    registry_.maybe_free(told);
    return shares;
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
            if (r.ordered) {
                r.ordered = false;
                *end = order_.complete(r, *r.file().order, 0);
            }
            while (*end)
                end = &(*end)->next_ready;
            r.next = std::exchange(taken, &r);
        };
        if (cb) {
            auto* const r = static_cast<request*>(aio_status::request_of(*cb));
            if (r && r->user == cb)
                take(*r);
            else if (aio_status::error(*cb) == EINPROGRESS)
                goes_on = true; // of a list, and not started yet
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

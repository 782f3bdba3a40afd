// Opening, closing, finding. The rules: kqueues.hpp.
#include "kqueue/kqueues.hpp"

#include "sys/errno_guard.hpp"
#include "sys/signal_block.hpp"
#include "sys/unique_fd.hpp"
#include "sys/raw_io.hpp"

#include <cerrno>
#include <new>
#include <sys/epoll.h>

namespace sigev::kq {

namespace {

/// 0: no such source. (A request's is EVFILT_AIO.)
std::int16_t filter_of(int source) noexcept
{
    switch (source) {
    case SIGEV_SOURCE_USER:
    case SIGEV_SOURCE_CLOCK: // a subscription, with data, as any that the program submits to
        return EVFILT_USER;
    case SIGEV_SOURCE_TIMER:
        return EVFILT_TIMER;
    case SIGEV_SOURCE_AIO_LIST:
        return EVFILT_LIO;
    default:
        return 0;
    }
}

} // namespace

int kqueues::open() noexcept
{
    const sys::errno_guard guard;
    sys::unique_fd number(::epoll_create1(EPOLL_CLOEXEC));
    if (!number)
        return -errno;
    reclaim(number.get());

    sigev_event_raw* wake = nullptr;
    if (const int error = core::open_event_raw(SIGEV_EVENT_RAW_DEFAULT, wake))
        return -error;
    epoll_event readable{};
    readable.events = EPOLLIN;
    int error = ::epoll_ctl(number.get(), EPOLL_CTL_ADD, core::descriptor_of(*wake), &readable) == 0 ? 0 : errno;
    queue* q = nullptr;
    if (!error && !(q = pool_.take()))
        error = ENOMEM;
    if (error) {
        core::close(*wake);
        return -error;
    }
    q->start(number.get(), *wake);
    try {
        const std::lock_guard lock(mutex_);
        table_.insert_or_assign(number.get(), q);
    } catch (const std::bad_alloc&) {
        q->shut();
        q->leave();
        return -ENOMEM;
    }
    return number.release();
}

int kqueues::close(int kqueue) noexcept
{
    const user q = find(kqueue);
    if (!q)
        return EBADF;
    if (q->number() != kqueue) {
        sys::raw_close(kqueue); // one of two descriptors
        return 0;
    }
    if (!end(*q))
        return EBADF; // another thread was faster
    const std::lock_guard lock(mutex_); // find() asks other kqueues about numbers that it does not know
    q->close_number();
    return 0;
}

/// The kernel has just given this number out: a kqueue that bore it has been closed behind our back.
void kqueues::reclaim(int number) noexcept
{
    std::unique_lock lock(mutex_);
    const auto found = table_.find(number);
    if (found == table_.end())
        return;
    const user old(*found->second);
    lock.unlock();
    end(*old);
}

/// Takes the kqueue out of the table and shuts it. False: somebody else has.
bool kqueues::end(queue& q) noexcept
{
    {
        const std::lock_guard lock(mutex_);
        const auto found = table_.find(q.number());
        if (found == table_.end() || found->second != &q)
            return false;
        table_.erase(found);
    }
    q.shut();
    q.leave(); // the table's own use
    return true;
}

user kqueues::find(int descriptor) noexcept
{
    const sys::errno_guard guard;
    {
        std::unique_lock lock(mutex_);
        const auto found = table_.find(descriptor);
        if (found != table_.end()) {
            user q(*found->second);
            lock.unlock();
            if (q->is(descriptor))
                return q;
            end(*q);
        }
    }
    const std::lock_guard lock(mutex_);
    for (const auto& [number, q] : table_)
        if (q->is(descriptor))
            return user(*q);
    return user();
}

int kqueues::attach(const spi::knote_request& request, spi::knote** out) noexcept
{
    const std::int16_t filter = filter_of(request.source);
    if (filter == 0 || (request.flags & ~legal_flags))
        return EINVAL;
    const user q = find(request.kqueue);
    return q ? q->attach(request, filter, *out) : EBADF;
}

int kqueues::promise(int kqueue, std::uint64_t aiocb, std::uint16_t flags, spi::pledge** out) noexcept
{
    if (flags & ~legal_flags)
        return EINVAL;
    const user q = find(kqueue);
    return q ? q->promise(aiocb, flags, *out) : EBADF;
}

void kqueues::withdraw_if(bool (*is)(const spi::delivery&, const void*), const void* what) noexcept
{
    for (std::size_t i = 0; queue* const q = pool_.at(i); ++i)
        q->withdraw_if(is, what);
}

void kqueues::forget(std::uint64_t aiocb) noexcept
{
    board_.cross_out(aiocb, [](queue& q) noexcept {
        const sys::signal_block block; // see lock.hpp; rare: only a request that was told by kevent comes here
        q.look_again();
    });
}

} // namespace sigev::kq

bool sigev::spi::kqueue_port::post(knote& k, delivery& d) noexcept { return k.owner.post(k, d); }
bool sigev::spi::kqueue_port::post(pledge& p, delivery& d, note_room& room) noexcept
{
    return p.where.load(std::memory_order_relaxed)->post(p, d, room);
}

void sigev::spi::kqueue_port::give_up(pledge* p) noexcept { p->where.load(std::memory_order_relaxed)->give_up(*p); }
void sigev::spi::kqueue_port::withdraw(knote& k) noexcept { k.owner.withdraw(k); }
void sigev::spi::kqueue_port::detach(knote* k) noexcept { k->owner.detach(*k); }

std::unique_ptr<sigev::spi::kqueue_port> sigev::spi::make_kqueues() { return std::make_unique<kq::kqueues>(); }

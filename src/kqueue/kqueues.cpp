// The kqueues of a process: which descriptor is which, and what became of it.
//
// A program may close a kqueue like any descriptor, and nobody tells us. So a number is believed only after a question
// that only our own epoll answers (queue::is). A kqueue whose number has become something else, or nothing, is over: it is
// shut and its inner descriptor reclaimed, when the number is used with us again or is given to a new kqueue.
//
// A number that we did not give out may be a dup() of one: the same question, put to every kqueue, finds out. (As long as
// the number we gave out is open too: without it the kqueue cannot be told from a closed one.)
//
// The table's mutex is held around such questions, and around no lock of a queue.
#include "kqueue/deadline.hpp"
#include "kqueue/queue.hpp"
#include "sys/errno_guard.hpp"
#include "sys/signal_block.hpp"
#include "sys/unique_fd.hpp"

#include <cerrno>
#include <mutex>
#include <new>
#include <sys/epoll.h>
#include <unordered_map>
#include <utility>

namespace sigev::kq {

namespace {

/// A kqueue that a call is in: its descriptors stay.
class user {
public:
    user() noexcept = default;
    explicit user(queue& q) noexcept : queue_(&q) { q.use(); }
    user(user&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)) {}
    user& operator=(user&&) = delete;
    ~user()
    {
        if (queue_)
            queue_->leave();
    }

    explicit operator bool() const noexcept { return queue_; }
    queue* operator->() const noexcept { return queue_; }
    queue& operator*() const noexcept { return *queue_; }

private:
    queue* queue_ = nullptr;
};

/// 0: no such source.
std::int16_t filter_of(int source) noexcept
{
    switch (source) {
    case SIGEV_SOURCE_USER:
        return EVFILT_USER;
    case SIGEV_SOURCE_TIMER:
        return EVFILT_TIMER;
    case SIGEV_SOURCE_AIO:
        return EVFILT_AIO;
    default:
        return 0;
    }
}

class kqueues final : public spi::kqueue_port {
public:
    kqueues() : pool_(board_) {}
    kqueues(const kqueues&) = delete;
    kqueues& operator=(const kqueues&) = delete;
    ~kqueues() override
    {
        while (!table_.empty())
            close(table_.begin()->first);
    }

    int open() noexcept override;
    int close(int kqueue) noexcept override;
    int kevent(int kqueue, const sigev_kev* changes, int nchanges, sigev_kev* events, int nevents,
               const timespec* timeout) noexcept override;
    int attach(const spi::knote_request& request, spi::knote** out) noexcept override;
    bool post(spi::knote& k, spi::delivery& d) noexcept override { return k.owner.post(k, d); }
    void withdraw(spi::knote& k) noexcept override { k.owner.withdraw(k); }
    void detach(spi::knote* k) noexcept override { k->owner.detach(*k); }
    void forget(std::uint64_t aiocb) noexcept override;

private:
    user find(int descriptor) noexcept;
    void reclaim(int number) noexcept;
    bool end(queue& q) noexcept;

    marks board_;
    queue_pool pool_;
    std::mutex mutex_;
    std::unordered_map<int, queue*> table_;
};

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
        ::close(kqueue); // one of two descriptors
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

void kqueues::forget(std::uint64_t aiocb) noexcept
{
    board_.cross_out(aiocb, [](queue& q) noexcept {
        const sys::signal_block block; // see lock.hpp; rare: only a request that was told by kevent comes here
        q.look_again();
    });
}

int kqueues::kevent(int kqueue, const sigev_kev* changes, int nchanges, sigev_kev* events, int nevents,
                    const timespec* timeout) noexcept
{
    const sys::errno_guard guard;
    if (nchanges < 0 || nevents < 0 || (nchanges > 0 && !changes) || (nevents > 0 && !events)
        || !deadline::valid(timeout))
        return -EINVAL;
    user q = find(kqueue);
    if (!q)
        return -EBADF;

    int told = 0;
    for (int i = 0; i < nchanges; ++i) {
        sigev_kev answer = changes[i]; // a copy: both arrays may be the same
        const int error = q->change(answer);
        if (!error && !(answer.flags & EV_RECEIPT))
            continue;
        if (told == nevents) {
            if (error)
                return -error;
            continue;
        }
        answer.flags = EV_ERROR;
        answer.data = error;
        events[told++] = answer;
    }
    if (told > 0 || nevents == 0)
        return told;

    for (const deadline end(timeout);;) {
        // The time first, the events second: what was posted before the time was over is not missed.
        const bool late = end.passed();
        if (const int count = q->retrieve(events, nevents))
            return count;
        if (q->closed())
            return -EBADF;
        if (late)
            return 0;
        if (const int error = end.wait(q->wait_descriptor()))
            return -error;
        if (!q->is(kqueue)) { // close(2) meanwhile
            find(kqueue);
            return -EBADF;
        }
    }
}

} // namespace

} // namespace sigev::kq

std::unique_ptr<sigev::spi::kqueue_port> sigev::spi::make_kqueues() { return std::make_unique<kq::kqueues>(); }

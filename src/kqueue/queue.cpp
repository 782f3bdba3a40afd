// The life of a kqueue and of its notes. What kevent() does with them stands in retrieve.cpp, where they stand and
// when the descriptor is readable in settle.cpp. The rules: queue.hpp.
#include "kqueue/queue.hpp"

#include "kqueue/hold.hpp"
#include "kqueue/pool.hpp"
#include "sys/raw_io.hpp"

#include <cerrno>
#include <memory>
#include <new>
#include <sys/epoll.h>
#include <unistd.h>

namespace sigev::kq {

void queue::start(int number, sigev_event_raw& wake) noexcept
{
    const hold h(*this);
    number_ = number;
    number_closed_ = false;
    wake_ = &wake;
    readable_ = false;
    closed_ = false;
    users_.store(1, std::memory_order_relaxed);
    references_.store(1, std::memory_order_relaxed);
}

bool queue::is(int descriptor) noexcept
{
    const std::lock_guard lock(number_mutex_);
    if (number_closed_ && descriptor == number_)
        return false; // and the number may be another file's by now
    // Only an epoll that watches our event_raw can change how it does; every other descriptor refuses.
    epoll_event same{};
    same.events = EPOLLIN;
    return sys::raw_epoll_ctl(descriptor, EPOLL_CTL_MOD, wait_descriptor(), &same) == 0;
}

void queue::close_number() noexcept
{
    const std::lock_guard lock(number_mutex_);
    number_closed_ = true;
    sys::raw_close(number_);
}

void queue::shut() noexcept
{
    leavings gone(board_);
    const hold h(*this);
    if (closed_)
        return;
    closed_ = true;
    collect(gone);
    for (const auto& [key, n] : index_) {
        n->indexed = false;
        drop(*n, gone);
    }
    index_.clear();
    for (note_list* requests : {&active_, &resting_})
        while (knote* const n = requests->front())
            drop(*n, gone);
}

bool queue::closed() noexcept
{
    const hold h(*this);
    return closed_;
}

int queue::attach(const spi::knote_request& request, std::int16_t filter, knote*& out) noexcept
{
    std::unique_ptr<knote> n(new (std::nothrow) knote(*this, request, filter));
    if (!n)
        return ENOMEM;
    leavings gone(board_);
    const hold h(*this);
    if (closed_)
        return EBADF;
    collect(gone);
    try {
        index_.emplace(n->key(), n.get());
    } catch (const std::bad_alloc&) {
        return ENOMEM;
    }
    references_.fetch_add(1, std::memory_order_relaxed);
    out = n.release();
    return 0;
}

int queue::promise(std::uint64_t aiocb, std::uint16_t flags, mark*& out) noexcept
{
    leavings gone(board_);
    const hold h(*this);
    if (closed_)
        return EBADF;
    collect(gone);
    out = board_.take(aiocb, *this, flags);
    if (!out)
        return ENOMEM;
    references_.fetch_add(1, std::memory_order_relaxed);
    // A program that starts a request again without aio_return() has no use for the old condition.
    board_.find(aiocb, *this, [&](mark& m) noexcept {
        if (&m == out)
            return;
        const std::uint64_t holds = m.holds.load(std::memory_order_relaxed);
        if (awaited::is(holds)) {
            awaited old = awaited::from(holds);
            old.superseded = true;
            m.holds.store(old.packed(), std::memory_order_relaxed);
            return;
        }
        knote& old = *reinterpret_cast<knote*>(holds);
        old.state.supersede();
        place(old);
        end_if_over(old, gone);
    });
    return 0;
}

bool queue::post(knote& n, spi::delivery& d) noexcept
{
    const hold h(*this);
    if (closed_ || n.state.dropped())
        return false;
    n.waiting.push(d);
    n.state.post();
    place(n);
    return true;
}

// From here on the note has the mark, the room, and the delivery in it.
bool queue::post(mark& m, spi::delivery& d, spi::note_room& room) noexcept
{
    const hold h(*this);
    const std::uint64_t aiocb = m.aiocb.load(std::memory_order_acquire);
    if (closed_ || aiocb == 0)
        return false;
    const awaited was = awaited::from(m.holds.load(std::memory_order_relaxed));
    knote& n = *new (&room) knote(*this, m, aiocb, was, spi::note_room(room));
    m.holds.store(reinterpret_cast<std::uintptr_t>(&n), std::memory_order_relaxed);
    n.waiting.push(d);
    n.state.post();
    place(n);
    return true;
}

void queue::give_up(mark& m) noexcept
{
    std::uint16_t chain;
    {
        const hold h(*this);
        chain = awaited::from(m.holds.load(std::memory_order_relaxed)).chain;
        m.cross_out();
    }
    board_.give_back(chain, m);
    release();
}

void queue::withdraw(knote& n) noexcept
{
    spi::delivery_port& port = n.port;
    delivery_chain withdrawn;
    {
        const hold h(*this);
        withdrawn = n.waiting.take_all();
        n.state.withdraw();
        place(n);
    }
    while (spi::delivery* const d = withdrawn.pop())
        port.drop(*d); // after the last one the subscription may end, and the note with it
}

void queue::withdraw_if(bool (*is)(const spi::delivery&, const void*), const void* what) noexcept
{
    leavings gone(board_);
    const hold h(*this);
    collect(gone);
    for (auto i = index_.begin(); i != index_.end();) {
        knote& n = *(i++)->second; // first the step: the note may leave the index
        if (n.once && !n.waiting.empty() && is(*n.waiting.front(), what))
            drop(n, gone);
    }
    for (note_list* requests : {&active_, &resting_})
        for (knote* n = requests->front(); n;) {
            knote& here = *std::exchange(n, n->next);
            if (here.once && !here.waiting.empty() && is(*here.waiting.front(), what))
                drop(here, gone);
        }
}

void queue::detach(knote& n) noexcept
{
    leavings gone(board_);
    const hold h(*this);
    n.attached = false;
    end_if_over(n, gone);
}

void queue::look_again() noexcept
{
    if (lock_.lock_or_ask())
        lock_.unlock([this]() noexcept { settle(); });
}

void queue::leave() noexcept
{
    if (users_.fetch_sub(1, std::memory_order_acq_rel) != 1)
        return;
    sigev_event_raw* wake;
    {
        const hold h(*this);
        wake = std::exchange(wake_, nullptr);
    }
    core::close(*wake);
    release();
}

void queue::release() noexcept
{
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
        home_.give_back(*this);
}

} // namespace sigev::kq

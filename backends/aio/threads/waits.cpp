#include "backends/aio/threads/waits.hpp"

#include "backends/aio/threads/transfer.hpp"
#include "sys/signal_block.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <exception>
#include <new>
#include <pthread.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utility>

namespace sigev::aio_threads {

namespace {

spi::aio_channel::line& line_of(const spi::aio_work& work) noexcept
{
    return work.channel->lines[work.operation == spi::aio_operation::read ? 0 : 1];
}

} // namespace

// ---- channels -----------------------------------------------------------------------------------------------------------

waits::~waits()
{
    stop();
    if (stop_kind_)
        stop_kind_->close(stop_);
}

int waits::open_stop() noexcept
{
    const spi::wakeup_kind* kind = nullptr;
    const int error = spi::open_wakeup(kind, stop_);
    if (error == 0)
        stop_kind_ = kind;
    return error;
}

int waits::start_locked() noexcept
{
    if (thread_.joinable() && !left_)
        return 0;
    if (thread_.joinable())
        thread_.join(); // it has let go of the mutex, and does nothing more but end
    left_ = false;
    sys::unique_fd set(::epoll_create1(EPOLL_CLOEXEC));
    if (!set || (!stop_kind_ && open_stop() != 0))
        return EAGAIN;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = 0; // nobody's
    if (::epoll_ctl(set.get(), EPOLL_CTL_ADD, stop_.read, &event) != 0)
        return EAGAIN;
    epoll_ = std::move(set);
    try {
        const sys::signal_block block;
        thread_ = std::thread([this] { run(); });
        return 0;
    } catch (const std::exception&) { // no thread, or no memory for it
        epoll_.reset();
        return EAGAIN;
    }
}

int waits::open(spi::aio_channel& channel) noexcept
{
    const std::lock_guard lock(mutex_);
    if (stopping_ || start_locked() != 0)
        return EAGAIN;
    if (free_ == 0) {
        try {
            uses_.emplace_back();
        } catch (const std::bad_alloc&) {
            return EAGAIN;
        }
        free_ = static_cast<std::uint32_t>(uses_.size() - 1);
    }
    const std::uint32_t place = free_;
    use& u = uses_[place];
    epoll_event event{};
    event.events = EPOLLONESHOT;
    event.data.u64 = std::uint64_t{u.generation} << 32 | place;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, channel.descriptor, &event) != 0) {
        if (errno != EPERM)
            return EAGAIN;
        channel.may_wait = false; // a device without the notion, which therefore does not wait either
        return 0;
    }
    free_ = u.next_free;
    u.next_free = 0;
    u.of = &channel;
    channel.place = place;
    ++open_;
    return 0;
}

// Out of the set as well: a descriptor that a child has inherited would stay in it when it is closed here.
void waits::close(spi::aio_channel& channel) noexcept
{
    if (channel.place == 0)
        return;
    const std::lock_guard lock(mutex_);
    use& u = uses_[channel.place];
    u.of = nullptr;
    --open_;
    ++u.generation;
    u.next_free = free_;
    free_ = channel.place;
    channel.place = 0;
    if (epoll_)
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, channel.descriptor, nullptr);
}

void waits::arm_locked(spi::aio_channel& channel) noexcept
{
    epoll_event event{};
    if (channel.lines[0].first() && !channel.lines[0].busy)
        event.events |= EPOLLIN;
    if (channel.lines[1].first() && !channel.lines[1].busy)
        event.events |= EPOLLOUT;
    if (event.events == 0 || channel.place == 0)
        return;
    event.events |= EPOLLONESHOT;
    event.data.u64 = std::uint64_t{uses_[channel.place].generation} << 32 | channel.place;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, channel.descriptor, &event);
}

// ---- lines ----------------------------------------------------------------------------------------------------------------

void waits::push_front(spi::aio_work& work) noexcept
{
    work.waiting = true;
    line_of(work).push_front(work);
}

void waits::take(spi::aio_work& work) noexcept
{
    work.waiting = false;
    line_of(work).take(work);
}

bool waits::add(spi::aio_work& work) noexcept
{
    const std::lock_guard lock(mutex_);
    if (stopping_)
        return false;
    work.waiting = true;
    line_of(work).push_back(work);
    if (line_of(work).first() == &work)
        arm_locked(*work.channel);
    return true;
}

bool waits::come_back(spi::aio_work& work) noexcept
{
    const std::lock_guard lock(mutex_);
    line_of(work).busy = false;
    if (stopping_)
        return false;
    push_front(work);
    arm_locked(*work.channel);
    return true;
}

void waits::is_over(spi::aio_channel& channel, const spi::aio_work& work) noexcept
{
    const std::lock_guard lock(mutex_);
    line_of(work).busy = false;
    if (!stopping_)
        arm_locked(channel);
}

bool waits::withdraw(spi::aio_work& work) noexcept
{
    const std::lock_guard lock(mutex_);
    if (!work.waiting)
        return false;
    take(work);
    return true;
}

// ---- the thread -----------------------------------------------------------------------------------------------------------

void waits::stop() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        if (!thread_.joinable())
            return;
    }
    stop_kind_->signal(stop_);
    thread_.join();
    thread_ = std::thread();
}

void waits::run() noexcept
{
    sys::take_mask_of_a_library_thread();
    ::pthread_setname_np(::pthread_self(), "sigev-aio-wait");
    std::array<epoll_event, 64> events;
    bool stopping = false;
    while (!stopping) {
        const auto idle = static_cast<int>(std::min<std::int64_t>(idle_.load(std::memory_order_relaxed).count(), INT_MAX));
        const int n = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), idle);
        const bool lost = n < 0 && errno != EINTR; // by a system call of the program's: nothing is heard any more
        if (n <= 0 && leaves())
            return;
        if (lost)
            stopping = rest(idle);
        for (int i = 0; i < n; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            if (event.data.u64 == 0)
                stopping = true;
            else
                serve(event.data.u64, event.events);
        }
    }
    break_all_off();
}

bool waits::leaves() noexcept
{
    const std::lock_guard lock(mutex_);
    left_ = open_ == 0 && !stopping_;
    return left_;
}

bool waits::rest(int milliseconds) noexcept
{
    ::poll(nullptr, 0, milliseconds);
    const std::lock_guard lock(mutex_);
    return stopping_;
}

// The work that is tried is in no line meanwhile, so nobody withdraws it, and nobody but this thread takes from the lines'
// heads; what is over stays in its channel's books until finished() has returned, so the channel is not closed either.
void waits::serve(std::uint64_t which, std::uint32_t events) noexcept
{
    const auto place = static_cast<std::uint32_t>(which);
    spi::aio_work* over = nullptr;
    spi::aio_work** over_end = &over;
    spi::aio_work* blocks[2] = {};
    {
        std::unique_lock lock(mutex_);
        if (place >= uses_.size())
            return;
        const use& u = uses_[place];
        if (!u.of || u.generation != which >> 32)
            return;
        spi::aio_channel& channel = *u.of;
        const std::uint32_t either = EPOLLERR | EPOLLHUP;
        for (const int direction : {0, 1}) {
            auto& line = channel.lines[direction];
            const std::uint32_t wanted = either | (direction == 0 ? EPOLLIN | EPOLLRDHUP : EPOLLOUT);
            // A turn of limited length: others wait too.
            for (int turn = 0; (events & wanted) && line.first() && !line.busy && turn != 64; ++turn) {
                spi::aio_work& work = *line.first();
                take(work);
                lock.unlock();
                const progress p = transfer_without_waiting(work);
                if (p == progress::finished) {
                    *over_end = &work;
                    over_end = &work.next;
                }
                lock.lock();
                if (p == progress::finished)
                    continue;
                if (p == progress::must_block) {
                    line.busy = true;
                    blocks[direction] = &work;
                } else {
                    push_front(work);
                }
                break;
            }
        }
        arm_locked(channel);
    }
    for (spi::aio_work* work : blocks)
        if (work)
            must_block_(work);
    if (over)
        finished_(over);
}

void waits::break_all_off() noexcept
{
    spi::aio_work* over = nullptr;
    {
        const std::lock_guard lock(mutex_);
        for (const use& u : uses_)
            for (const int direction : {0, 1})
                while (u.of && u.of->lines[direction].first()) {
                    spi::aio_work& work = *u.of->lines[direction].first();
                    take(work);
                    break_off(work);
                    work.next = std::exchange(over, &work);
                }
    }
    if (over)
        finished_(over);
}

} // namespace sigev::aio_threads

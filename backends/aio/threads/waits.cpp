#include "backends/aio/threads/waits.hpp"

#include "sys/signal_block.hpp"

#include <array>
#include <cerrno>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace sigev::aio_threads {

int waits::open() noexcept
{
    sys::unique_fd set(::epoll_create1(EPOLL_CLOEXEC));
    sys::unique_fd cancel(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!set || !cancel)
        return EAGAIN;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr; // no work
    if (::epoll_ctl(set.get(), EPOLL_CTL_ADD, cancel.get(), &event) != 0)
        return EAGAIN;
    epoll_ = std::move(set);
    cancel_ = std::move(cancel);
    try {
        const sys::signal_block block;
        thread_ = std::thread([this] { run(); });
        return 0;
    } catch (const std::system_error&) {
        epoll_.reset();
        cancel_.reset();
        return EAGAIN;
    }
}

waits::added waits::add(spi::aio_work& work) noexcept
{
    epoll_event event{};
    event.events = (work.operation == spi::aio_operation::read ? EPOLLIN : EPOLLOUT) | EPOLLONESHOT;
    event.data.ptr = &work;
    // Under the mutex: the event may be there at once, and then finds the work in the list.
    const std::lock_guard lock(mutex_);
    if (stopping_) {
        work.broken_off = true;
        return added::failed;
    }
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, work.descriptor, &event) != 0) {
        if (errno == EPERM)
            return added::never_waits;
        if (work.result == 0)
            work.error = EAGAIN;
        return added::failed;
    }
    work.previous = nullptr;
    work.next = first_;
    if (first_)
        first_->previous = &work;
    first_ = &work;
    return added::waiting;
}

void waits::stop() noexcept
{
    if (!is_open())
        return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    ::eventfd_write(cancel_.get(), 1);
    thread_.join();
    epoll_.reset();
    cancel_.reset();
}

void waits::run() noexcept
{
    sys::take_mask_of_a_library_thread();
    ::pthread_setname_np(::pthread_self(), "sigev-aio-wait");
    std::array<epoll_event, 64> events;
    bool stopping = false;
    while (!stopping) {
        const int n = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < n; ++i) {
            auto* const work = static_cast<spi::aio_work*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (!work) {
                stopping = true;
                continue;
            }
            take(*work);
            work->readiness_seen = true;
            ready_(*work);
        }
    }
    for (spi::aio_work* work = take_all(); work;) {
        spi::aio_work* const next = work->next;
        work->broken_off = true;
        ready_(*work);
        work = next;
    }
}

// Out of the list and the set: a descriptor that a child has inherited would stay in the set when it is closed here.
void waits::take(spi::aio_work& work) noexcept
{
    const std::lock_guard lock(mutex_);
    (work.previous ? work.previous->next : first_) = work.next;
    if (work.next)
        work.next->previous = work.previous;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, work.descriptor, nullptr);
}

spi::aio_work* waits::take_all() noexcept
{
    const std::lock_guard lock(mutex_); // what comes later is refused: `stopping_` was set under it
    return std::exchange(first_, nullptr);
}

} // namespace sigev::aio_threads

#include "backends/timer/heap/alarm.hpp"

#include "sys/clock.hpp"
#include "sys/errno_guard.hpp"
#include "sys/raw_io.hpp"

#include <cerrno>
#include <sys/timerfd.h>
#include <unistd.h>

namespace sigev::spi::heap {

namespace {
constexpr std::uint64_t unknown = 0; // equal to no setting, so the next one is made
}

int alarm::open() noexcept
{
    if (is_open())
        return 0;
    if (manual_) {
        fd_.store(no_descriptor, std::memory_order_release);
        return 0;
    }
    const sys::errno_guard guard;
    const int fd = ::timerfd_create(clock_, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0)
        return errno;
    int absent = -1;
    if (!fd_.compare_exchange_strong(absent, fd, std::memory_order_acq_rel))
        sys::raw_close(fd); // another thread was first
    return 0;
}

void alarm::close() noexcept
{
    const int fd = fd_.exchange(-1, std::memory_order_acq_rel);
    if (fd >= 0 && fd != no_descriptor)
        sys::raw_close(fd);
    set_ = none;
}

std::uint64_t alarm::now() noexcept
{
    if (manual_)
        return is_open() ? pack(manual_->now(clock_), timer_base::wall) : 0;
    const int fd = descriptor();
    if (fd < 0)
        return 0;
    if (clock_ == CLOCK_REALTIME && set_ != none)
        drain(fd);
    // Bit 0 set: a key of either base that is packed from this very nanosecond is not later.
    return pack(sys::now(clock_), timer_base::wall);
}

void alarm::drain(int fd) noexcept
{
    std::uint64_t count = 0;
    ssize_t n;
    do
        n = sys::raw_read(fd, &count, sizeof count);
    while (n < 0 && errno == EINTR);
    // Expired, or ECANCELED: the clock was stepped. The clock is read next and everything judged by it.
    if (n >= 0 || errno == ECANCELED)
        set_ = unknown;
}

bool alarm::set(std::uint64_t key) noexcept
{
    const int fd = descriptor();
    if (fd < 0 || key == set_)
        return true;
    itimerspec when{};
    int flags = TFD_TIMER_ABSTIME;
    if (key != none) {
        when.it_value = sys::to_timespec(deadline_of(key));
        if (clock_ == CLOCK_REALTIME)
            flags |= TFD_TIMER_CANCEL_ON_SET;
    }
    const int result = ::timerfd_settime(fd, flags, &when, nullptr);
    set_ = key; // also with ECANCELED, which reports a step and sets all the same
    return result == 0 || errno != ECANCELED;
}

} // namespace sigev::spi::heap

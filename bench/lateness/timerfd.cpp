// The floor: a timerfd in an epoll set.
#include "lateness/cases.hpp"
#include "support/contestant.hpp"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace {

using namespace sigev_bench;

class timer {
public:
    timer()
    {
        epoll_event event{};
        event.events = EPOLLIN;
        unless(epoll_ >= 0 && timer_ >= 0 && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event) == 0, "epoll_ctl");
    }
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    ~timer()
    {
        ::close(timer_);
        ::close(epoll_);
    }

    void wait_until(std::uint64_t due)
    {
        const itimerspec value{{}, to_timespec(due)};
        unless(::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &value, nullptr) == 0, "timerfd_settime");
        epoll_event event{};
        while (::epoll_wait(epoll_, &event, 1, -1) != 1) {
        }
        arrived();
        std::uint64_t count = 0;
        unless(::read(timer_, &count, sizeof count) == sizeof count && count == 1, "timerfd");
    }

private:
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    int timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"p50", p50<timer>}, {"p99", p99<timer>}});
}

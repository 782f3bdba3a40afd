// sigev, through libsigev.so: a reactor in an epoll set of the program's own, SIGEV_CALLBACK.
#include "lateness/cases.hpp"
#include "support/contestant.hpp"

#include <sigev.h>

#include <sys/epoll.h>
#include <unistd.h>

#include <array>

namespace {

using namespace sigev_bench;

class timer {
public:
    explicit timer(std::uint32_t flags = 0)
    {
        unless(::sigev_reactor_open(&reactor_) == 0, "sigev_reactor_open");
        sigev_timer_options options{};
        options.size = sizeof options;
        options.reactor = reactor_;
        options.flags = flags;
        sigevent event{};
        event.sigev_notify = SIGEV_CALLBACK;
        event.sigev_notify_function = [](sigval) { arrived(); };
        unless(::sigev_timer_create_with(&options, CLOCK_MONOTONIC, &event, &timer_) == 0, "sigev_timer_create_with");
        std::array<int, 8> descriptors{};
        const int count = ::sigev_reactor_descriptors(reactor_, descriptors.data(), descriptors.size());
        unless(epoll_ >= 0 && count > 0, "sigev_reactor_descriptors");
        for (int i = 0; i != count; ++i) {
            epoll_event watch{};
            watch.events = EPOLLIN;
            watch.data.u32 = static_cast<std::uint32_t>(i);
            unless(::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptors[static_cast<std::size_t>(i)], &watch) == 0, "epoll_ctl");
        }
    }
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    ~timer()
    {
        ::sigev_timer_delete(timer_);
        ::sigev_reactor_close(reactor_);
        ::close(epoll_);
    }

    void wait_until(std::uint64_t due)
    {
        const itimerspec value{{}, to_timespec(due)};
        unless(::sigev_timer_settime(timer_, TIMER_ABSTIME, &value, nullptr) == 0, "sigev_timer_settime");
        while (arrival.load(std::memory_order_relaxed) == 0) {
            epoll_event events[4];
            const int n = ::epoll_wait(epoll_, events, 4, -1);
            for (int i = 0; i < n; ++i)
                ::sigev_reactor_ready(reactor_, events[i].data.u32);
        }
    }

private:
    sigev_reactor_t reactor_ = 0;
    timer_t timer_{};
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
};

struct precise_timer : timer {
    precise_timer() : timer(SIGEV_TIMER_PRECISE) {}
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"p50", p50<timer>}, {"p99", p99<timer>}, {"precise", p50<precise_timer>}});
}

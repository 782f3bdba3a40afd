// sigev, through libsigev.so. In a loop of the program's own: a reactor in an epoll set, SIGEV_CALLBACK. Signals and threads:
// the runtime's reactor and its workers; but signals also as they are where nobody asks for an engine, which is the kernel's.
// `most`, `create`, `memory`: with the method that is measured, and all of POSIX's state.
#include "support/contestant.hpp"
#include "timers/cases.hpp"
#include "timers/signals.hpp"

#include <sigev.h>

#include <sys/epoll.h>

#include <array>

namespace {

using namespace sigev_bench;

class timers {
public:
    static constexpr bool slow = false;
    static constexpr bool defers = true;
    static constexpr bool holds_what_is_scarce = false;
    static constexpr bool keeps_time = false;

    timers(std::size_t n, void (*expired)())
        : all_(n)
    {
        expired_ = expired;
        unless(::sigev_reactor_open(&reactor_) == 0, "sigev_reactor_open");
        for (timer_t& t : all_)
            make(t);
        std::array<int, 8> descriptors{};
        const int count = ::sigev_reactor_descriptors(reactor_, descriptors.data(), descriptors.size());
        unless(epoll_ >= 0 && count > 0, "sigev_reactor_descriptors");
        for (int i = 0; i != count; ++i) {
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u32 = static_cast<std::uint32_t>(i);
            unless(::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptors[static_cast<std::size_t>(i)], &event) == 0, "epoll_ctl");
        }
    }
    timers(const timers&) = delete;
    timers& operator=(const timers&) = delete;
    ~timers()
    {
        for (timer_t t : all_)
            ::sigev_timer_delete(t);
        ::sigev_reactor_close(reactor_);
        ::close(epoll_);
    }

    std::size_t size() const { return all_.size(); }
    void begin() {}
    void arm(std::size_t i, std::uint64_t ns)
    {
        const itimerspec value{{}, to_timespec(ns)};
        unless(::sigev_timer_settime(all_[i], 0, &value, nullptr) == 0, "sigev_timer_settime");
    }
    void end() { ::sigev_reactor_ready(reactor_, 0); }
    std::uint64_t left(std::size_t i)
    {
        itimerspec value{};
        unless(::sigev_timer_gettime(all_[i], &value) == 0, "sigev_timer_gettime");
        return static_cast<std::uint64_t>(value.it_value.tv_sec) * second + static_cast<std::uint64_t>(value.it_value.tv_nsec);
    }
    void run(const std::atomic<bool>& done)
    {
        while (!done.load(std::memory_order_relaxed)) {
            epoll_event events[4];
            const int n = ::epoll_wait(epoll_, events, 4, -1);
            for (int i = 0; i < n; ++i)
                ::sigev_reactor_ready(reactor_, events[i].data.u32);
        }
    }
    void recreate(std::size_t i)
    {
        unless(::sigev_timer_delete(all_[i]) == 0, "sigev_timer_delete");
        make(all_[i]);
        if (++made_ % 64 == 0) // the loop comes round
            end();
    }

private:
    void make(timer_t& t)
    {
        sigevent event{};
        event.sigev_notify = SIGEV_CALLBACK;
        event.sigev_notify_function = [](sigval) { expired_(); };
        unless(::sigev_timer_create_on(reactor_, CLOCK_MONOTONIC, &event, &t) == 0, "sigev_timer_create_on");
    }

    static inline void (*expired_)() = nullptr;
    sigev_reactor_t reactor_ = 0;
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<timer_t> all_;
    std::size_t made_ = 0;
};

template <int Notify, int Engine>
class runtimes_timers {
    static constexpr bool by_kernel = Notify == SIGEV_SIGNAL && Engine != SIGEV_ENGINE_HEAP;

public:
    static constexpr bool slow = by_kernel;
    static constexpr bool defers = true;
    static constexpr bool holds_what_is_scarce = by_kernel;

    runtimes_timers(std::size_t n, void (*)())
        : all_(n)
    {
        taken();
        for (timer_t& t : all_) {
            sigevent event{};
            event.sigev_notify = Notify;
            event.sigev_signo = burst_signal();
            event.sigev_notify_function = Notify == SIGEV_THREAD ? count_call : nullptr;
            sigev_timer_options options{};
            options.size = sizeof options;
            options.engine = Engine;
            unless(::sigev_timer_create_with(&options, CLOCK_MONOTONIC, &event, &t) == 0, "sigev_timer_create_with");
        }
    }
    runtimes_timers(const runtimes_timers&) = delete;
    runtimes_timers& operator=(const runtimes_timers&) = delete;
    ~runtimes_timers()
    {
        for (timer_t t : all_)
            ::sigev_timer_delete_wait(t);
    }

    std::size_t size() const { return all_.size(); }
    void arm_at(std::size_t i, std::uint64_t ns)
    {
        const itimerspec value{{}, to_timespec(ns)};
        unless(::sigev_timer_settime(all_[i], TIMER_ABSTIME, &value, nullptr) == 0, "sigev_timer_settime");
    }

private:
    std::vector<timer_t> all_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv,
        {{"rearm", rearm<timers>},
         {"create", create<timers>},
         {"memory", memory<timers>},
         {"most", most<timers>},
         {"burst", burst<timers>},
         {"burst.thread", burst_threads<runtimes_timers<SIGEV_THREAD, SIGEV_ENGINE_DEFAULT>>},
         {"burst.signal", burst_signals<runtimes_timers<SIGEV_SIGNAL, SIGEV_ENGINE_DEFAULT>>},
         {"burst.signal.heap", burst_signals<runtimes_timers<SIGEV_SIGNAL, SIGEV_ENGINE_HEAP>>}});
}

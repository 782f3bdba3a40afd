// sigev, through libsigev.so. In a loop of the program's own: a reactor in an epoll set, SIGEV_CALLBACK. Signals and threads:
// the runtime's reactor and its workers; but signals also as they are where nobody asks for an engine, which is the kernel's.
// `most`, `create`, `memory`: with the method that is measured, and all of POSIX's state.
#include "support/contestant.hpp"
#include "timers/posix_timers.hpp"
#include "timers/signals.hpp"

#include <sigev.h>

#include <sys/epoll.h>

#include <array>

namespace {

using namespace sigev_bench;

class timers : public posix_timers<::sigev_timer_settime, ::sigev_timer_gettime, ::sigev_timer_delete> {
public:
    static constexpr bool slow = false;
    static constexpr bool defers = true;
    static constexpr bool holds_what_is_scarce = false;
    static constexpr bool keeps_time = false;

    timers(std::size_t n, void (*expired)())
    {
        expired_ = expired;
        unless(::sigev_reactor_open(&reactor_) == 0, "sigev_reactor_open");
        all_.reserve(n);
        while (all_.size() != n)
            all_.push_back(made());
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
    ~timers()
    {
        delete_all();
        ::sigev_reactor_close(reactor_);
        ::close(epoll_);
    }

    void end() { ::sigev_reactor_ready(reactor_, 0); }
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
        all_[i] = made();
        come_round();
    }
    void make_and_delete()
    {
        unless(::sigev_timer_delete(made()) == 0, "sigev_timer_delete");
        come_round();
    }

private:
    void come_round()
    {
        if (++made_ % 64 == 0)
            end();
    }
    timer_t made()
    {
        sigevent event{};
        event.sigev_notify = SIGEV_CALLBACK;
        event.sigev_notify_function = [](sigval) { expired_(); };
        timer_t t{};
        unless(::sigev_timer_create_on(reactor_, CLOCK_MONOTONIC, &event, &t) == 0, "sigev_timer_create_on");
        return t;
    }

    static inline void (*expired_)() = nullptr;
    sigev_reactor_t reactor_ = 0;
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    std::size_t made_ = 0;
};

template <int Notify, int Engine>
class runtimes_timers : public posix_timers<::sigev_timer_settime, ::sigev_timer_gettime, ::sigev_timer_delete_wait> {
    static constexpr bool by_kernel = Notify == SIGEV_SIGNAL && Engine != SIGEV_ENGINE_HEAP;

public:
    static constexpr bool slow = by_kernel;
    static constexpr bool defers = true;
    static constexpr bool holds_what_is_scarce = by_kernel;

    runtimes_timers(std::size_t n, void (*)())
    {
        taken();
        all_.reserve(n);
        while (all_.size() != n) {
            sigevent event{};
            event.sigev_notify = Notify;
            event.sigev_signo = burst_signal();
            event.sigev_notify_function = Notify == SIGEV_THREAD ? count_call : nullptr;
            sigev_timer_options options{};
            options.size = sizeof options;
            options.engine = Engine;
            timer_t t{};
            unless(::sigev_timer_create_with(&options, CLOCK_MONOTONIC, &event, &t) == 0, "sigev_timer_create_with");
            all_.push_back(t);
        }
    }
};

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv,
        {{"rearm", rearm<timers>},
         {"create", create<timers>},
         {"create.one", create_one<timers>},
         {"memory", memory<timers>},
         {"most", most<timers>},
         {"burst", burst<timers>},
         {"burst.thread", burst_threads<runtimes_timers<SIGEV_THREAD, SIGEV_ENGINE_DEFAULT>>},
         {"burst.signal", burst_signals<runtimes_timers<SIGEV_SIGNAL, SIGEV_ENGINE_DEFAULT>>},
         {"burst.signal.heap", burst_signals<runtimes_timers<SIGEV_SIGNAL, SIGEV_ENGINE_HEAP>>}});
}

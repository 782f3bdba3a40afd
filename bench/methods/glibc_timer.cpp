// Peer: glibc's timers with SIGEV_THREAD. A helper thread of glibc's takes the kernel's signals and makes a thread for each.
// One timer for each notification that is under way: a timer that is armed again before its signal was taken would merge.
#include "methods/cases.hpp"
#include "support/contestant.hpp"

#include <array>

namespace {

using namespace sigev_bench;

template <std::size_t Timers>
class timers {
public:
    static constexpr std::uint64_t window = Timers;

    explicit timers(void (*function)(sigval))
    {
        for (one& t : all_) {
            t.function = function;
            sigevent event{};
            event.sigev_notify = SIGEV_THREAD;
            event.sigev_notify_function = &called;
            event.sigev_value.sival_ptr = &t;
            unless(::timer_create(CLOCK_MONOTONIC, &event, &t.timer) == 0, "timer_create");
        }
    }
    timers(const timers&) = delete;
    timers& operator=(const timers&) = delete;
    ~timers()
    {
        for (one& t : all_)
            ::timer_delete(t.timer);
    }

    void notify()
    {
        one& t = all_[next_++ % Timers];
        while (t.busy.load(std::memory_order_acquire))
            ::sched_yield();
        t.busy.store(true, std::memory_order_relaxed);
        itimerspec at_once{};
        at_once.it_value.tv_nsec = 1;
        unless(::timer_settime(t.timer, 0, &at_once, nullptr) == 0, "timer_settime");
    }

    void finish(std::uint64_t)
    {
        for (one& t : all_)
            while (t.busy.load(std::memory_order_acquire))
                ::sched_yield();
    }

private:
    struct one {
        timer_t timer{};
        void (*function)(sigval) = nullptr;
        std::atomic<bool> busy{false};
    };

    static void called(sigval value)
    {
        auto& t = *static_cast<one*>(value.sival_ptr);
        void (*const function)(sigval) = t.function;
        t.busy.store(false, std::memory_order_release);
        function({});
    }

    std::array<one, Timers> all_;
    std::size_t next_ = 0;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv,
        {{"thread", bulk<timers<64>>},
         {"thread.onecore", bulk_onecore<timers<64>>},
         {"cycle.onecore", cycle_onecore<timers<1>>},
         {"cycle.across", cycle_across<timers<1>>}});
}

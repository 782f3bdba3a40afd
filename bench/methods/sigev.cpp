// sigev, through libsigev.so. In bulk: sigev_submit() to one serial subscription of the runtime's. A cycle: a timer that is due
// as soon as it is armed. Signals: a loop of the program's own, whose thread submits a batch and then lets the reactor do what
// is due. The ledger is read at the end: what has merged or got lost makes the repetition a failure.
#include "methods/cases.hpp"
#include "support/contestant.hpp"

#include <sigev.h>

#include <sys/syscall.h>
#include <unistd.h>

namespace {

using namespace sigev_bench;

void check(sigev_t subscription, std::uint64_t n)
{
    // The account is settled when the function has returned, which who waits for its call does not wait for.
    sigev_ledger l{};
    const auto end = clock::now() + lost;
    do
        unless(::sigev_ledger_read(subscription, &l) == 0, "sigev_ledger_read");
    while (l.pending != 0 && clock::now() < end && ::sched_yield() == 0);
    unless(l.raised == n && l.delivered == n, "notifications have merged, or were lost");
}

class subscription {
public:
    // A record is on its way while its function still runs, and given back when that is over: so some more than the window.
    static constexpr std::uint64_t window = 4096;
    static constexpr std::uint32_t spare = 64;

    explicit subscription(void (*function)(sigval))
    {
        sigevent event{};
        event.sigev_notify = SIGEV_THREAD;
        event.sigev_notify_function = function;
        unless(::sigev_open(&event, window + spare, nullptr, &subscription_) == 0, "sigev_open");
    }
    subscription(const subscription&) = delete;
    subscription& operator=(const subscription&) = delete;
    ~subscription()
    {
        ::sigev_cancel_and_wait(subscription_);
        ::sigev_close(subscription_);
    }

    void notify() { unless(::sigev_submit(subscription_, 0, 0) == 0, "sigev_submit"); }
    void finish(std::uint64_t n) { check(subscription_, n); }

private:
    sigev_t subscription_ = 0;
};

class timer {
public:
    explicit timer(void (*function)(sigval))
    {
        sigevent event{};
        event.sigev_notify = SIGEV_THREAD;
        event.sigev_notify_function = function;
        unless(::sigev_timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0, "sigev_timer_create");
    }
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    ~timer() { ::sigev_timer_delete_wait(timer_); }

    void notify()
    {
        itimerspec at_once{};
        at_once.it_value.tv_nsec = 1;
        unless(::sigev_timer_settime(timer_, 0, &at_once, nullptr) == 0, "sigev_timer_settime");
    }

    void finish(std::uint64_t n)
    {
        sigev_ledger l{};
        const auto end = clock::now() + lost;
        do
            unless(::sigev_timer_ledger(timer_, &l) == 0, "sigev_timer_ledger");
        while (l.pending != 0 && clock::now() < end && ::sched_yield() == 0);
        unless(l.raised == n && l.delivered == n, "expirations have merged, or were lost");
    }

private:
    timer_t timer_{};
};

template <int Notify>
class sender {
public:
    explicit sender(int signo)
    {
        unless(::sigev_reactor_open(&reactor_) == 0, "sigev_reactor_open");
        sigevent event{};
        event.sigev_notify = Notify;
        event.sigev_signo = signo;
        event.sigev_value.sival_int = signal_value;
        if (Notify == SIGEV_THREAD_ID)
            event.sigev_notify_thread_id = static_cast<pid_t>(::syscall(SYS_gettid));
        sigev_options options{};
        options.size = sizeof options;
        options.reactor = reactor_;
        unless(::sigev_open(&event, signals_at_once, &options, &subscription_) == 0, "sigev_open");
    }
    sender(const sender&) = delete;
    sender& operator=(const sender&) = delete;
    ~sender()
    {
        ::sigev_close(subscription_);
        ::sigev_reactor_close(reactor_);
    }

    void queue(unsigned n)
    {
        for (unsigned i = 0; i != n; ++i)
            unless(::sigev_submit(subscription_, 0, 0) == 0, "sigev_submit");
        ::sigev_reactor_ready(reactor_, 0);
        check(subscription_, sent_ += n);
    }

private:
    sigev_reactor_t reactor_ = 0;
    sigev_t subscription_ = 0;
    std::uint64_t sent_ = 0;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv,
        {{"thread", bulk<subscription>},
         {"thread.onecore", bulk_onecore<subscription>},
         {"thread.calling", bulk_calling<subscription>},
         {"cycle.onecore", cycle_onecore<timer>},
         {"cycle.across", cycle_across<timer>},
         {"signal", signals<sender<SIGEV_SIGNAL>>},
         {"thread_id", signals<sender<SIGEV_THREAD_ID>>}});
}

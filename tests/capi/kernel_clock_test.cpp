// Timers on clocks that the heap does not follow, told by every method: the kernel keeps the time and tells a thread of the
// library's (semantics.md 3.5.2, 3.5.9; T27).
#include "timer_fixture.hpp"

#include <csignal>
#include <functional>
#include <memory>
#include <sys/wait.h>
#include <thread>

using namespace sigev_tests;

namespace {

const int rt = SIGRTMIN + 4;

/// Uses up its thread's time until it goes.
class busy_thread {
public:
    busy_thread() : thread_([this] {
        pthread_getcpuclockid(pthread_self(), &clock_);
        started_.open();
        while (!stop_)
            ;
    }) {
        BOOST_REQUIRE(started_.wait());
    }
    ~busy_thread() {
        stop_ = true;
        thread_.join();
    }
    clockid_t clock() const { return clock_; }

private:
    clockid_t clock_{};
    std::atomic<bool> stop_{false};
    gate started_;
    std::thread thread_;
};

/// The same, a process.
class busy_process {
public:
    busy_process() : pid_(fork()) {
        if (pid_ == 0) {
            alarm(60);
            for (;;)
                ;
        }
        BOOST_REQUIRE(pid_ > 0);
        BOOST_REQUIRE(clock_getcpuclockid(pid_, &clock_) == 0);
    }
    ~busy_process() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    clockid_t clock() const { return clock_; }

private:
    pid_t pid_;
    clockid_t clock_{};
};

/// A clock that moves while on.until() waits.
struct moving_clock {
    const char* name;
    clockid_t number;
};

void with_clocks(const std::function<void(const moving_clock&)>& f) {
    f({"CLOCK_TAI", CLOCK_TAI});
    f({"CLOCK_PROCESS_CPUTIME_ID", CLOCK_PROCESS_CPUTIME_ID});
    f({"CLOCK_THREAD_CPUTIME_ID", CLOCK_THREAD_CPUTIME_ID});
    {
        const busy_thread other;
        f({"another thread's", other.clock()});
    }
    const busy_process other;
    f({"another process's", other.clock()});
}

/// Half a millisecond of this thread's time: a loop that only waits would not move its clock.
void work_a_little() {
    const auto end = now_of(CLOCK_MONOTONIC) + ms / 2;
    while (now_of(CLOCK_MONOTONIC) < end)
        ;
}


} // namespace

BOOST_AUTO_TEST_SUITE(kernel_clocks)

SIGEV_TEST_ON_BOTH(every_method_is_told_on_every_clock) {
    const blocked_signals blocked{rt, rt + 1};
    const int kqueue = sigev_kqueue();
    sigev_method m{};
    m.size = sizeof m;
    m.deliver = [](void*, void*, const sigev_notification* n) {
        mailbox::receive(n->value);
        return static_cast<int>(SIGEV_DELIVERED);
    };
    const int number = sigev_method_register(&m);
    with_clocks([&](const moving_clock& clock) {
        BOOST_TEST_INFO_SCOPE(clock.name);
        mailbox by_thread, by_callback, by_user;
        sigevent kevent = make_event(SIGEV_KEVENT), user = make_event(number);
        kevent.sigev_notify_kqueue = kqueue;
        kevent.sigev_notify_kevent_flags = EV_CLEAR;
        user.sigev_value.sival_ptr = &by_user;
        std::vector<std::unique_ptr<timer>> timers;
        for (const auto& e :
             {make_event(SIGEV_NONE), make_event(SIGEV_THREAD, mailbox::receive, &by_thread),
              make_event(SIGEV_CALLBACK, mailbox::receive, &by_callback), kevent, user})
            timers.push_back(std::make_unique<timer>(on, clock.number, e));
        const timer to_process(on, clock.number, make_event(SIGEV_SIGNAL, rt, 5)),
            to_thread(on, clock.number, make_thread_id_event(this_thread(), rt + 1, 6));
        for (const auto& t : timers)
            t->set(2 * ms);
        to_process.set(2 * ms);
        to_thread.set(2 * ms);
        int process_value = 0, thread_value = 0;
        BOOST_TEST(on.until([&] {
            work_a_little();
            while (const auto info = blocked.take(0))
                (info->si_signo == rt ? process_value : thread_value) = info->si_value.sival_int;
            return process_value && thread_value && by_thread.calls && by_callback.calls && by_user.calls;
        }));
        BOOST_TEST(process_value == 5);
        BOOST_TEST(thread_value == 6);
        pollfd watched{kqueue, POLLIN, 0};
        BOOST_REQUIRE(on.until([&] { return poll(&watched, 1, 0) == 1; }));
        sigev_kev event{};
        const timespec none{};
        BOOST_REQUIRE(sigev_kevent(kqueue, nullptr, 0, &event, 1, &none) == 1);
        BOOST_TEST(event.data == 1);
        for (const auto& t : timers) {
            BOOST_TEST(on.until([&] { return t->ledger().delivered == 1; }));
            SIGEV_CHECK_LEDGER(t->ledger(), 1, 1);
            BOOST_TEST(nanoseconds_of(t->get().it_value) == 0);
        }
        BOOST_TEST(to_process.ledger().kernel_raised == 1u);
    });
    sigev_method_unregister(number);
    sigev_kqueue_close(kqueue);
}

// 3.5.3, 3.4: the heap's promises hold here, too
SIGEV_TEST_ON_BOTH(never_early_in_step_and_every_expiration_accounted_for) {
    with_clocks([&](const moving_clock& clock) {
        BOOST_TEST_INFO_SCOPE(clock.name);
        clock_box box;
        clockid_t seen = clock.number;
        if (seen == CLOCK_THREAD_CPUTIME_ID)
            pthread_getcpuclockid(pthread_self(), &seen);
        box.clock = seen;
        const timer t(on, clock.number, make_event(SIGEV_CALLBACK, clock_box::receive, &box));
        const std::int64_t period = 10 * ms; // a tick of the kernel's is at most that
        const auto before = now_of(seen);
        t.set(period, period);
        BOOST_REQUIRE(on.until([&] { return work_a_little(), box.calls >= 5; }));
        t.set(0);
        BOOST_TEST(on.until([&] { return t.ledger().pending == 0; }));
        std::int64_t told = 0;
        const auto first = box.seen[0].n.scheduled;
        BOOST_TEST(first >= before + period);
        for (unsigned i = 0; i != 5; ++i) {
            const auto& call = box.seen[i];
            BOOST_TEST(call.n.clock == seen);
            BOOST_TEST(call.n.scheduled == first + told * period);
            told += call.n.data;
            BOOST_TEST(call.n.overrun == call.n.data - 1);
            BOOST_TEST(call.at >= first + (told - 1) * period);
            BOOST_TEST(call.n.actual >= call.n.scheduled);
        }
        const auto l = t.ledger();
        BOOST_TEST(adds_up(l));
        BOOST_TEST(l.kernel_timers == 0u);
        BOOST_TEST(l.delivered == box.calls);
        BOOST_TEST(sigev_timer_getoverrun(t.id()) >= 0);
    });
}

// 3.4.8
SIGEV_TEST_ON_BOTH(a_past_absolute_time_catches_up_in_one_notification) {
    clock_box box;
    box.clock = CLOCK_TAI;
    const timer t(on, CLOCK_TAI, make_event(SIGEV_CALLBACK, clock_box::receive, &box));
    const std::int64_t period = 3600 * 1000 * ms; // the next is not due before the look at this one
    const auto start = now_of(CLOCK_TAI) - 20 * period - period / 2;
    t.set(start, period, TIMER_ABSTIME);
    BOOST_REQUIRE(on.until([&] { return box.calls == 1; }));
    BOOST_TEST(box.seen[0].n.scheduled == start);
    BOOST_TEST(box.seen[0].n.data == 21);
    BOOST_TEST(sigev_timer_getoverrun(t.id()) == box.seen[0].n.overrun);
}

// 3.5.9
SIGEV_TEST_ON_BOTH(CLOCK_THREAD_CPUTIME_ID_is_the_clock_of_who_created_the_timer) {
    const blocked_signals blocked{rt};
    gate created, done;
    clock_box box;
    std::unique_ptr<timer> carried, direct;
    std::atomic<bool> work{false};
    std::thread other([&] {
        carried = std::make_unique<timer>(on, CLOCK_THREAD_CPUTIME_ID, make_event(SIGEV_CALLBACK, clock_box::receive, &box));
        direct = std::make_unique<timer>(on, CLOCK_THREAD_CPUTIME_ID, make_event(SIGEV_SIGNAL, rt, 7));
        created.open();
        static_cast<void>(done.wait()); // asleep: its clock stands
        while (!work)
            ;
    });
    const bool in_time = created.wait(); // the macros are not for two threads at once
    BOOST_TEST(in_time);
    carried->set(20 * ms); // by another thread, whose time is not meant
    direct->set(20 * ms);
    const auto start = now_of(CLOCK_THREAD_CPUTIME_ID);
    BOOST_TEST(on.until([&] { return work_a_little(), now_of(CLOCK_THREAD_CPUTIME_ID) > start + 60 * ms; }));
    BOOST_TEST(box.calls == 0u);
    BOOST_TEST(!blocked.take(0).has_value());
    BOOST_TEST(nanoseconds_of(carried->get().it_value) > 0);
    done.open();
    BOOST_TEST(on.until([&] { return box.calls == 1; }));
    BOOST_TEST(blocked.take(on).has_value());
    BOOST_TEST(direct->ledger().kernel_raised == 1u);
    work = true;
    other.join();
    // The clock has gone; the timers are there until they are deleted.
    const auto soon = timer_value(1);
    sigev_timer_settime(carried->id(), 0, &soon, nullptr);
    sigev_timer_settime(direct->id(), 0, &soon, nullptr);
    BOOST_TEST(direct->ledger().kernel_raised == 1u);
}

// The thread that the kernel tells runs no callback, so none can end it.
BOOST_AUTO_TEST_CASE(pthread_exit_in_a_callback_disturbs_no_CPU_time_timer) {
    const place on(place::runtime);
    std::atomic<int> exits{0};
    const auto leave = [](sigval v) {
        ++*static_cast<std::atomic<int>*>(v.sival_ptr);
        pthread_exit(nullptr);
    };
    mailbox steady;
    const timer own(on, CLOCK_PROCESS_CPUTIME_ID, make_event(SIGEV_THREAD, leave, &exits)),
        other(on, CLOCK_PROCESS_CPUTIME_ID, make_event(SIGEV_THREAD, mailbox::receive, &steady)),
        heap(on, CLOCK_MONOTONIC, make_event(SIGEV_THREAD, leave, &exits));
    own.set(4 * ms, 4 * ms);
    other.set(4 * ms, 4 * ms);
    heap.set(1 * ms, 1 * ms);
    BOOST_TEST(wait_until([&] { return exits >= 10 && own.ledger().delivered >= 5; }));
    const int before = steady.calls;
    BOOST_TEST(wait_until([&] { return steady.calls >= before + 5; }));
    for (const timer* t : {&own, &other, &heap}) {
        t->set(0);
        BOOST_TEST(wait_until([&] { return t->ledger().pending == 0; }));
        BOOST_TEST(adds_up(t->ledger()));
    }
}

// Where the kernel has an alarm clock and the process may use it; else its own error.
SIGEV_TEST_ON_BOTH(alarm_clocks_work_or_say_what_the_kernel_says) {
    std::string refused;
    for (const clockid_t clock : {CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM}) {
        sigevent none = make_event(SIGEV_NONE);
        timer_t id{};
        const int of_libc = timer_create(clock, &none, &id) == 0 ? 0 : errno;
        if (of_libc == 0)
            timer_delete(id);
        clock_box box;
        for (auto e : {make_event(SIGEV_CALLBACK, clock_box::receive, &box), make_event(SIGEV_SIGNAL, rt)}) {
            const auto options = make_timer_options(on);
            const int error = sigev_timer_create_with(&options, clock, &e, &id) == 0 ? 0 : errno;
            BOOST_TEST(error == of_libc);
            if (error == 0)
                BOOST_TEST(sigev_timer_delete(id) == 0);
        }
        if (of_libc != 0) {
            refused = std::to_string(of_libc);
            continue;
        }
        const timer t(on, clock, make_event(SIGEV_CALLBACK, clock_box::receive, &box));
        t.set(1 * ms);
        BOOST_TEST(on.until([&] { return box.calls == 1; }));
    }
    if (!refused.empty())
        skip("the kernel refuses alarm clocks: errno " + refused);
}

// The heap's clocks, if the kernel's engine is asked for.
SIGEV_TEST_ON_BOTH(the_kernel_may_be_chosen_for_the_heaps_clocks) {
    for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME}) {
        clock_box box;
        const timer t(on, clock, make_event(SIGEV_THREAD, clock_box::receive, &box), SIGEV_ENGINE_KERNEL);
        t.set(1 * ms);
        BOOST_REQUIRE(on.until([&] { return box.calls == 1; }));
        BOOST_TEST(box.seen[0].n.clock == (clock == CLOCK_REALTIME ? CLOCK_MONOTONIC : clock));
        BOOST_TEST(box.seen[0].n.actual >= box.seen[0].n.scheduled);
        t.set(now_of(clock) + ms, 0, TIMER_ABSTIME);
        BOOST_REQUIRE(on.until([&] { return box.calls == 2; }));
        BOOST_TEST(box.seen[1].n.clock == clock);
        BOOST_TEST(on.until([&] { return t.ledger().delivered == 2; }));
    }
}

// It sleeps with all signals blocked; libc's own for this has to come through.
BOOST_AUTO_TEST_CASE(setuid_is_not_held_up_by_the_thread_that_the_kernel_tells) {
    const place on(place::runtime);
    clock_box box;
    const timer t(on, CLOCK_TAI, make_event(SIGEV_CALLBACK, clock_box::receive, &box));
    BOOST_TEST(setuid(getuid()) == 0);
    t.set(1 * ms);
    BOOST_TEST(wait_until([&] { return box.calls == 1; }));
}

BOOST_AUTO_TEST_SUITE_END()

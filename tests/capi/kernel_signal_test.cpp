// SIGEV_SIGNAL and SIGEV_THREAD_ID timers are the kernel's: each body runs on libc's own timer_create(), which is the oracle, and
// on sigev's (semantics.md 3.3, 3.4; the numbers are its).
#include "timer_fixture.hpp"

#include <climits>
#include <sys/resource.h>
#include <thread>

using namespace sigev_tests;

namespace {

const int rt = SIGRTMIN + 4;

/// timer_create() and its family, of somebody.
struct family {
    const char* name;
    int (*create)(clockid_t, sigevent*, timer_t*);
    int (*settime)(timer_t, int, const itimerspec*, itimerspec*);
    int (*gettime)(timer_t, itimerspec*);
    int (*getoverrun)(timer_t);
    int (*remove)(timer_t);
};

const family both[] = {
    {"libc", timer_create, timer_settime, timer_gettime, timer_getoverrun, timer_delete},
    {"sigev", sigev_timer_create, sigev_timer_settime, sigev_timer_gettime, sigev_timer_getoverrun, sigev_timer_delete}};

class timer_of {
public:
    timer_of(const family& f, sigevent e, clockid_t clock = CLOCK_MONOTONIC) : f_(f) {
        BOOST_REQUIRE_MESSAGE(f.create(clock, &e, &id_) == 0, f.name << ": errno " << errno);
    }
    timer_of(const timer_of&) = delete;
    timer_of& operator=(const timer_of&) = delete;
    ~timer_of() { remove(); }

    void set(std::int64_t value, std::int64_t interval = 0, int flags = 0, itimerspec* old = nullptr) const {
        const auto wanted = timer_value(value, interval);
        BOOST_REQUIRE(f_.settime(id_, flags, &wanted, old) == 0);
    }
    itimerspec get() const {
        itimerspec value{};
        BOOST_REQUIRE(f_.gettime(id_, &value) == 0);
        return value;
    }
    int overrun() const { return f_.getoverrun(id_); }
    void remove() {
        if (!std::exchange(removed_, true))
            BOOST_TEST(f_.remove(id_) == 0);
    }

private:
    const family& f_;
    timer_t id_{};
    bool removed_ = false;
};

sigevent event_of(int notify) {
    return notify == SIGEV_SIGNAL ? make_event(SIGEV_SIGNAL, rt, 7) : make_thread_id_event(this_thread(), rt, 7);
}

void pass(std::int64_t nanoseconds) {
    const auto end = now_of(CLOCK_MONOTONIC) + nanoseconds;
    wait_until([&] { return now_of(CLOCK_MONOTONIC) >= end; });
}

bool is_pending(int signo) {
    sigset_t set;
    sigpending(&set);
    return sigismember(&set, signo) == 1;
}

template <class F>
void on_both(F&& f) {
    for (const family& of : both)
        for (const int notify : std::initializer_list<int>{SIGEV_SIGNAL, SIGEV_THREAD_ID}) {
            BOOST_TEST_INFO_SCOPE(of.name << ", sigev_notify " << notify);
            f(of, notify);
        }
}

} // namespace

BOOST_AUTO_TEST_SUITE(kernel_signals)

// 3.3.4, 3.4.1, 3.4.4: the heap would queue one signal after the other here
BOOST_AUTO_TEST_CASE(one_signal_is_queued_and_counts_until_it_is_accepted) {
    const blocked_signals blocked{rt};
    on_both([&](const family& of, int notify) {
        const timer_of t(of, event_of(notify));
        t.set(2 * ms, 2 * ms);
        pass(41 * ms);
        const auto first = blocked.take_in_time(); // 2 .. 40 ms: 20 expirations, one signal
        BOOST_REQUIRE(first.has_value());
        BOOST_TEST(first->si_code == SI_TIMER);
        BOOST_TEST(first->si_value.sival_int == 7);
        BOOST_TEST(first->si_overrun >= 19);
        BOOST_TEST(t.overrun() == first->si_overrun); // latched
        pass(7 * ms);                                 // the next one is pending, and counts
        BOOST_TEST(t.overrun() == first->si_overrun); // still
        const auto second = blocked.take_in_time();
        BOOST_REQUIRE(second.has_value());
        BOOST_TEST(second->si_overrun >= 2);
        BOOST_TEST(t.overrun() == second->si_overrun);
        t.set(0);
        blocked.take(0); // of the period that may have ended meanwhile
        BOOST_TEST(!blocked.take(0).has_value());
    });
}

// 3.4.8
BOOST_AUTO_TEST_CASE(a_past_absolute_time_is_one_signal_with_the_missed_periods) {
    const blocked_signals blocked{rt};
    on_both([&](const family& of, int notify) {
        const timer_of t(of, event_of(notify));
        const std::int64_t now = now_of(CLOCK_MONOTONIC), period = now / 11; // as long as may be: the next is not due before the look
        t.set(now - 10 * period - period / 2, period, TIMER_ABSTIME);
        const auto info = blocked.take_in_time();
        BOOST_REQUIRE(info.has_value());
        BOOST_TEST(info->si_overrun == 10);
        BOOST_TEST(t.overrun() == 10);
    });
}

// 3.4.2
BOOST_AUTO_TEST_CASE(the_overrun_is_clamped_by_the_kernel) {
    const blocked_signals blocked{rt};
    on_both([&](const family& of, int notify) {
        const timer_of t(of, event_of(notify), CLOCK_REALTIME);
        t.set(1, 1, TIMER_ABSTIME); // a period of 1 ns since 1970
        const auto info = blocked.take_in_time();
        t.set(0);
        BOOST_REQUIRE(info.has_value());
        BOOST_TEST(info->si_overrun == INT_MAX);
    });
}

// 3.5.7: whatever the kernel does with the signal that is pending, sigev does not do otherwise
BOOST_AUTO_TEST_CASE(a_pending_signal_is_dropped_or_kept_as_the_kernel_does) {
    const blocked_signals blocked{rt};
    for (const int notify : std::initializer_list<int>{SIGEV_SIGNAL, SIGEV_THREAD_ID})
        for (const int step : {0, 1, 2}) {
            bool kept[2] = {};
            for (std::size_t i = 0; i != 2; ++i) {
                timer_of t(both[i], event_of(notify));
                t.set(1);
                BOOST_REQUIRE(wait_until([] { return is_pending(rt); }));
                switch (step) {
                case 0: t.remove(); break;
                case 1: t.set(0); break;
                default: t.set(3600 * 1000 * ms); break;
                }
                kept[i] = blocked.take(0).has_value();
            }
            BOOST_TEST(kept[0] == kept[1], "notify " << notify << ", step " << step << ": libc " << kept[0]);
        }
}

// 3.4.7 [T43]: the disposition does not stop a blocked signal, nor its count
BOOST_AUTO_TEST_CASE(an_ignored_signal_that_is_blocked_is_queued_and_counts) {
    const blocked_signals blocked{rt};
    std::signal(rt, SIG_IGN);
    on_both([&](const family& of, int notify) {
        const timer_of t(of, event_of(notify));
        t.set(1 * ms, 1 * ms);
        pass(11 * ms);
        const auto info = blocked.take_in_time();
        BOOST_REQUIRE(info.has_value());
        BOOST_TEST(info->si_overrun >= 8);
    });
    std::signal(rt, SIG_DFL);
}

// 3.5.5
BOOST_AUTO_TEST_CASE(gettime_and_the_old_value_are_the_kernels) {
    on_both([&](const family& of, int notify) {
        const timer_of t(of, event_of(notify));
        const std::int64_t hour = 3600 * 1000 * ms;
        BOOST_TEST(nanoseconds_of(t.get().it_value) == 0);
        t.set(now_of(CLOCK_MONOTONIC) + hour, 77, TIMER_ABSTIME);
        itimerspec old{};
        t.set(2 * hour, 0, 0, &old);
        BOOST_TEST(nanoseconds_of(old.it_value) <= hour);
        BOOST_TEST(nanoseconds_of(old.it_value) > hour - 10000 * ms);
        BOOST_TEST(old.it_interval.tv_nsec == 77);
        BOOST_TEST(nanoseconds_of(t.get().it_value) > hour);
    });
}

BOOST_AUTO_TEST_CASE(a_thread_that_has_ended_is_told_nothing_and_one_of_another_process_is_EINVAL) {
    const blocked_signals blocked{rt};
    for (const family& of : both) {
        pid_t other = 0;
        gate go;
        std::thread target([&] {
            other = this_thread();
            go.open();
        });
        const bool in_time = go.wait();
        // alive or not by now: then nothing is made
        sigevent e = make_thread_id_event(other, rt, 7);
        timer_t id{};
        const bool made = of.create(CLOCK_MONOTONIC, &e, &id) == 0;
        target.join();
        BOOST_TEST(in_time);
        if (made) {
            const auto soon = timer_value(1, ms);
            BOOST_TEST(of.settime(id, 0, &soon, nullptr) == 0);
            pass(5 * ms);
            BOOST_TEST(!blocked.take(0).has_value());
            BOOST_TEST(of.remove(id) == 0);
        }
        sigevent foreign = make_thread_id_event(getppid(), rt);
        errno = 0;
        BOOST_TEST(of.create(CLOCK_MONOTONIC, &foreign, &id) == -1);
        BOOST_TEST(errno == EINVAL);
        for (const int signo : {0, -1, 65}) {
            sigevent bad = make_event(SIGEV_SIGNAL, signo);
            errno = 0;
            BOOST_TEST(of.create(CLOCK_MONOTONIC, &bad, &id) == -1);
            BOOST_TEST(errno == EINVAL);
        }
    }
}

// Of a thread that does end while its timer is there.
BOOST_AUTO_TEST_CASE(the_timer_outlives_the_thread_that_it_tells) {
    const blocked_signals blocked{rt};
    for (const family& of : both) {
        gate made, end;
        timer_t id{};
        int result = -1;
        std::thread target([&] {
            sigevent e = make_thread_id_event(this_thread(), rt, 7);
            result = of.create(CLOCK_MONOTONIC, &e, &id);
            made.open();
            static_cast<void>(end.wait());
        });
        const bool in_time = made.wait();
        end.open();
        target.join();
        BOOST_TEST(in_time);
        BOOST_REQUIRE(result == 0);
        const auto soon = timer_value(1, ms);
        BOOST_TEST(of.settime(id, 0, &soon, nullptr) == 0);
        pass(5 * ms);
        itimerspec left{};
        BOOST_TEST(of.gettime(id, &left) == 0);
        BOOST_TEST(left.it_interval.tv_nsec == ms);
        BOOST_TEST(of.remove(id) == 0);
    }
}

// 3.1.7: glibc says NULL instead, so POSIX and the kernel's own are the oracle here
BOOST_AUTO_TEST_CASE(without_an_event_the_value_is_the_id_that_was_returned) {
    const blocked_signals blocked{SIGALRM};
    for (int i = 0; i != 3; ++i) {
        timer_t id{};
        BOOST_REQUIRE(sigev_timer_create(CLOCK_MONOTONIC, nullptr, &id) == 0);
        const auto soon = timer_value(1);
        BOOST_REQUIRE(sigev_timer_settime(id, 0, &soon, nullptr) == 0);
        const auto info = blocked.take_in_time();
        BOOST_REQUIRE(info.has_value());
        BOOST_TEST(info->si_value.sival_ptr == id);
        BOOST_TEST(info->si_code == SI_TIMER);
        BOOST_TEST(sigev_timer_delete(id) == 0);
    }
}

// 3.3.5, 3.9
BOOST_AUTO_TEST_CASE(a_slot_of_the_signal_queue_is_taken_by_the_kernels_timers_and_not_by_the_heaps) {
    const place on(place::runtime);
    const blocked_signals blocked{rt};
    rlimit before{};
    getrlimit(RLIMIT_SIGPENDING, &before);
    const rlimit none{0, before.rlim_max};
    clock_box box;
    sigevent carried = make_event(SIGEV_CALLBACK, clock_box::receive, &box);
    const auto kernel = make_timer_options(on, SIGEV_ENGINE_KERNEL), heap = make_timer_options(on, SIGEV_ENGINE_HEAP);
    BOOST_REQUIRE(setrlimit(RLIMIT_SIGPENDING, &none) == 0);
    timer_t id{};
    for (const family& of : both) {
        sigevent e = event_of(SIGEV_SIGNAL);
        errno = 0;
        BOOST_TEST(of.create(CLOCK_MONOTONIC, &e, &id) == -1);
        BOOST_TEST(errno == EAGAIN);
    }
    errno = 0;
    BOOST_TEST(sigev_timer_create_with(&kernel, CLOCK_MONOTONIC, &carried, &id) == -1);
    BOOST_TEST(errno == EAGAIN);
    std::vector<timer_t> many(1000);
    for (std::size_t i = 0; i != many.size(); ++i) {
        sigevent e = event_of(i % 2 ? SIGEV_SIGNAL : SIGEV_THREAD_ID);
        BOOST_REQUIRE(sigev_timer_create_with(&heap, CLOCK_MONOTONIC, &e, &many[i]) == 0);
        const auto later = timer_value(3600 * 1000 * ms);
        BOOST_REQUIRE(sigev_timer_settime(many[i], 0, &later, nullptr) == 0);
    }
    BOOST_REQUIRE(setrlimit(RLIMIT_SIGPENDING, &before) == 0);
    const auto soon = timer_value(1);
    BOOST_TEST(sigev_timer_settime(many[0], 0, &soon, nullptr) == 0);
    BOOST_TEST(blocked.take_in_time().has_value());
    for (const timer_t each : many)
        BOOST_TEST(sigev_timer_delete(each) == 0);
}

// The heap's, chosen, has them in its ledger.
BOOST_AUTO_TEST_CASE(chosen_the_heap_tells_through_the_dispatcher_and_accounts_for_all) {
    const place on(place::runtime);
    const blocked_signals blocked{rt};
    for (const int notify : std::initializer_list<int>{SIGEV_SIGNAL, SIGEV_THREAD_ID}) {
        const timer t(on, CLOCK_MONOTONIC, event_of(notify), SIGEV_ENGINE_HEAP);
        t.set(1 * ms);
        BOOST_TEST(blocked.take(on).has_value());
        BOOST_TEST(wait_until([&] { return t.ledger().delivered == 1; }));
        SIGEV_CHECK_LEDGER(t.ledger(), 1, 1);
    }
}

SIGEV_TEST_ON_BOTH(who_closes_the_reactor_ends_the_kernels_timers_too) {
    const blocked_signals blocked{rt};
    sigev_reactor_t reactor = on.reactor();
    if (!on.is_borrowed())
        BOOST_REQUIRE(sigev_reactor_open(&reactor) == 0);
    auto options = make_timer_options(on);
    options.reactor = reactor;
    sigevent e = event_of(SIGEV_SIGNAL);
    timer_t id{};
    BOOST_REQUIRE(sigev_timer_create_with(&options, CLOCK_MONOTONIC, &e, &id) == 0);
    const auto soon = timer_value(1, ms);
    BOOST_REQUIRE(sigev_timer_settime(id, 0, &soon, nullptr) == 0);
    BOOST_TEST(blocked.take_in_time().has_value());
    if (on.is_borrowed())
        return; // the place closes it, and the check after the case finds a thread or a ledger that is left
    BOOST_REQUIRE(sigev_reactor_close(reactor) == 0);
    blocked.take(0);
    pass(5 * ms);
    BOOST_TEST(!blocked.take(0).has_value());
    BOOST_TEST(sigev_timer_settime(id, 0, &soon, nullptr) == -1);
    BOOST_TEST(sigev_timer_delete(id) == -1);
}

BOOST_AUTO_TEST_SUITE_END()

// Timers by the rules that POSIX has for timer_settime(), timer_gettime() and timer_getoverrun().
#include "timer_fixture.hpp"

#include <climits>
#include <limits>

using namespace sigev_tests;

namespace {

constexpr clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};

sigevent to(clock_box& box, int notify = SIGEV_CALLBACK) {
    return make_event(notify, clock_box::receive, &box);
}

} // namespace

BOOST_AUTO_TEST_SUITE(timers)

// 3.5.1, 3.5.3
SIGEV_TEST_ON_BOTH(a_one_shot_fires_once_and_never_early) {
    for (const clockid_t clock : clocks)
        for (const std::int64_t delay : {std::int64_t{1}, 999 * ms / 1000, 2 * ms, 7 * ms}) {
            clock_box box;
            box.clock = clock;
            timer t(on, clock, to(box));
            BOOST_TEST(nanoseconds_of(t.get().it_value) == 0);
            const auto before = now_of(clock);
            t.set(delay);
            BOOST_REQUIRE(on.until([&] { return box.calls == 1; }));
            BOOST_TEST(box.seen[0].at >= before + delay);
            BOOST_TEST(box.seen[0].n.data == 1);
            BOOST_TEST(box.seen[0].n.overrun == 0);
            BOOST_TEST(box.seen[0].n.code == SI_TIMER);
            BOOST_TEST(box.seen[0].n.source == SIGEV_SOURCE_TIMER);
            BOOST_TEST(box.seen[0].n.ident == reinterpret_cast<std::uint64_t>(t.id()));
            BOOST_TEST(box.seen[0].n.cause == +SIGEV_CAUSE_EXPIRED);
            // A relative time does not follow the steps of the wall clock.
            const clockid_t kept_on = clock == CLOCK_REALTIME ? CLOCK_MONOTONIC : clock;
            BOOST_TEST(box.seen[0].n.clock == kept_on);
            BOOST_TEST(box.seen[0].n.actual >= box.seen[0].n.scheduled); // never early
            BOOST_TEST(box.seen[0].n.actual <= now_of(kept_on));
            BOOST_TEST(nanoseconds_of(t.get().it_value) == 0);
            BOOST_TEST(on.until([&] { return t.ledger().delivered == 1; })); // the callback is over
            SIGEV_CHECK_LEDGER(t.ledger(), 1, 1);
        }
}

// 3.5.3: every expiration of a period is on its multiple, however late the one before was told: no drift
SIGEV_TEST_ON_BOTH(a_periodic_timer_does_not_drift) {
    clock_box box;
    timer t(on, CLOCK_MONOTONIC, to(box));
    const auto before = now_of(CLOCK_MONOTONIC);
    t.set(3 * ms, 2 * ms);
    const auto after = now_of(CLOCK_MONOTONIC);
    BOOST_REQUIRE(on.until([&] { return box.calls >= 20; }));
    t.set(0);
    const auto first = box.seen[0].n.scheduled;
    BOOST_TEST(first >= before + 3 * ms);
    BOOST_TEST(first <= after + 3 * ms);
    std::int64_t told = 0;
    for (unsigned i = 0; i != 20; ++i) {
        const auto& call = box.seen[i];
        BOOST_TEST(call.n.scheduled == first + told * 2 * ms); // exactly
        told += call.n.data;
        BOOST_TEST(call.n.overrun == call.n.data - 1);
        BOOST_TEST(call.at >= first + (told - 1) * 2 * ms); // none is told before it was due
    }
}

// 3.5.4
SIGEV_TEST_ON_BOTH(an_absolute_time_is_on_the_timers_clock) {
    for (const clockid_t clock : clocks) {
        clock_box box;
        box.clock = clock;
        timer t(on, clock, to(box));
        const auto when = now_of(clock) + 5 * ms;
        t.set(when, 0, TIMER_ABSTIME);
        BOOST_REQUIRE(on.until([&] { return box.calls == 1; }));
        BOOST_TEST(box.seen[0].at >= when);
        BOOST_TEST(box.seen[0].n.scheduled == when);
        BOOST_TEST(box.seen[0].n.clock == clock);
        BOOST_TEST(box.seen[0].n.actual >= when);
        BOOST_TEST(box.seen[0].n.actual <= box.seen[0].at); // the callback's first look came after it
    }
}

// 3.5.4, 3.4.8: at once, with all the missed periods in one notification
SIGEV_TEST_ON_BOTH(a_past_absolute_time_fires_at_once_and_catches_up_in_one_notification) {
    for (const clockid_t clock : clocks) {
        clock_box box;
        box.clock = clock;
        timer one_shot(on, clock, to(box));
        one_shot.set(1, 0, TIMER_ABSTIME);
        BOOST_REQUIRE(on.until([&] { return box.calls == 1; }));
        BOOST_TEST(box.seen[0].n.overrun == 0);

        timer periodic(on, clock, to(box));
        const std::int64_t period = 50 * ms;
        const auto start = now_of(clock) - 100 * period - period / 2;
        periodic.set(start, period, TIMER_ABSTIME);
        BOOST_REQUIRE(on.until([&] { return box.calls >= 2; })); // more, if this thread is late
        periodic.set(0);
        BOOST_REQUIRE(on.until([&] { return periodic.ledger().pending == 0; }));
        const auto& call = box.seen[1];
        BOOST_TEST(call.n.scheduled == start);
        BOOST_TEST(call.n.overrun >= 100);
        BOOST_TEST(call.n.overrun <= (call.at - start) / period); // the clock is read after it is latched
        BOOST_REQUIRE(box.calls <= box.seen.size());
        BOOST_TEST(sigev_timer_getoverrun(periodic.id()) == box.seen[box.calls - 1].n.overrun); // 3.4.4: latched
        const auto l = periodic.ledger();
        BOOST_TEST(l.raised >= static_cast<std::uint64_t>(call.n.data));
    }
}

// 3.5.4
SIGEV_TEST_ON_BOTH(zero_disarms_whatever_the_interval_and_the_flags) {
    // A thread that loses its processor may come too late to disarm it: then that has not been seen, and is tried again.
    const auto in_time = [&] {
        clock_box box;
        timer t(on, CLOCK_MONOTONIC, to(box)), control(on, CLOCK_MONOTONIC, to(box));
        bool good = true;
        for (const int flags : {0, TIMER_ABSTIME}) {
            const auto began = now_of(CLOCK_MONOTONIC);
            t.set(5 * ms, 5 * ms);
            t.set(0, 7 * ms, flags);
            good &= now_of(CLOCK_MONOTONIC) - began < 5 * ms;
            BOOST_TEST(nanoseconds_of(t.get().it_value) == 0);
        }
        control.set(8 * ms);
        BOOST_REQUIRE(on.until([&] { return box.calls > 0; }));
        if (good) {
            BOOST_TEST(box.seen[0].n.ident == reinterpret_cast<std::uint64_t>(control.id()));
            SIGEV_CHECK_LEDGER(t.ledger(), 0, 0);
        }
        return good;
    };
    BOOST_TEST(wait_until(in_time));
}

// 3.5.6
SIGEV_TEST_ON_BOTH(times_that_are_none_are_invalid_unless_the_request_disarms) {
    clock_box box;
    timer t(on, CLOCK_MONOTONIC, to(box));
    t.set(3600 * 1000 * ms, 5);
    const auto refused = [&](itimerspec value) {
        errno = 0;
        return sigev_timer_settime(t.id(), 0, &value, nullptr) == -1 && errno == EINVAL;
    };
    for (const timespec bad :
         {timespec{0, -1}, timespec{1, -1}, timespec{0, 1000000000}, timespec{5, LONG_MAX}, timespec{-1, 5}, timespec{-1, 0}}) {
        BOOST_TEST(refused({{0, 0}, bad}));
        BOOST_TEST(refused({bad, {1, 0}}));
    }
    BOOST_TEST(nanoseconds_of(t.get().it_interval) == 5); // nothing was changed
    const itimerspec exempt{{-7, 2000000000}, {0, 0}};
    BOOST_TEST(sigev_timer_settime(t.id(), 0, &exempt, nullptr) == 0);
    BOOST_TEST(nanoseconds_of(t.get().it_value) == 0);
    BOOST_TEST(sigev_timer_settime(t.id(), 0, nullptr, nullptr) == -1);
    BOOST_TEST(sigev_timer_gettime(t.id(), nullptr) == -1);
    const itimerspec longest{{std::numeric_limits<time_t>::max(), 999999999}, {std::numeric_limits<time_t>::max(), 999999999}};
    for (const int flags : {0, TIMER_ABSTIME}) {
        BOOST_TEST(sigev_timer_settime(t.id(), flags, &longest, nullptr) == 0);
        BOOST_TEST(t.get().it_value.tv_sec > 3600l * 24 * 365 * 50);
    }
}

// 3.5.5
SIGEV_TEST_ON_BOTH(gettime_and_the_old_value_are_relative_and_keep_the_interval) {
    clock_box box;
    for (const clockid_t clock : clocks)
        for (const int flags : {0, TIMER_ABSTIME}) {
            timer t(on, clock, to(box));
            const std::int64_t hour = 3600 * 1000 * ms;
            const auto before = now_of(clock);
            t.set(flags ? before + hour : hour, 77 * ms, flags);
            const auto value = t.get();
            itimerspec old{};
            t.set(2 * hour, 0, 0, &old);
            const auto passed = now_of(clock) - before;
            for (const auto& left : {value, old}) {
                BOOST_TEST(nanoseconds_of(left.it_value) <= hour);
                BOOST_TEST(nanoseconds_of(left.it_value) >= hour - passed);
                BOOST_TEST(nanoseconds_of(left.it_interval) == 77 * ms);
            }
            t.set(0, 0, 0, &old);
            BOOST_TEST(nanoseconds_of(old.it_value) > hour);
            t.set(0, 0, 0, &old);
            BOOST_TEST(nanoseconds_of(old.it_value) == 0);
        }
    BOOST_TEST(box.calls == 0u);
}

// 3.1.7
SIGEV_TEST_ON_BOTH(without_an_event_it_is_SIGALRM_with_the_timers_id) {
    const blocked_signals blocked{SIGALRM};
    const timer t(on, CLOCK_MONOTONIC, nullptr);
    t.set(1 * ms);
    const auto info = blocked.take(on);
    BOOST_REQUIRE(info.has_value());
    BOOST_TEST(info->si_signo == SIGALRM);
    BOOST_TEST(info->si_code == SI_TIMER);
    BOOST_TEST(info->si_value.sival_ptr == t.id());
}

// 3.5.2
SIGEV_TEST_ON_BOTH(clocks_that_do_not_exist_are_EINVAL_and_those_of_others_ENOTSUP) {
    sigevent e = make_event(SIGEV_NONE);
    timer_t id{};
    const auto error_of = [&](clockid_t clock, int engine = SIGEV_ENGINE_DEFAULT) {
        const auto options = make_timer_options(on, engine);
        errno = 0;
        return sigev_timer_create_with(&options, clock, &e, &id) == 0 ? 0 : errno;
    };
    for (const clockid_t clock : {9999, 12, 15, 1000000})
        for (const int engine : {SIGEV_ENGINE_DEFAULT, SIGEV_ENGINE_HEAP, SIGEV_ENGINE_KERNEL})
            BOOST_TEST(error_of(clock, engine) == EINVAL);
    for (const clockid_t clock : {CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME_COARSE})
        for (const int engine : {SIGEV_ENGINE_DEFAULT, SIGEV_ENGINE_HEAP, SIGEV_ENGINE_KERNEL})
            BOOST_TEST(error_of(clock, engine) == ENOTSUP);
    for (const clockid_t clock : {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_TAI})
        BOOST_TEST(error_of(clock, SIGEV_ENGINE_HEAP) == ENOTSUP); // the kernel's: kernel_timer_test.cpp
    e.sigev_notify = 77;
    BOOST_TEST(error_of(CLOCK_MONOTONIC) == EINVAL);
    e = make_event(SIGEV_SIGNAL, 0); // a zeroed event: no signal 0 here, as there is for requests
    BOOST_TEST(error_of(CLOCK_MONOTONIC) == EINVAL);
    BOOST_TEST(sigev_timer_create_on(on.reactor(), CLOCK_MONOTONIC, &e, nullptr) == -1);
}

// 3.4.2: the count is clamped; the ledger's is not
SIGEV_TEST_ON_BOTH(an_overrun_beyond_DELAYTIMER_MAX_is_DELAYTIMER_MAX) {
    clock_box box;
    timer t(on, CLOCK_REALTIME, to(box));
    t.set(1, 1, TIMER_ABSTIME); // a period of 1 ns since 1970
    BOOST_REQUIRE(on.until([&] { return box.calls >= 1; }));
    BOOST_TEST(box.seen[0].n.overrun == INT_MAX);
    BOOST_TEST(sigev_timer_getoverrun(t.id()) >= 0);
    BOOST_TEST(box.seen[0].n.data > std::int64_t{1} << 60);
    t.set(0);
    BOOST_TEST(on.until([&] { return t.ledger().pending == 0; }));
    BOOST_TEST(adds_up(t.ledger()));
}

// 3.5.1: the id is good until it is deleted
SIGEV_TEST_ON_BOTH(after_delete_the_id_is_invalid_and_nothing_comes) {
    clock_box box;
    for (int round = 0; round != 100; ++round) {
        timer t(on, CLOCK_MONOTONIC, to(box, SIGEV_THREAD));
        t.set(1 + round * 10000, 50000);
        if (round % 2 == 0)
            on.until([&] { return box.calls > 0; });
        const timer_t id = t.id();
        t.remove();
        const unsigned calls = box.calls;
        const auto value = timer_value(1);
        itimerspec old{};
        BOOST_TEST(sigev_timer_settime(id, 0, &value, nullptr) == -1);
        BOOST_TEST(sigev_timer_gettime(id, &old) == -1);
        BOOST_TEST(sigev_timer_getoverrun(id) == -1);
        BOOST_TEST(sigev_timer_delete(id) == -1);
        errno = 0;
        BOOST_TEST(sigev_timer_delete_wait(id) == -1);
        BOOST_TEST(errno == EINVAL);
        BOOST_TEST(box.calls == calls);
    }
}

BOOST_AUTO_TEST_SUITE_END()

// A reactor for an event loop of the program's own: its descriptors, several threads that run it, and its end.
#include "support/many.hpp"
#include "timer_fixture.hpp"

#include <thread>

using namespace sigev_tests;

BOOST_AUTO_TEST_SUITE(reactors)

BOOST_AUTO_TEST_CASE(descriptors_are_counted_also_without_room_and_only_become_more) {
    const place on(place::borrowed);
    int fds[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
    BOOST_TEST(sigev_reactor_descriptors(on.reactor(), nullptr, 0) == 1);
    BOOST_TEST(sigev_reactor_descriptors(on.reactor(), fds, 0) == 1);
    BOOST_TEST(fds[0] == -1);
    int count = sigev_reactor_descriptors(on.reactor(), fds, 8);
    for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_MONOTONIC}) {
        const timer t(on, clock, make_event(SIGEV_NONE));
        const int now = sigev_reactor_descriptors(on.reactor(), fds, 8);
        BOOST_TEST(now >= count);
        count = now;
        for (int i = 0; i != now; ++i)
            for (int j = 0; j != i; ++j)
                BOOST_TEST(fds[i] != fds[j]);
        pollfd wakeup{fds[0], POLLIN, 0};
        BOOST_TEST((poll(&wakeup, 1, 0) == 1 || now == count)); // a new one is announced
        on.turn(0);
    }
    const subscription held(on, make_event(SIGEV_SIGNAL, SIGURG));
    BOOST_TEST(sigev_reactor_descriptors(on.reactor(), fds, 8) == count + 1); // the timer of retries
}

BOOST_AUTO_TEST_CASE(ready_for_what_is_not_ready_or_not_there_does_no_harm) {
    const place on(place::borrowed);
    mailbox box;
    const subscription s(on, make_event(SIGEV_CALLBACK, mailbox::receive, &box), 4);
    for (const unsigned which : {0u, 1u, 5u, 1000u, ~0u})
        BOOST_TEST(sigev_reactor_ready(on.reactor(), which) == 0);
    BOOST_TEST(box.calls == 0);
    s.submit();
    BOOST_TEST(sigev_reactor_ready(on.reactor(), 77) == 0); // whichever it was, all that is due is done
    BOOST_TEST(box.calls == 1);
}

BOOST_AUTO_TEST_CASE(wake_makes_the_loop_turn_and_leaves_nothing_readable) {
    const place on(place::borrowed);
    int wakeup = -1;
    BOOST_REQUIRE(sigev_reactor_descriptors(on.reactor(), &wakeup, 1) == 1);
    pollfd watched{wakeup, POLLIN, 0};
    BOOST_TEST(poll(&watched, 1, 0) == 0);
    errno = 4711;
    BOOST_TEST(sigev_reactor_wake(on.reactor()) == 0);
    BOOST_TEST(errno == 4711);
    BOOST_TEST(poll(&watched, 1, 0) == 1);
    on.turn(0);
    BOOST_TEST(poll(&watched, 1, 0) == 0);
    for (const sigev_reactor_t wrong : {sigev_reactor_t{0}, on.reactor() ^ (sigev_reactor_t{1} << 40)}) {
        errno = 0;
        BOOST_TEST(sigev_reactor_wake(wrong) == -1);
        BOOST_TEST(errno == EINVAL);
    }
}

BOOST_AUTO_TEST_CASE(nothing_is_readable_when_everything_is_done) {
    const place on(place::borrowed);
    mailbox box;
    const timer t(on, CLOCK_MONOTONIC, make_event(SIGEV_CALLBACK, mailbox::receive, &box));
    const timer wall(on, CLOCK_REALTIME, make_event(SIGEV_CALLBACK, mailbox::receive, &box));
    t.set(1);
    wall.set(1, 0, TIMER_ABSTIME);
    BOOST_TEST(on.until([&] { return box.calls == 2; }));
    on.turn(0);
    on.turn(0);
    int fds[8];
    const int n = sigev_reactor_descriptors(on.reactor(), fds, 8);
    for (int i = 0; i != n; ++i) { // else a loop would spin
        pollfd watched{fds[i], POLLIN, 0};
        BOOST_TEST(poll(&watched, 1, 0) == 0);
    }
}

BOOST_AUTO_TEST_CASE(several_threads_may_run_it_and_callbacks_still_come_one_at_a_time) {
    const place on(place::borrowed);
    std::atomic<int> inside{0};
    std::atomic<bool> overlapped{false}, over{false};
    mailbox box;
    box.inside = [&] {
        overlapped = overlapped || inside++ != 0;
        if (box.calls % 16 == 0) // on a busy machine each yield may last for milliseconds
            std::this_thread::yield();
        --inside;
    };
    const subscription a(on, make_event(SIGEV_CALLBACK, mailbox::receive, &box), 1000);
    const subscription b(on, make_event(SIGEV_CALLBACK, mailbox::receive, &box), 1000);
    timer t(on, CLOCK_MONOTONIC, make_event(SIGEV_CALLBACK, mailbox::receive, &box));
    t.set(1, 50000);
    std::vector<std::thread> loops;
    for (int i = 0; i != 3; ++i)
        loops.emplace_back([&] {
            while (!over)
                on.turn(1);
        });
    for (int i = 0; i != 1000; ++i) {
        a.submit(i);
        b.submit(i);
    }
    BOOST_TEST(wait_until([&] { return a.delivered() + b.delivered() == 2000 && t.ledger().delivered > 5; }));
    t.remove();
    over = true;
    for (auto& loop : loops)
        loop.join();
    BOOST_TEST(!overlapped);
}

BOOST_AUTO_TEST_CASE(closing_it_from_a_callback_that_it_runs_is_EDEADLK_and_from_another_one_works) {
    sigev_reactor_t other = 0;
    BOOST_REQUIRE(sigev_reactor_open(&other) == 0);
    const place on(place::borrowed);
    std::atomic<int> result{0}, error{0}, other_result{-2};
    mailbox box;
    box.inside = [&] {
        errno = 0;
        result = sigev_reactor_close(on.reactor());
        error = errno;
        other_result = sigev_reactor_close(other);
    };
    const subscription s(on, make_event(SIGEV_CALLBACK, mailbox::receive, &box));
    s.submit();
    BOOST_TEST(on.until([&] { return box.calls == 1; }));
    BOOST_TEST(result == -1);
    BOOST_TEST(error == EDEADLK);
    BOOST_TEST(other_result == 0);
    box.inside = nullptr;
    s.submit(); // it goes on
    BOOST_TEST(on.until([&] { return box.calls == 2; }));
}

BOOST_AUTO_TEST_CASE(of_two_that_close_it_one_does_and_the_other_is_told) {
    for (int round = 0; round != 200; ++round) {
        sigev_reactor_t reactor = 0;
        BOOST_REQUIRE(sigev_reactor_open(&reactor) == 0);
        std::atomic<int> closed{0}, ready{0};
        std::vector<std::thread> threads;
        for (int i = 0; i != 2; ++i)
            threads.emplace_back([&] {
                ++ready;
                while (ready != 2) {
                }
                closed += sigev_reactor_close(reactor) == 0;
            });
        for (auto& t : threads)
            t.join();
        BOOST_REQUIRE(closed == 1);
    }
}

// Whoever opens, submits, arms and asks while it closes: an error or an end, and all accounts add up.
BOOST_AUTO_TEST_CASE(what_races_with_its_end_is_refused_or_cancelled) {
    for (many rounds(150); rounds.go_on();) {
        sigev_reactor_t reactor = 0;
        BOOST_REQUIRE(sigev_reactor_open(&reactor) == 0);
        std::atomic<int> ready{0};
        std::vector<std::thread> threads;
        for (int i = 0; i != 2; ++i)
            threads.emplace_back([&, i] {
                ++ready;
                sigev_options o{};
                o.size = sizeof o;
                o.reactor = reactor;
                for (int n = 0; n != 40; ++n) {
                    auto e = make_event(SIGEV_NONE);
                    sigev_t s = 0;
                    timer_t t{};
                    int fds[8];
                    if (i == 0 && sigev_open(&e, 2, &o, &s) == 0) {
                        sigev_submit(s, n, 0);
                        sigev_close(s);
                    }
                    if (i == 1 && sigev_timer_create_on(reactor, n % 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME, &e, &t) == 0) {
                        const auto soon = timer_value(1, 1000);
                        sigev_timer_settime(t, 0, &soon, nullptr);
                        if (n % 3 != 0)
                            sigev_timer_delete(t); // EINVAL when the reactor has gone
                    }
                    sigev_reactor_descriptors(reactor, fds, 8);
                    sigev_reactor_ready(reactor, 0);
                }
            });
        wait_until([&] { return ready == 2; });
        for (int spin = 0; spin != rounds.number() % 40; ++spin)
            std::this_thread::yield();
        BOOST_REQUIRE(sigev_reactor_close(reactor) == 0);
        for (auto& t : threads)
            t.join();
    }
    BOOST_TEST(sigev_shutdown() == 0);
    sigev_ledger total{};
    BOOST_TEST(sigev_ledger_total(-1, -1, &total) == 0);
    BOOST_TEST(total.pending == 0u);
    BOOST_TEST(adds_up(total));
}

// A loop that waits with a time-out of its own, and watches the wakeup alone.
BOOST_AUTO_TEST_CASE(the_next_deadline_is_enough_for_a_loop_that_watches_only_the_wakeup) {
    const place on(place::borrowed);
    timespec next{};
    BOOST_TEST(sigev_reactor_next_deadline(on.reactor(), CLOCK_MONOTONIC, &next) == 0);
    BOOST_TEST((sigev_reactor_next_deadline(on.reactor(), CLOCK_PROCESS_CPUTIME_ID, &next) == -1 && errno == EINVAL));
    BOOST_TEST((sigev_reactor_next_deadline(on.reactor(), CLOCK_MONOTONIC, nullptr) == -1 && errno == EINVAL));
    mailbox box;
    sigevent e = make_event(SIGEV_CALLBACK, mailbox::receive, &box);
    timer_t t[3]{};
    const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};
    for (int i = 0; i != 3; ++i)
        BOOST_REQUIRE(sigev_timer_create_on(on.reactor(), clocks[i], &e, &t[i]) == 0);
    BOOST_TEST(sigev_reactor_ready(on.reactor(), 0) == 0);
    BOOST_TEST(sigev_reactor_next_deadline(on.reactor(), CLOCK_MONOTONIC, &next) == 0); // none is armed
    std::int64_t when[3];
    for (int i = 0; i != 3; ++i) {
        when[i] = now_of(clocks[i]) + (30 + 10 * i) * ms;
        const auto at = timer_value(when[i]);
        BOOST_REQUIRE(sigev_timer_settime(t[i], TIMER_ABSTIME, &at, nullptr) == 0);
    }
    BOOST_TEST(sigev_reactor_ready(on.reactor(), 0) == 0);
    for (const clockid_t clock : clocks) { // on whichever clock it is asked for: the first of all
        const std::int64_t begun = now_of(CLOCK_MONOTONIC);
        BOOST_REQUIRE(sigev_reactor_next_deadline(on.reactor(), clock, &next) == 1);
        const std::int64_t ahead = nanoseconds_of(next) - now_of(clock);
        const std::int64_t looked = now_of(CLOCK_MONOTONIC);
        const std::int64_t expected = when[0] - looked, took = looked - begun; // the clocks are not all read at once
        BOOST_TEST(ahead <= expected + took + ms);
        BOOST_TEST(ahead >= std::min(expected, std::int64_t{0}) - took - 20 * ms);
    }
    int fds[1];
    BOOST_REQUIRE(sigev_reactor_descriptors(on.reactor(), fds, 1) >= 1);
    int turns = 0;
    bool late = false; // the second was due already when the first was looked at
    for (int result; (result = sigev_reactor_next_deadline(on.reactor(), CLOCK_MONOTONIC, &next)) == 1; ++turns) {
        pollfd wakeup{fds[0], POLLIN, 0};
        const std::int64_t left = std::max(nanoseconds_of(next) - now_of(CLOCK_MONOTONIC), std::int64_t{0});
        const timespec limit = time_of(left);
        BOOST_REQUIRE(ppoll(&wakeup, 1, &limit, nullptr) >= 0);
        BOOST_TEST(sigev_reactor_ready(on.reactor(), 0) == 0);
        late = late || (turns == 0 && now_of(clocks[1]) >= when[1]);
    }
    BOOST_TEST(box.calls == 3);
    BOOST_TEST((turns >= 2 || late));
    BOOST_TEST(turns <= 8); // it slept in between
    for (const auto id : t)
        BOOST_TEST(sigev_timer_delete(id) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

// What the dispatcher does at each end of a subscription: cancelled, closed, waited for, from outside and from inside.
#include "dispatcher_fixture.hpp"

#include <cerrno>
#include <thread>

using namespace sigev_tests;

BOOST_FIXTURE_TEST_SUITE(dispatcher_end, dispatcher_fixture)

BOOST_AUTO_TEST_CASE(on_a_context_that_nobody_runs_cancel_settles_the_ledger) {
    fake_target target, other_target;
    auto& s = open(target, 3);
    auto& other = open(other_target, 3);
    for (const auto n : numbers(1, 8)) {
        submit(s, n);
        submit(other, n);
    }
    road.cancel(s);
    check_ledger(s, 8, 0, 4, 0, 4);
    check_ledger(other, 8, 0, 4, 4, 0);
    BOOST_TEST(submit(s, 9) == ECANCELED);
    road.cancel(s); // again: nothing happens
    road.wait(s);
    check_ledger(s, 8, 0, 4, 0, 4);
    drain();
    BOOST_TEST(target.seen.empty());
    BOOST_TEST(other_target.got == (std::vector<std::int64_t>{1, 2, 3, 8}));
    close(s);
    close(other);
}

// The drain stays inside from the first to the last of them: cancel() comes in between all the same, and waits for one delivery.
BOOST_AUTO_TEST_CASE(a_cancel_in_the_middle_of_several_deliveries_lets_no_other_begin) {
    fake_target target;
    auto& s = open(target, 4);
    std::atomic<bool> cancelled{false}, seen_cancelled{false};
    std::thread canceller;
    target.inside = [&](const sigev_notification& n) {
        seen_cancelled = seen_cancelled || cancelled;
        if (n.data != 2)
            return;
        canceller = std::thread([&] {
            road.cancel(s);
            cancelled = true;
        });
        BOOST_TEST(wait_until([&] { return (s.gate & core::gate_closing) != 0; }));
    };
    for (const auto n : numbers(1, 4))
        submit(s, n);
    drain();
    canceller.join();
    BOOST_TEST(target.got == numbers(1, 2));
    BOOST_TEST(!seen_cancelled);
    check_ledger(s, 4, 2, 0, 0, 2);
    all->release(s);
    drain();
    all->reap_dead(true);
    BOOST_TEST(target.closed == 1);
}

BOOST_AUTO_TEST_CASE(what_is_refused_in_the_middle_of_several_deliveries_stays_in_front_of_the_rest) {
    fake_target target;
    auto& s = open(target, 4);
    target.answers = {verdict::delivered, verdict::retry};
    for (const auto n : numbers(1, 4))
        submit(s, n);
    drain();
    BOOST_TEST(target.got == numbers(1, 1));
    BOOST_TEST(target.seen.size() == 2u);
    BOOST_TEST(!(s.gate & core::gate_delivering));
    drain_at_retry_time();
    BOOST_TEST(target.got == numbers(1, 4));
    check_ledger(s, 4, 4, 0, 0, 0);
    close(s);
}

BOOST_AUTO_TEST_CASE(what_is_held_is_discarded_by_cancel_and_the_subscription_can_go) {
    fake_target target;
    auto& s = open(target, 4);
    target.usual = verdict::retry;
    for (const auto n : numbers(1, 4))
        submit(s, n);
    drain();
    check_ledger(s, 4, 0, 0, 4, 0);
    road.cancel(s);
    check_ledger(s, 4, 0, 0, 0, 4);
    all->release(s);
    drain();
    all->reap_dead(true);
    BOOST_TEST(target.closed == 1);
    BOOST_TEST(host.retry_time == 0u);
}

// The slot of a subscription that was held when it was closed serves its next owner, while the drain still knows of the first.
BOOST_AUTO_TEST_CASE(a_held_subscription_that_is_closed_leaves_nothing_to_its_successor) {
    fake_target target;
    target.usual = verdict::retry;
    for (int round = 0; round != 300; ++round) {
        auto& s = open(target, 1);
        submit(s, round);
        drain();
        close(s);
    }
    fake_target next;
    std::vector<core::subscription*> successors;
    for (int i = 0; i != 300; ++i)
        successors.push_back(&open(next, 1));
    for (auto* s : successors)
        BOOST_TEST(!(s->gate & core::gate_held));
    drain();
    BOOST_TEST(target.closed == 300);
    for (auto* s : successors)
        close(*s);
}

BOOST_AUTO_TEST_CASE(a_late_submission_to_a_closed_slot_is_refused_whoever_has_it_now) {
    fake_target target;
    auto& s = open(target, 1);
    const auto generation = s.generation.generation();
    close(s);
    BOOST_TEST(road.submit(s, generation, 1, 0) != 0);
    drain();
    BOOST_TEST(target.seen.empty());
    BOOST_TEST(target.closed == 1);
}

BOOST_AUTO_TEST_CASE(cancel_and_wait_from_inside_the_callback_returns) {
    fake_target target;
    auto& s = open(target, 3, core::raising::queueing, fake_user_method);
    target.inside = [&](const sigev_notification& n) {
        BOOST_TEST(core::dispatcher::current());
        BOOST_TEST(core::dispatcher::current()->data == n.data);
        road.cancel(s);
        road.wait(s);
        check_ledger(s, 3, 0, 0, 3, 0);
    };
    for (const auto n : numbers(1, 3))
        submit(s, n);
    drain();
    BOOST_TEST(!core::dispatcher::current());
    BOOST_TEST(target.got == numbers(1, 1));
    check_ledger(s, 3, 1, 0, 0, 2);
    all->release(s);
    drain();
    BOOST_TEST(target.closed == 1);
}

BOOST_AUTO_TEST_CASE(two_callbacks_that_wait_for_each_other_both_return) {
    counting_host second_host;
    core::dispatcher second_road{*all, second_host};
    fake_target targets[2];
    core::subscription* s[2] = {
        &open(targets[0], 1, core::raising::queueing, fake_user_method),
        &open(targets[1], 1, core::raising::queueing, fake_user_method)};
    s[1]->road = &second_road;
    BOOST_REQUIRE(second_road.reserve(s[1]->index));
    core::dispatcher* roads[2] = {&road, &second_road};
    gate entered[2];
    for (int i = 0; i != 2; ++i) {
        targets[i].inside = [&, i](const sigev_notification&) {
            entered[i].open();
            if (!entered[1 - i].wait())
                return;
            roads[1 - i]->cancel(*s[1 - i]);
            roads[1 - i]->wait(*s[1 - i]);
        };
        roads[i]->submit(*s[i], s[i]->generation.generation(), i, 0);
    }
    std::thread other([&] {
        while (!second_road.enter()) {
        }
        do
            second_road.run();
        while (!second_road.leave());
    });
    drain();
    other.join();
    for (int i = 0; i != 2; ++i) {
        check_ledger(*s[i], 1, 1, 0, 0, 0);
        close(*s[i]);
    }
}

BOOST_AUTO_TEST_CASE(wait_returns_when_the_callback_that_runs_in_another_thread_is_over) {
    fake_target target;
    auto& s = open(target, 1, core::raising::queueing, fake_user_method);
    gate inside, go;
    std::atomic<bool> over{false};
    target.inside = [&](const sigev_notification&) {
        inside.open();
        (void)go.wait();
        over = true;
    };
    submit(s, 1);
    std::thread runner([&] {
        if (road.enter())
            do
                road.run();
            while (!road.leave());
    });
    BOOST_REQUIRE(inside.wait());
    road.cancel(s); // does not wait
    BOOST_TEST(!over);
    std::thread opener([&] { go.open(); });
    road.wait(s);
    BOOST_TEST(over);
    check_ledger(s, 1, 1, 0, 0, 0);
    runner.join();
    opener.join();
    close(s);
}

// A signal that is queued after cancel() has returned would be one that comes after the end.
BOOST_AUTO_TEST_CASE(cancel_returns_only_when_the_drain_is_out_of_the_method) {
    fake_target target;
    auto& s = open(target, 1);
    gate inside, go;
    std::atomic<bool> delivered{false}, cancelled{false}, too_early{false};
    target.inside = [&](const sigev_notification&) {
        inside.open();
        (void)go.wait();
        delivered = true;
    };
    submit(s, 1);
    std::thread runner([&] {
        if (road.enter())
            do
                road.run();
            while (!road.leave());
    });
    BOOST_REQUIRE(inside.wait());
    std::thread canceller([&] {
        road.cancel(s);
        too_early = !delivered;
        cancelled = true;
    });
    BOOST_TEST(wait_until([&] { return (s.gate & core::gate_closing) != 0; }));
    // From here a cancel that does not wait has nothing more to do: it gets every chance to show it.
    wait_until([&] { return cancelled.load(); }, milliseconds(100));
    BOOST_TEST(!cancelled);
    go.open();
    canceller.join();
    runner.join();
    BOOST_TEST(!too_early);
    check_ledger(s, 1, 1, 0, 0, 0);
    close(s);
}

BOOST_AUTO_TEST_SUITE_END()

// What the dispatcher does with each answer of a method, and at each end of a subscription.
#include "dispatcher_fixture.hpp"

#include <cerrno>
#include <numeric>
#include <thread>

using namespace sigev_tests;

namespace {

std::vector<std::int64_t> numbers(std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(last - first + 1));
    std::iota(all.begin(), all.end(), first);
    return all;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(dispatcher, dispatcher_fixture)

BOOST_AUTO_TEST_CASE(notifications_arrive_in_the_order_of_their_submission_with_all_that_they_say) {
    fake_target target;
    auto& s = open(target, 100);
    for (const auto n : numbers(1, 100))
        BOOST_TEST(submit(s, n, static_cast<int>(n) * 2) == 0);
    BOOST_TEST(host.wakes > 0);
    BOOST_TEST(target.got.empty());
    check_ledger(s, 100, 0, 0, 100, 0);
    drain();
    BOOST_TEST(target.got == numbers(1, 100));
    for (const auto& n : target.seen) {
        BOOST_TEST(n.error == n.data * 2);
        BOOST_TEST(n.ident == all->handle_of(s));
        BOOST_TEST(n.source == SIGEV_SOURCE_USER);
        BOOST_TEST(n.overrun == 0);
    }
    check_ledger(s, 100, 100, 0, 0, 0);
    close(s);
    BOOST_TEST(target.closed == 1);
}

BOOST_AUTO_TEST_CASE(when_all_records_are_out_the_newest_is_kept_and_the_others_count_as_merged) {
    fake_target target;
    auto& s = open(target, 3);
    for (const auto n : numbers(1, 10))
        BOOST_TEST(submit(s, n) == 0);
    check_ledger(s, 10, 0, 6, 4, 0);
    drain();
    BOOST_TEST(target.got == (std::vector<std::int64_t>{1, 2, 3, 10}));
    check_ledger(s, 10, 4, 6, 0, 0);
    for (const auto n : numbers(11, 13))
        BOOST_TEST(submit(s, n) == 0);
    drain();
    BOOST_TEST(target.got == (std::vector<std::int64_t>{1, 2, 3, 10, 11, 12, 13}));
    close(s);
}

// The drain has taken the stack when both come: the last record is on the new stack, and the newest has none. It must not
// overtake what its producer submitted before.
BOOST_AUTO_TEST_CASE(the_newest_does_not_overtake_its_producers_last_record) {
    fake_target target, other_target;
    auto& s = open(target, 2);
    auto& other = open(other_target, 1);
    other_target.inside = [&](const sigev_notification&) {
        for (const auto n : numbers(1, 5))
            submit(s, n);
    };
    submit(other, 0);
    drain();
    drain();
    BOOST_TEST(target.got == (std::vector<std::int64_t>{1, 2, 5}));
    check_ledger(s, 5, 3, 2, 0, 0);
    close(s);
    close(other);
}

BOOST_AUTO_TEST_CASE(what_is_refused_is_held_and_offered_again_in_order) {
    fake_target target;
    auto& s = open(target, 10);
    fake_target other_target;
    auto& other = open(other_target, 1);
    target.answers = {verdict::delivered, verdict::retry, verdict::retry, verdict::delivered, verdict::retry};
    for (const auto n : numbers(1, 5))
        submit(s, n);
    submit(other, 77);
    drain();
    BOOST_TEST(target.got == numbers(1, 1));
    BOOST_TEST(target.seen.size() == 2u); // 3, 4, 5 wait behind 2 and are not offered
    BOOST_TEST(other_target.got == numbers(77, 77)); // another subscription does not wait
    check_ledger(s, 5, 1, 0, 4, 0);
    submit(s, 6);
    drain(); // woken for 6, not yet time: 6 waits too
    BOOST_TEST(target.seen.size() == 2u);
    drain_at_retry_time();
    BOOST_TEST(target.got == numbers(1, 1));
    BOOST_TEST(target.seen.size() == 3u);
    drain_at_retry_time();
    BOOST_TEST(target.got == numbers(1, 2));
    drain_at_retry_time();
    BOOST_TEST(target.got == numbers(1, 6));
    BOOST_TEST(host.retry_time == 0u); // nothing is held: the timer rests
    check_ledger(s, 6, 6, 0, 0, 0);
    close(s);
    close(other);
}

BOOST_AUTO_TEST_CASE(the_back_off_grows_while_nothing_goes_and_starts_over_with_a_success) {
    fake_target target;
    auto& s = open(target, 10);
    target.answers = {verdict::retry, verdict::retry, verdict::retry, verdict::retry, verdict::delivered, verdict::retry};
    submit(s, 1);
    submit(s, 2);
    std::uint64_t expected = core::first_backoff;
    drain();
    for (int refused = 1; refused != 4; ++refused) {
        const auto now = sys::now(CLOCK_MONOTONIC);
        BOOST_TEST(host.retry_time <= now + expected);
        const auto before = host.retry_time;
        drain_at_retry_time();
        expected *= 2;
        BOOST_TEST(host.retry_time >= before + expected);
    }
    const auto before = host.retry_time;
    drain_at_retry_time(); // 1 goes, 2 is refused
    BOOST_TEST(target.got == numbers(1, 1));
    BOOST_TEST(host.retry_time <= sys::now(CLOCK_MONOTONIC) + core::first_backoff);
    BOOST_TEST(host.retry_time >= before);
    drain_at_retry_time();
    BOOST_TEST(target.got == numbers(1, 2));
    close(s);
}

BOOST_AUTO_TEST_CASE(what_has_no_target_any_more_is_discarded_and_counted) {
    fake_target target;
    auto& s = open(target, 5);
    target.answers = {verdict::delivered, verdict::gone, verdict::gone};
    for (const auto n : numbers(1, 4))
        submit(s, n);
    drain();
    BOOST_TEST(target.got == (std::vector<std::int64_t>{1, 4}));
    check_ledger(s, 4, 2, 0, 0, 2);
    target.answers = {verdict::retry, verdict::gone};
    submit(s, 5);
    submit(s, 6);
    drain();
    drain_at_retry_time();
    BOOST_TEST(target.got.back() == 6);
    check_ledger(s, 6, 3, 0, 0, 3);
    close(s);
}

BOOST_AUTO_TEST_CASE(occurrences_are_one_delivery_and_count_as_its_overrun) {
    fake_target target;
    auto& s = open(target, 1, core::raising::merging);
    raise(s, 5, 1000);
    BOOST_TEST(target.seen.size() == 1u);
    BOOST_TEST(target.seen[0].overrun == 4);
    BOOST_TEST(target.seen[0].data == 5);
    BOOST_TEST(target.seen[0].scheduled == 1000);
    check_ledger(s, 5, 1, 4, 0, 0);
    close(s);
}

BOOST_AUTO_TEST_CASE(occurrences_that_come_while_the_delivery_is_held_join_it_and_keep_its_time) {
    fake_target target;
    auto& s = open(target, 1, core::raising::merging);
    target.answers = {verdict::retry, verdict::retry};
    raise(s, 1, 100);
    drain();
    raise(s, 2, 200);
    check_ledger(s, 3, 0, 0, 3, 0);
    drain_at_retry_time();
    raise(s, 3, 300);
    drain_at_retry_time();
    BOOST_TEST(target.got == numbers(6, 6));
    BOOST_TEST(target.seen.back().overrun == 5);
    BOOST_TEST(target.seen.back().scheduled == 100);
    check_ledger(s, 6, 1, 5, 0, 0);
    close(s);
}

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

BOOST_AUTO_TEST_SUITE_END()

// What the dispatcher does with each answer of a method.
#include "dispatcher_fixture.hpp"

using namespace sigev_tests;

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
    BOOST_TEST(target.seen[2].overrun == 0);
    BOOST_TEST(target.seen[3].overrun == 6); // what was merged into it, and into no other
    check_ledger(s, 10, 4, 6, 0, 0);
    for (const auto n : numbers(11, 13))
        BOOST_TEST(submit(s, n) == 0);
    drain();
    BOOST_TEST(target.got == (std::vector<std::int64_t>{1, 2, 3, 10, 11, 12, 13}));
    for (auto i = 4u; i != 7; ++i)
        BOOST_TEST(target.seen[i].overrun == 0);
    close(s);
}

// More than the word of the newest has room to count.
BOOST_AUTO_TEST_CASE(all_that_was_merged_is_told_with_the_newest_however_many) {
    fake_target target;
    auto& s = open(target, 1);
    constexpr std::int64_t n = 100000;
    for (std::int64_t i = 0; i != n; ++i)
        BOOST_TEST(submit(s, i) == 0);
    drain();
    BOOST_TEST(target.got == (std::vector<std::int64_t>{0, n - 1}));
    BOOST_TEST(target.seen[1].overrun == n - 2);
    check_ledger(s, n, 2, n - 2, 0, 0);
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
    BOOST_TEST(target.seen.size() == 2u);            // 3, 4, 5 wait behind 2 and are not offered
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

// The record says why: an operation has ended, or was cancelled; and when, on which clock, for those who can see it.
BOOST_AUTO_TEST_CASE(an_operations_notification_says_whether_it_was_cancelled_and_when) {
    for (const auto& [error, cause] : {std::pair{0, SIGEV_CAUSE_COMPLETED}, {EIO, SIGEV_CAUSE_COMPLETED}, {ECANCELED, SIGEV_CAUSE_CANCELED}}) {
        fake_target target;
        core::subscription_spec spec;
        spec.source = SIGEV_SOURCE_AIO;
        spec.one_shot = true;
        core::subscription& s = open(spec, fake_user_method, &target);
        const auto when = static_cast<std::int64_t>(sys::now(CLOCK_MONOTONIC));
        road.submit_only(s, 0, error, when);
        drain();
        BOOST_REQUIRE(target.seen.size() == 1u);
        BOOST_TEST(target.seen[0].cause == +cause);
        BOOST_TEST(target.seen[0].error == error);
        BOOST_TEST(target.seen[0].scheduled == when);
        BOOST_TEST(target.seen[0].actual >= when);
        BOOST_TEST(target.seen[0].clock == CLOCK_MONOTONIC);
    }
}

BOOST_AUTO_TEST_SUITE_END()

// The methods that need neither a signal nor a thread of their own: none, callback, kevent; and what all have in common.
#include "fixture.hpp"

using namespace sigev_tests;

BOOST_AUTO_TEST_SUITE(methods)

SIGEV_TEST_ON_BOTH(none_counts_as_delivered) {
    const subscription s(on, make_event(SIGEV_NONE), 10);
    for (int i = 0; i != 10; ++i)
        s.submit(i);
    BOOST_TEST(on.until([&] { return s.delivered() == 10; }));
    SIGEV_CHECK_LEDGER(s.ledger(), 10, 10);
}

SIGEV_TEST_ON_BOTH(a_callback_sees_its_value_and_the_whole_notification) {
    static sigev_notification seen;
    static sigval given;
    mailbox box;
    box.inside = [] { seen = *sigev_current(); };
    BOOST_TEST(!sigev_current());
    const subscription s(on, make_event(SIGEV_CALLBACK, mailbox::receive, &box), 4);
    given.sival_ptr = &box;
    s.submit(-77, 5);
    BOOST_REQUIRE(on.until([&] { return box.calls == 1; }));
    BOOST_TEST(seen.value.sival_ptr == given.sival_ptr);
    BOOST_TEST(seen.data == -77);
    BOOST_TEST(seen.error == 5);
    BOOST_TEST(seen.ident == s.handle());
    BOOST_TEST(seen.overrun == 0);
    BOOST_TEST(seen.code == SI_QUEUE);
    BOOST_TEST(seen.source == SIGEV_SOURCE_USER);
    BOOST_TEST(seen.cause == +SIGEV_CAUSE_SUBMITTED);
    BOOST_TEST(seen.scheduled == 0); // no clock is read
    BOOST_TEST(seen.actual == 0);
    BOOST_TEST(seen.clock == CLOCK_MONOTONIC);
    BOOST_TEST(!sigev_current());
    BOOST_TEST((box.thread == this_thread()) == on.is_borrowed());
}

SIGEV_TEST_ON_BOTH(callbacks_of_one_subscription_run_in_order_and_one_at_a_time) {
    static std::vector<std::int64_t> got;
    static std::atomic<int> inside;
    static std::atomic<bool> overlapped;
    mailbox box;
    box.inside = [] {
        overlapped = overlapped || inside++ != 0;
        got.push_back(sigev_current()->data);
        --inside;
    };
    const subscription s(on, make_event(SIGEV_CALLBACK, mailbox::receive, &box), 1000);
    for (int i = 0; i != 1000; ++i)
        s.submit(i);
    BOOST_TEST(on.until([&] { return s.delivered() == 1000; }));
    BOOST_TEST(!overlapped);
    BOOST_TEST(got.size() == 1000u);
    BOOST_TEST(std::is_sorted(got.begin(), got.end()));
}

SIGEV_TEST_ON_BOTH(a_callback_may_submit_open_cancel_and_close) {
    mailbox inner, outer;
    sigev_t first = 0, second = 0;
    std::atomic<int> failed{0};
    const auto options = make_options(on);
    const auto event = make_event(SIGEV_CALLBACK, mailbox::receive, &outer);
    outer.inside = [&] {
        if (outer.calls == 0) {
            const auto e = make_event(SIGEV_CALLBACK, mailbox::receive, &inner);
            failed += sigev_submit(first, 1, 0) + sigev_open(&e, 1, &options, &second) + sigev_submit(second, 2, 0);
        } else {
            failed += sigev_cancel_and_wait(first) + sigev_close(first);
        }
    };
    BOOST_REQUIRE(sigev_open(&event, 4, &options, &first) == 0);
    BOOST_TEST(sigev_submit(first, 0, 0) == 0);
    BOOST_TEST(on.until([&] { return outer.calls == 2 && inner.calls == 1; }));
    BOOST_TEST(failed == 0);
    BOOST_TEST(sigev_cancel(first) == -1);
    BOOST_TEST(sigev_close(second) == 0);
}

SIGEV_TEST_ON_BOTH(a_kevent_carries_value_and_data_and_counts_when_it_is_retrieved) {
    const int kqueue = sigev_kqueue();
    BOOST_REQUIRE(kqueue >= 0);
    int target = 0;
    sigevent e{};
    e.sigev_notify = SIGEV_KEVENT;
    e.sigev_value.sival_ptr = &target;
    e.sigev_notify_kqueue = kqueue;
    e.sigev_notify_kevent_flags = EV_CLEAR;
    {
        const subscription s(on, e, 4);
        s.submit(11);
        pollfd watched{kqueue, POLLIN, 0};
        BOOST_REQUIRE(on.until([&] { return poll(&watched, 1, 0) == 1; }));
        SIGEV_CHECK_LEDGER(s.ledger(), 1, 0, 0, 1);
        sigev_kev events[4];
        const timespec none{};
        BOOST_REQUIRE(sigev_kevent(kqueue, nullptr, 0, events, 4, &none) == 1);
        BOOST_TEST(events[0].udata == &target);
        BOOST_TEST(events[0].data == 11);
        BOOST_TEST(events[0].ident == s.handle());
        BOOST_TEST(events[0].filter == EVFILT_USER);
        SIGEV_CHECK_LEDGER(s.ledger(), 1, 1);
        s.submit(12);
        BOOST_REQUIRE(on.until([&] { return poll(&watched, 1, 0) == 1; }));
        BOOST_TEST(sigev_cancel(s.handle()) == 0); // a posted kevent is withdrawn
        BOOST_TEST(sigev_kevent(kqueue, nullptr, 0, events, 4, &none) == 0);
        SIGEV_CHECK_LEDGER(s.ledger(), 2, 1, 0, 0, 1);
    }
    {
        const subscription s(on, e, 4);
        BOOST_TEST(sigev_kqueue_close(kqueue) == 0);
        s.submit(13);
        BOOST_TEST(on.until([&] { return s.ledger().pending == 0; })); // the target is gone
        SIGEV_CHECK_LEDGER(s.ledger(), 1, 0, 0, 0, 1);
    }
}

SIGEV_TEST_ON_BOTH(cancel_discards_what_is_pending_and_later_submissions_are_refused) {
    const subscription s(on, make_event(SIGEV_NONE), 4);
    s.submit();
    BOOST_TEST(on.until([&] { return s.delivered() == 1; }));
    BOOST_TEST(sigev_cancel(s.handle()) == 0);
    BOOST_TEST(sigev_cancel(s.handle()) == 0);
    BOOST_TEST(sigev_cancel_and_wait(s.handle()) == 0);
    errno = 0;
    BOOST_TEST(sigev_submit(s.handle(), 0, 0) == -1);
    BOOST_TEST(errno == ECANCELED);
    SIGEV_CHECK_LEDGER(s.ledger(), 1, 1);
}

BOOST_AUTO_TEST_CASE(on_a_reactor_that_nobody_runs_all_is_pending_until_cancel_discards_it) {
    const place on(place::borrowed);
    mailbox box;
    const subscription s(on, make_event(SIGEV_CALLBACK, mailbox::receive, &box), 4);
    for (int i = 0; i != 7; ++i)
        s.submit(i);
    SIGEV_CHECK_LEDGER(s.ledger(), 7, 0, 2, 5);
    BOOST_TEST(sigev_cancel_and_wait(s.handle()) == 0);
    SIGEV_CHECK_LEDGER(s.ledger(), 7, 0, 2, 0, 5);
    on.turn(0);
    BOOST_TEST(box.calls == 0);
}

SIGEV_TEST_ON_BOTH(the_totals_are_the_sum_of_open_and_closed_subscriptions) {
    sigev_ledger before{}, after{};
    BOOST_TEST(sigev_ledger_total(SIGEV_SOURCE_USER, SIGEV_NONE, &before) == 0);
    {
        const subscription closed(on, make_event(SIGEV_NONE), 2);
        const subscription open(on, make_event(SIGEV_NONE), 2);
        for (int i = 0; i != 2; ++i) {
            closed.submit();
            open.submit();
        }
        on.until([&] { return closed.delivered() + open.delivered() == 4; });
        BOOST_TEST(sigev_close(closed.handle()) == 0);
        BOOST_TEST(sigev_ledger_total(SIGEV_SOURCE_USER, SIGEV_NONE, &after) == 0);
        SIGEV_CHECK_LEDGER(after, before.raised + 4, before.delivered + 4);
        BOOST_TEST(sigev_ledger_total(-1, -1, &after) == 0);
        SIGEV_CHECK_LEDGER(after, before.raised + 4, before.delivered + 4);
        BOOST_TEST(sigev_ledger_total(SIGEV_SOURCE_TIMER, SIGEV_NONE, &after) == 0);
        SIGEV_CHECK_LEDGER(after, 0, 0);
    }
    BOOST_TEST(sigev_shutdown() == 0);
    BOOST_TEST(sigev_ledger_total(SIGEV_SOURCE_USER, -1, &after) == 0);
    SIGEV_CHECK_LEDGER(after, before.raised + 4, before.delivered + 4);
}

BOOST_AUTO_TEST_SUITE_END()

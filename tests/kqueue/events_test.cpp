// What kevent() retrieves, and what becomes of it.
#include "fixture.hpp"

#include <malloc.h>

using namespace kqueue_tests;

namespace {

constexpr std::uint64_t request_a = 0x1000, request_b = 0x2000;

} // namespace

BOOST_FIXTURE_TEST_SUITE(events, fixture)

BOOST_AUTO_TEST_CASE(user_event_bears_ident_data_and_the_whole_value)
{
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 0xfedcba9876543210U, 0, 0x1234567890abcdefU);
    parcel& p = post(k, -7);
    const auto events = retrieve();
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST(events[0].ident == 0xfedcba9876543210U);
    BOOST_TEST(events[0].filter == EVFILT_USER);
    BOOST_TEST(events[0].flags == 0);
    BOOST_TEST(events[0].fflags == 0U);
    BOOST_TEST(events[0].data == -7);
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(events[0].udata) == 0x1234567890abcdefU);
    BOOST_TEST(p.ended == 1);
    BOOST_TEST(retrieve().empty());
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(timer_event_counts_expirations)
{
    spi::knote* const k = attach(SIGEV_SOURCE_TIMER, 5);
    post(k, 3);
    const auto events = retrieve();
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST(events[0].filter == EVFILT_TIMER);
    BOOST_TEST(events[0].data == 3);
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(request_event_bears_the_error_and_eof)
{
    spi::knote* const k = attach(SIGEV_SOURCE_AIO, request_a, EV_CLEAR);
    parcel& p = post(k, ECANCELED);
    p.notification.data = 4096; // the byte count, which aio_return() tells
    const auto events = retrieve();
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST(events[0].ident == request_a);
    BOOST_TEST(events[0].filter == EVFILT_AIO);
    BOOST_TEST(events[0].flags == (EV_EOF | EV_CLEAR));
    BOOST_TEST(events[0].data == ECANCELED);
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(deliveries_come_in_order_one_event_each)
{
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    for (int i = 0; i < 5; ++i)
        post(k, i);
    BOOST_TEST(retrieve_data(2) == (data{0, 1}), boost::test_tools::per_element());
    BOOST_TEST(readable(kq));
    BOOST_TEST(retrieve_data() == (data{2, 3, 4}), boost::test_tools::per_element());
    BOOST_TEST(!readable(kq));
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(between_subscriptions_the_turn_goes_round)
{
    spi::knote* const a = attach(SIGEV_SOURCE_USER, 1);
    spi::knote* const b = attach(SIGEV_SOURCE_USER, 2);
    for (int i = 0; i < 3; ++i)
        post(a, i);
    post(b, 10);
    BOOST_TEST(retrieve_data(1) == data{0}, boost::test_tools::per_element());
    BOOST_TEST(retrieve_data(1) == data{10}, boost::test_tools::per_element());
    BOOST_TEST(retrieve_data() == (data{1, 2}), boost::test_tools::per_element());
    all->detach(a);
    all->detach(b);
}

BOOST_AUTO_TEST_CASE(request_is_reported_until_it_is_forgotten)
{
    spi::knote* const k = attach(SIGEV_SOURCE_AIO, request_a);
    parcel& p = post(k, 0);
    port.ended = [&](parcel&) { all->detach(k); }; // as the subscription of a request does
    for (int i = 0; i < 4; ++i) {
        BOOST_TEST(retrieve().size() == 1U);
        BOOST_TEST(readable(kq));
    }
    BOOST_TEST(p.ended == 1);
    all->forget(request_b);
    BOOST_TEST(readable(kq));
    all->forget(request_a);
    BOOST_TEST(!readable(kq));
    BOOST_TEST(retrieve().empty());
}

BOOST_AUTO_TEST_CASE(one_call_reports_a_request_once_among_others)
{
    spi::knote* const a = attach(SIGEV_SOURCE_AIO, request_a);
    spi::knote* const b = attach(SIGEV_SOURCE_AIO, request_b);
    spi::knote* const u = attach(SIGEV_SOURCE_USER, 1);
    post(a, 1);
    post(b, 2);
    BOOST_TEST(retrieve_data() == (data{1, 2}), boost::test_tools::per_element());
    post(u, 3);
    BOOST_TEST(retrieve_data() == (data{1, 2, 3}), boost::test_tools::per_element());
    BOOST_TEST(retrieve_data(1) == data{1}, boost::test_tools::per_element());
    BOOST_TEST(retrieve_data(1) == data{2}, boost::test_tools::per_element()); // none is kept waiting by another
    for (spi::knote* k : {a, b, u})
        all->detach(k);
}

BOOST_AUTO_TEST_CASE(forgotten_before_it_was_retrieved)
{
    spi::knote* const k = attach(SIGEV_SOURCE_AIO, request_a);
    parcel& p = post(k, 0);
    all->forget(request_a);
    BOOST_TEST(!readable(kq));
    BOOST_TEST(retrieve().empty());
    BOOST_TEST(p.dropped == 1);
    BOOST_TEST(!all->post(*k, make(1)));
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(forgotten_before_it_was_posted)
{
    spi::knote* const k = attach(SIGEV_SOURCE_AIO, request_a);
    all->forget(request_a);
    BOOST_TEST(!all->post(*k, make(1)));
    BOOST_TEST(!readable(kq));
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(address_used_again_is_another_request)
{
    spi::knote* const first = attach(SIGEV_SOURCE_AIO, request_a);
    post(first, 1);
    BOOST_TEST(retrieve_data() == data{1}, boost::test_tools::per_element());
    all->detach(first);
    all->forget(request_a);
    spi::knote* const second = attach(SIGEV_SOURCE_AIO, request_a);
    BOOST_TEST(retrieve().empty());
    post(second, 2);
    BOOST_TEST(retrieve_data() == data{2}, boost::test_tools::per_element());
    all->detach(second);
}

BOOST_AUTO_TEST_CASE(request_started_again_without_aio_return_ends_the_old_condition)
{
    spi::knote* const first = attach(SIGEV_SOURCE_AIO, request_a);
    post(first, 1);
    retrieve();
    all->detach(first);
    spi::knote* const second = attach(SIGEV_SOURCE_AIO, request_a);
    BOOST_TEST(!readable(kq));
    post(second, 2);
    spi::knote* const third = attach(SIGEV_SOURCE_AIO, request_a); // once more, before the second was retrieved
    BOOST_TEST(retrieve_data() == data{2}, boost::test_tools::per_element()); // which is not lost for it
    BOOST_TEST(retrieve().empty());
    all->detach(second);
    all->detach(third);
}

BOOST_AUTO_TEST_CASE(oneshot)
{
    spi::knote* const request = attach(SIGEV_SOURCE_AIO, request_a, EV_ONESHOT);
    post(request, 1);
    BOOST_TEST(retrieve_data() == data{1}, boost::test_tools::per_element());
    BOOST_TEST(retrieve().empty());
    BOOST_TEST(change(request_a, EVFILT_AIO, EV_ENABLE) == -ENOENT);
    spi::knote* const user = attach(SIGEV_SOURCE_USER, 1, EV_ONESHOT);
    parcel& first = post(user, 1);
    parcel& second = post(user, 2);
    BOOST_TEST(retrieve_data() == data{1}, boost::test_tools::per_element());
    BOOST_TEST(first.ended == 1);
    BOOST_TEST(second.dropped == 1);
    BOOST_TEST(!all->post(*user, make(3)));
    all->detach(request);
    all->detach(user);
}

BOOST_AUTO_TEST_CASE(oneshot_that_was_merged_into_drops_the_rest)
{
    spi::knote* const k = attach(SIGEV_SOURCE_TIMER, 1, EV_ONESHOT);
    parcel& p = post(k, 1);
    p.more = 1;
    BOOST_TEST(retrieve().size() == 1U);
    BOOST_TEST(p.ended == 1);
    BOOST_TEST(p.dropped == 1);
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(clear)
{
    spi::knote* const k = attach(SIGEV_SOURCE_AIO, request_a, EV_CLEAR);
    post(k, 1);
    BOOST_TEST(retrieve().size() == 1U);
    BOOST_TEST(retrieve().empty());
    all->detach(k);
    BOOST_TEST(change(request_a, EVFILT_AIO, EV_ENABLE) == 0);
    BOOST_TEST(retrieve().size() == 1U);
    BOOST_TEST(retrieve().empty());
    all->forget(request_a);
    BOOST_TEST(change(request_a, EVFILT_AIO, EV_ENABLE) == -ENOENT);
}

BOOST_AUTO_TEST_CASE(dispatch_and_enable)
{
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1, EV_DISPATCH);
    post(k, 1);
    post(k, 2);
    BOOST_TEST(retrieve_data() == data{1}, boost::test_tools::per_element());
    BOOST_TEST(retrieve().empty());
    BOOST_TEST(change(1, EVFILT_USER, EV_ENABLE) == 0);
    BOOST_TEST(readable(kq));
    BOOST_TEST(retrieve_data() == data{2}, boost::test_tools::per_element());
    all->detach(k);

    spi::knote* const request = attach(SIGEV_SOURCE_AIO, request_a, EV_DISPATCH);
    post(request, 5);
    all->detach(request); // not yet retrieved: the tests' own liberty, and nothing may be lost by it
    BOOST_TEST(retrieve_data() == data{5}, boost::test_tools::per_element());
    BOOST_TEST(retrieve().empty());
    BOOST_TEST(change(request_a, EVFILT_AIO, EV_ENABLE) == 0);
    BOOST_TEST(retrieve_data() == data{5}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(disable_enable_delete)
{
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    parcel& p = post(k, 1);
    BOOST_TEST(change(1, EVFILT_USER, EV_DISABLE) == 0);
    BOOST_TEST(!readable(kq));
    BOOST_TEST(retrieve().empty());
    BOOST_TEST(change(1, EVFILT_USER, EV_ENABLE) == 0);
    BOOST_TEST(readable(kq));
    BOOST_TEST(change(1, EVFILT_USER, EV_DELETE) == 0);
    BOOST_TEST(!readable(kq));
    BOOST_TEST(p.dropped == 1);
    BOOST_TEST(!all->post(*k, make(2)));
    BOOST_TEST(change(1, EVFILT_USER, EV_DELETE) == -ENOENT);
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(merged_delivery_is_queued_again)
{
    spi::knote* const k = attach(SIGEV_SOURCE_TIMER, 1);
    parcel& p = post(k, 1);
    p.more = 2;
    BOOST_TEST(retrieve_data() == (data{1, 1, 1}), boost::test_tools::per_element());
    BOOST_TEST(p.ended == 3);
    p.more = 2;
    BOOST_TEST(all->post(*k, p));
    BOOST_TEST(retrieve_data(1) == data{1}, boost::test_tools::per_element());
    BOOST_TEST(readable(kq));
    BOOST_TEST(retrieve_data(1) == data{1}, boost::test_tools::per_element());
    BOOST_TEST(retrieve_data(1) == data{1}, boost::test_tools::per_element());
    BOOST_TEST(!readable(kq));
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(cancelled_delivery_is_skipped)
{
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    post(k, 1);
    parcel& cancelled = post(k, 2);
    cancelled.cancelled = true;
    post(k, 3);
    BOOST_TEST(retrieve_data() == (data{1, 3}), boost::test_tools::per_element());
    BOOST_TEST(cancelled.begun + cancelled.ended + cancelled.dropped == 0);
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(withdrawn_is_dropped)
{
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    spi::knote* const other = attach(SIGEV_SOURCE_USER, 2);
    parcel& a = post(k, 1);
    parcel& b = post(k, 2);
    all->withdraw(*k);
    BOOST_TEST(!readable(kq));
    BOOST_TEST(a.dropped == 1);
    BOOST_TEST(b.dropped == 1);
    post(other, 3);
    BOOST_TEST(retrieve_data() == data{3}, boost::test_tools::per_element());
    all->withdraw(*k);
    BOOST_TEST(a.dropped == 1);
    all->detach(k);
    all->detach(other);
}

BOOST_AUTO_TEST_CASE(notes_of_one_kqueue_do_not_show_in_another)
{
    const int second = all->open();
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    post(k, 1);
    BOOST_TEST(!readable(second));
    BOOST_TEST(retrieve_from(second).empty());
    BOOST_TEST(retrieve().size() == 1U);
    all->detach(k);
    BOOST_TEST(all->close(second) == 0);
}

BOOST_AUTO_TEST_CASE(requests_that_were_cleared_and_collected_do_not_pile_up)
{
    // They stand in no list of things to report, so nothing but the looks at resting ones finds them. Their memory
    // would be freed with the kqueue, out of a leak checker's sight.
    const auto run = [&](std::uint64_t from, std::uint64_t to) {
        for (std::uint64_t i = from; i < to; ++i) {
            spi::knote* const k = attach(SIGEV_SOURCE_AIO, i * 64, i % 2 ? EV_CLEAR : EV_DISPATCH);
            parcel p;
            BOOST_TEST_REQUIRE(all->post(*k, p));
            BOOST_TEST_REQUIRE(retrieve().size() == 1U);
            all->detach(k);
            all->forget(i * 64);
        }
    };
    run(1, 2000); // fills every chain of marks
    const auto before = ::mallinfo2().uordblks;
    run(2000, 4000);
    BOOST_TEST(::mallinfo2().uordblks < before + 2000 * 100); // a note takes more
}

BOOST_AUTO_TEST_CASE(changes_are_refused_with_a_reason)
{
    BOOST_TEST(change(1, EVFILT_AIO, EV_ADD) == -EPERM);
    BOOST_TEST(change(1, EVFILT_TIMER, EV_ADD) == -EINVAL);
    BOOST_TEST(change(1, -1, EV_ADD) == -EINVAL);
    BOOST_TEST(change(1, EVFILT_USER, EV_DELETE) == -ENOENT);
}

BOOST_AUTO_TEST_CASE(errors_of_changes_are_events_while_there_is_room)
{
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    post(k, 1);
    sigev_kev both[3]{};
    for (sigev_kev& c : both)
        c.filter = EVFILT_USER;
    both[0].ident = 1;
    both[0].flags = EV_DISABLE | EV_RECEIPT;
    both[1].ident = 2;
    both[1].flags = EV_DELETE;
    both[2].ident = 1;
    both[2].flags = EV_ENABLE;
    BOOST_TEST(all->kevent(kq, both, 3, both, 3, nullptr) == 2);
    BOOST_TEST(both[0].ident == 1U);
    BOOST_TEST(both[0].flags == EV_ERROR);
    BOOST_TEST(both[0].data == 0);
    BOOST_TEST(both[1].ident == 2U);
    BOOST_TEST(both[1].flags == EV_ERROR);
    BOOST_TEST(both[1].data == ENOENT);
    BOOST_TEST(retrieve().size() == 1U); // the third was applied too
    both[0].ident = 9;
    both[0].flags = EV_DELETE;
    BOOST_TEST(all->kevent(kq, both, 1, nullptr, 0, nullptr) == -ENOENT);
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(bad_arguments)
{
    sigev_kev event{};
    BOOST_TEST(all->kevent(kq, nullptr, -1, &event, 1, nullptr) == -EINVAL);
    BOOST_TEST(all->kevent(kq, nullptr, 0, &event, -1, nullptr) == -EINVAL);
    BOOST_TEST(all->kevent(kq, nullptr, 0, nullptr, 1, nullptr) == -EINVAL);
    for (const timespec& bad : {timespec{-1, 0}, timespec{0, -1}, timespec{0, 1'000'000'000}})
        BOOST_TEST(all->kevent(kq, nullptr, 0, &event, 1, &bad) == -EINVAL);
    BOOST_TEST(all->kevent(kq, nullptr, 0, nullptr, 0, nullptr) == 0); // returns at once
    BOOST_TEST(all->kevent(-1, nullptr, 0, &event, 1, nullptr) == -EBADF);
    BOOST_TEST(all->kevent(0, nullptr, 0, &event, 1, nullptr) == -EBADF);
    spi::knote* k = nullptr;
    BOOST_TEST(all->attach(request(kq, 77, 1), &k) == EINVAL);
    BOOST_TEST(all->attach(request(kq, SIGEV_SOURCE_USER, 1, EV_ADD), &k) == EINVAL);
    BOOST_TEST(all->attach(request(0, SIGEV_SOURCE_USER, 1), &k) == EBADF);
}

BOOST_AUTO_TEST_SUITE_END()

// EVFILT_AIO: a condition, told until the request has been collected.
#include "fixture.hpp"

#include <malloc.h>

using namespace kqueue_tests;

namespace {

constexpr std::uint64_t request_a = 0x1000, request_b = 0x2000;

} // namespace

BOOST_FIXTURE_TEST_SUITE(requests, fixture)

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

BOOST_AUTO_TEST_SUITE_END()

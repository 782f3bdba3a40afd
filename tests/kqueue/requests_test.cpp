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
    spi::pledge* const k = promise(request_a, EV_CLEAR);
    parcel& p = post(k, ECANCELED);
    p.notification.data = 4096; // the byte count, which aio_return() tells
    const auto events = retrieve();
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST(events[0].ident == request_a);
    BOOST_TEST(events[0].filter == EVFILT_AIO);
    BOOST_TEST(events[0].flags == (EV_EOF | EV_CLEAR));
    BOOST_TEST(events[0].data == ECANCELED);
}

BOOST_AUTO_TEST_CASE(request_is_reported_until_it_is_forgotten)
{
    spi::pledge* const k = promise(request_a);
    parcel& p = post(k, 0);
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
    spi::pledge* const a = promise(request_a);
    spi::pledge* const b = promise(request_b);
    spi::knote* const u = attach(SIGEV_SOURCE_USER, 1);
    post(a, 1);
    post(b, 2);
    BOOST_TEST(retrieve_data() == (data{1, 2}), boost::test_tools::per_element());
    post(u, 3);
    BOOST_TEST(retrieve_data() == (data{1, 2, 3}), boost::test_tools::per_element());
    BOOST_TEST(retrieve_data(1) == data{1}, boost::test_tools::per_element());
    BOOST_TEST(retrieve_data(1) == data{2}, boost::test_tools::per_element()); // none is kept waiting by another
    all->detach(u);
}

BOOST_AUTO_TEST_CASE(forgotten_before_it_was_retrieved)
{
    spi::pledge* const k = promise(request_a);
    parcel& p = post(k, 0);
    all->forget(request_a);
    BOOST_TEST(!readable(kq));
    BOOST_TEST(retrieve().empty());
    BOOST_TEST(p.dropped == 1);
}

BOOST_AUTO_TEST_CASE(forgotten_before_it_was_posted)
{
    spi::pledge* const k = promise(request_a);
    all->forget(request_a);
    BOOST_TEST(!take(k, make(1)));
    BOOST_TEST(!readable(kq));
}

BOOST_AUTO_TEST_CASE(address_used_again_is_another_request)
{
    spi::pledge* const first = promise(request_a);
    post(first, 1);
    BOOST_TEST(retrieve_data() == data{1}, boost::test_tools::per_element());
    all->forget(request_a);
    spi::pledge* const second = promise(request_a);
    BOOST_TEST(retrieve().empty());
    post(second, 2);
    BOOST_TEST(retrieve_data() == data{2}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(request_started_again_without_aio_return_ends_the_old_condition)
{
    spi::pledge* const first = promise(request_a);
    post(first, 1);
    retrieve();
    spi::pledge* const second = promise(request_a);
    BOOST_TEST(!readable(kq));
    post(second, 2);
    spi::pledge* const third = promise(request_a); // once more, before the second was retrieved
    BOOST_TEST(retrieve_data() == data{2}, boost::test_tools::per_element()); // which is not lost for it
    BOOST_TEST(retrieve().empty());
    post(third, 3);
    BOOST_TEST(retrieve_data() == data{3}, boost::test_tools::per_element());
    BOOST_TEST(retrieve_data() == data{3}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(requests_that_were_cleared_and_collected_do_not_pile_up)
{
    // They stand in no list of things to report, so nothing but the looks at resting ones finds them. Their memory
    // would be freed with the kqueue, out of a leak checker's sight.
    const auto run = [&](std::uint64_t from, std::uint64_t to) {
        for (std::uint64_t i = from; i < to; ++i) {
            parcel p;
            BOOST_TEST_REQUIRE(take(promise(i * 64, i % 2 ? EV_CLEAR : EV_DISPATCH), p));
            BOOST_TEST_REQUIRE(retrieve().size() == 1U);
            all->forget(i * 64);
        }
    };
    run(1, 2000); // fills every chain of marks
    const auto before = ::mallinfo2().uordblks;
    run(2000, 4000);
    BOOST_TEST(::mallinfo2().uordblks < before + 2000 * 100); // a note takes more
}

// Before it is over there is no note of it yet.
BOOST_AUTO_TEST_CASE(request_in_flight_can_be_disabled_enabled_and_deleted)
{
    spi::pledge* const a = promise(request_a);
    spi::pledge* const b = promise(request_b, EV_CLEAR);
    BOOST_TEST(change(request_a, EVFILT_AIO, EV_DISABLE) == 0);
    BOOST_TEST(change(request_b, EVFILT_AIO, EV_DISABLE) == 0);
    BOOST_TEST(change(request_b, EVFILT_AIO, EV_ENABLE) == 0);
    BOOST_TEST(change(request_b, EVFILT_USER, EV_DELETE) == -ENOENT);
    post(a, 1, 11);
    BOOST_TEST(!readable(kq));
    post(b, 2, 22);
    auto events = retrieve();
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST(events[0].ident == request_b);
    BOOST_TEST(events[0].flags == (EV_EOF | EV_CLEAR));
    BOOST_TEST(events[0].udata == reinterpret_cast<void*>(22));
    BOOST_TEST(change(request_a, EVFILT_AIO, EV_ENABLE) == 0);
    events = retrieve();
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST(events[0].ident == request_a);
    BOOST_TEST(events[0].data == 1);
    BOOST_TEST(events[0].udata == reinterpret_cast<void*>(11));
    spi::pledge* const deleted = promise(3 * request_a);
    BOOST_TEST(change(3 * request_a, EVFILT_AIO, EV_DELETE) == 0);
    BOOST_TEST(change(3 * request_a, EVFILT_AIO, EV_DELETE) == -ENOENT);
    BOOST_TEST(!take(deleted, make(3)));
}

BOOST_AUTO_TEST_CASE(request_started_again_while_it_is_in_flight_is_told_and_stands_no_longer)
{
    spi::pledge* const first = promise(request_a);
    spi::pledge* const second = promise(request_a);
    post(first, 1);
    BOOST_TEST(retrieve_data() == data{1}, boost::test_tools::per_element());
    BOOST_TEST(retrieve().empty());
    post(second, 2);
    for (int i = 0; i < 2; ++i)
        BOOST_TEST(retrieve_data() == data{2}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(address_of_nobody_is_no_request)
{
    for (std::uint64_t i = 1; i < 50'000; ++i) { // marks that bear nothing, in every chain
        all->give_up(promise(i * 64));
        all->give_up(promise(i * 64));
    }
    for (const unsigned flags : {EV_DISABLE, EV_ENABLE, EV_DELETE})
        BOOST_TEST(change(0, EVFILT_AIO, flags) == -ENOENT);
}

BOOST_AUTO_TEST_CASE(request_is_of_one_kqueue)
{
    const int second = all->open();
    spi::pledge* there = nullptr;
    BOOST_TEST_REQUIRE(all->promise(second, request_a, 0, &there) == 0);
    spi::pledge* const here = promise(request_a); // does not take the place of the other
    post(there, 2);
    BOOST_TEST(change(request_a, EVFILT_AIO, EV_DELETE) == 0);
    BOOST_TEST(!take(here, make(1)));
    BOOST_TEST(retrieve().empty());
    for (int i = 0; i < 2; ++i)
        BOOST_TEST(retrieve_from(second).size() == 1U);
    BOOST_TEST(all->close(second) == 0);
}

BOOST_AUTO_TEST_CASE(a_kqueue_that_closes_drops_requests_wherever_they_stand)
{
    parcel& waits = post(promise(request_a), 1);
    BOOST_TEST(change(request_a, EVFILT_AIO, EV_DISABLE) == 0);
    parcel& told = post(promise(request_b), 2);
    BOOST_TEST(retrieve().size() == 1U);
    parcel& cleared = post(promise(3 * request_a, EV_CLEAR), 3);
    BOOST_TEST(retrieve().size() == 2U);
    port.ended = [&](parcel&) { BOOST_TEST(all->close(kq) == 0); }; // while it is being retrieved
    parcel& last = post(promise(4 * request_a), 4);
    BOOST_TEST(retrieve().size() == 2U);
    BOOST_TEST(waits.dropped == 1);
    for (parcel* p : {&told, &cleared, &last})
        BOOST_TEST((p->ended == 1 && p->dropped == 0));
    sigev_kev event;
    const timespec now{};
    BOOST_TEST(all->kevent(kq, nullptr, 0, &event, 1, &now) == -EBADF);
}

BOOST_AUTO_TEST_CASE(those_that_are_meant_are_withdrawn_wherever_they_stand)
{
    parcel& active = post(promise(request_a), 1);
    parcel& disabled = post(promise(request_b), 2);
    BOOST_TEST(change(request_b, EVFILT_AIO, EV_DISABLE) == 0);
    parcel& other = post(promise(3 * request_a), 3);
    all->withdraw_if(
        [](const spi::delivery& d, const void* what) { return &static_cast<const slip&>(d).of != what; }, &other);
    BOOST_TEST(active.dropped == 1);
    BOOST_TEST(disabled.dropped == 1);
    BOOST_TEST(retrieve_data() == data{3}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

// The flags of a sigevent, the changes of kevent(), and what it refuses.
#include "fixture.hpp"

using namespace kqueue_tests;

namespace {

constexpr std::uint64_t request_a = 0x1000;

} // namespace

BOOST_FIXTURE_TEST_SUITE(changes, fixture)

BOOST_AUTO_TEST_CASE(oneshot)
{
    spi::pledge* const request = promise(request_a, EV_ONESHOT);
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
    post(promise(request_a, EV_CLEAR), 1);
    BOOST_TEST(retrieve().size() == 1U);
    BOOST_TEST(retrieve().empty());
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

    post(promise(request_a, EV_DISPATCH), 5);
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

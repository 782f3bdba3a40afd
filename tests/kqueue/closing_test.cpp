// A kqueue closed in every way, by us and without us.
#include "fixture.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

using namespace kqueue_tests;

namespace {

/// Makes `number` refer to something else, as a program does that closes it and opens another file.
void replace_by_eventfd(int number)
{
    const int other = ::eventfd(0, EFD_CLOEXEC);
    BOOST_TEST_REQUIRE(::dup3(other, number, O_CLOEXEC) == number);
    ::close(other);
}

int descriptors()
{
    int count = 0;
    for (int fd = 0; fd < 256; ++fd)
        count += ::fcntl(fd, F_GETFD) >= 0;
    return count;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(closing, fixture)

BOOST_AUTO_TEST_CASE(close_drops_what_waits_and_refuses_what_comes)
{
    spi::knote* const user = attach(SIGEV_SOURCE_USER, 1);
    spi::pledge* const request = promise(64);
    spi::pledge* const late = promise(128);
    parcel& p = post(user, 1);
    post(request, 2);
    BOOST_TEST(retrieve_data(2) == (data{1, 2}), boost::test_tools::per_element());
    parcel& q = post(user, 3);
    BOOST_TEST(all->close(kq) == 0);
    BOOST_TEST(p.dropped == 0);
    BOOST_TEST(q.dropped == 1);
    BOOST_TEST(::fcntl(kq, F_GETFD) == -1);
    BOOST_TEST(!all->post(*user, make(4)));
    BOOST_TEST(!take(late, make(5)));
    BOOST_TEST(all->close(kq) == EBADF);
    sigev_kev event;
    BOOST_TEST(all->kevent(kq, nullptr, 0, &event, 1, nullptr) == -EBADF);
    spi::knote* k = nullptr;
    BOOST_TEST(all->attach(this->request(kq, SIGEV_SOURCE_USER, 1), &k) == EBADF);
    spi::pledge* p2 = nullptr;
    BOOST_TEST(all->promise(kq, 64, 0, &p2) == EBADF);
    all->forget(64);
    all->withdraw(*user);
    all->detach(user);
}

BOOST_AUTO_TEST_CASE(closed_without_us_and_gone)
{
    const int before = descriptors();
    const int second = all->open();
    spi::knote* k = nullptr;
    BOOST_TEST_REQUIRE(all->attach(request(second, SIGEV_SOURCE_USER, 1), &k) == 0);
    parcel& p = post(k, 1);
    ::close(second);
    sigev_kev event;
    BOOST_TEST(all->kevent(second, nullptr, 0, &event, 1, nullptr) == -EBADF);
    BOOST_TEST(p.dropped == 1);
    BOOST_TEST(!all->post(*k, make(2)));
    BOOST_TEST(descriptors() == before); // the inner ones are closed too, though the subscription lives
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(closed_without_us_and_used_for_another_file)
{
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    parcel& p = post(k, 1);
    replace_by_eventfd(kq);
    spi::knote* other = nullptr;
    BOOST_TEST(all->attach(request(kq, SIGEV_SOURCE_USER, 2), &other) == EBADF);
    BOOST_TEST(p.dropped == 1);
    BOOST_TEST(all->close(kq) == EBADF);
    BOOST_TEST(::fcntl(kq, F_GETFD) >= 0); // the file that bears the number now was not touched
    all->detach(k);
    ::close(kq);
}

BOOST_AUTO_TEST_CASE(closed_without_us_and_used_for_a_plain_epoll)
{
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    ::close(kq);
    BOOST_TEST_REQUIRE(::epoll_create1(EPOLL_CLOEXEC) == kq);
    spi::knote* other = nullptr;
    BOOST_TEST(all->attach(request(kq, SIGEV_SOURCE_USER, 2), &other) == EBADF);
    all->detach(k);
    ::close(kq);
}

BOOST_AUTO_TEST_CASE(closed_without_us_and_used_for_a_new_kqueue)
{
    const int before = descriptors();
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    parcel& p = post(k, 1);
    ::close(kq);
    BOOST_TEST_REQUIRE(all->open() == kq);
    BOOST_TEST(p.dropped == 1);
    BOOST_TEST(descriptors() == before);
    BOOST_TEST(!all->post(*k, make(2)));
    spi::knote* const fresh = attach(SIGEV_SOURCE_USER, 1);
    post(fresh, 3);
    BOOST_TEST(retrieve_data() == data{3}, boost::test_tools::per_element());
    all->detach(k);
    all->detach(fresh);
}

BOOST_AUTO_TEST_CASE(the_number_may_be_another_kqueue_of_ours)
{
    const int second = all->open();
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    BOOST_TEST_REQUIRE(::dup3(second, kq, O_CLOEXEC) == kq); // closes the first
    parcel& p = post(k, 1);
    BOOST_TEST(retrieve().empty()); // of the second
    BOOST_TEST(p.dropped == 1);
    all->detach(k);
    ::close(kq);
    BOOST_TEST(all->close(second) == 0);
}

BOOST_AUTO_TEST_CASE(opening_and_closing_leaves_nothing)
{
    const int before = descriptors();
    for (int i = 0; i < 100; ++i) {
        const int second = all->open();
        spi::pledge* k = nullptr;
        BOOST_TEST_REQUIRE(all->promise(second, 64, 0, &k) == 0);
        if (i % 2) {
            post(k, 1);
            BOOST_TEST_REQUIRE(retrieve_from(second).size() == 1U);
        }
        BOOST_TEST_REQUIRE(all->close(second) == 0);
        if (!(i % 2))
            all->give_up(k);
    }
    BOOST_TEST(descriptors() == before);
}

BOOST_AUTO_TEST_CASE(the_end_of_all_closes_what_is_open_and_only_that)
{
    const int second = all->open();
    replace_by_eventfd(second);
    all.reset();
    BOOST_TEST(::fcntl(kq, F_GETFD) == -1);
    BOOST_TEST(::fcntl(second, F_GETFD) >= 0);
    ::close(second);
}

BOOST_AUTO_TEST_SUITE_END()

// The kqueue as a descriptor: readable exactly when there is an event, nested, duplicated, closed in every way.
#include "fixture.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

using namespace kqueue_tests;

namespace {

/// Makes `number` refer to something else, as a program does that closes it and opens another file.
void replace_by_eventfd(int number)
{
    const int other = ::eventfd(0, EFD_CLOEXEC);
    BOOST_TEST_REQUIRE(::dup3(other, number, O_CLOEXEC) == number);
    ::close(other);
}

/// How many are open, or of those: how many have the flag FD_CLOEXEC.
int descriptors(int flag = 0)
{
    int count = 0;
    for (int fd = 0; fd < 256; ++fd)
        count += ::fcntl(fd, F_GETFD) >= flag;
    return count;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(descriptor, fixture)

BOOST_AUTO_TEST_CASE(is_closed_on_exec)
{
    const int others = descriptors() - descriptors(FD_CLOEXEC);
    const int second = all->open();
    BOOST_TEST(descriptors() - descriptors(FD_CLOEXEC) == others);
    BOOST_TEST(all->close(second) == 0);
}

BOOST_AUTO_TEST_CASE(is_readable_exactly_when_there_is_an_event)
{
    spi::knote* const user = attach(SIGEV_SOURCE_USER, 1);
    spi::knote* const request = attach(SIGEV_SOURCE_AIO, 64);
    BOOST_TEST(!readable(kq));
    for (int i = 0; i < 3; ++i) {
        post(user, 1);
        BOOST_TEST(readable(kq));
        post(user, 2);
        BOOST_TEST(retrieve(1).size() == 1U);
        BOOST_TEST(readable(kq));
        BOOST_TEST(retrieve(1).size() == 1U);
        BOOST_TEST(!readable(kq));
    }
    post(request, 0);
    BOOST_TEST(readable(kq));
    retrieve();
    BOOST_TEST(readable(kq));
    all->detach(request);
    all->forget(64);
    BOOST_TEST(!readable(kq));
    all->detach(user);
}

BOOST_AUTO_TEST_CASE(can_be_nested_into_another_epoll)
{
    const int outer = ::epoll_create1(EPOLL_CLOEXEC);
    for (const unsigned mode : {0U, static_cast<unsigned>(EPOLLET)}) {
        epoll_event watch{};
        watch.events = EPOLLIN | mode;
        BOOST_TEST_REQUIRE(::epoll_ctl(outer, EPOLL_CTL_ADD, kq, &watch) == 0);
        spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
        epoll_event seen{};
        for (int i = 0; i < 3; ++i) {
            BOOST_TEST(::epoll_wait(outer, &seen, 1, 0) == 0);
            post(k, i);
            BOOST_TEST(::epoll_wait(outer, &seen, 1, 0) == 1);
            while (!retrieve().empty())
                ;
        }
        all->detach(k);
        BOOST_TEST_REQUIRE(::epoll_ctl(outer, EPOLL_CTL_DEL, kq, nullptr) == 0);
    }
    ::close(outer);
}

BOOST_AUTO_TEST_CASE(a_duplicate_serves_as_well)
{
    const int duplicate = ::dup(kq);
    spi::knote* k = nullptr;
    BOOST_TEST(all->attach(request(duplicate, SIGEV_SOURCE_USER, 1), &k) == 0);
    post(k, 1);
    BOOST_TEST(readable(duplicate));
    BOOST_TEST(retrieve_from(duplicate).size() == 1U);
    BOOST_TEST(all->close(duplicate) == 0); // of two descriptors, one is left
    BOOST_TEST(::fcntl(duplicate, F_GETFD) == -1);
    post(k, 2);
    BOOST_TEST(retrieve().size() == 1U);
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(close_drops_what_waits_and_refuses_what_comes)
{
    spi::knote* const user = attach(SIGEV_SOURCE_USER, 1);
    spi::knote* const request = attach(SIGEV_SOURCE_AIO, 64);
    parcel& p = post(user, 1);
    post(request, 2);
    BOOST_TEST(retrieve_data(2) == (data{1, 2}), boost::test_tools::per_element());
    parcel& q = post(user, 3);
    BOOST_TEST(all->close(kq) == 0);
    BOOST_TEST(p.dropped == 0);
    BOOST_TEST(q.dropped == 1);
    BOOST_TEST(::fcntl(kq, F_GETFD) == -1);
    BOOST_TEST(!all->post(*user, make(4)));
    BOOST_TEST(all->close(kq) == EBADF);
    sigev_kev event;
    BOOST_TEST(all->kevent(kq, nullptr, 0, &event, 1, nullptr) == -EBADF);
    spi::knote* k = nullptr;
    BOOST_TEST(all->attach(this->request(kq, SIGEV_SOURCE_USER, 1), &k) == EBADF);
    all->forget(64);
    all->withdraw(*user);
    all->detach(user);
    all->detach(request);
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
        spi::knote* k = nullptr;
        BOOST_TEST_REQUIRE(all->attach(request(second, SIGEV_SOURCE_AIO, 64), &k) == 0);
        post(k, 1);
        BOOST_TEST_REQUIRE(retrieve_from(second).size() == 1U);
        if (i % 2)
            all->detach(k);
        BOOST_TEST_REQUIRE(all->close(second) == 0);
        if (!(i % 2))
            all->detach(k);
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

// The kqueue as a descriptor: readable exactly when there is an event, nested and duplicated.
#include "fixture.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

using namespace kqueue_tests;

namespace {

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
    spi::pledge* const request = promise(64);
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

BOOST_AUTO_TEST_SUITE_END()

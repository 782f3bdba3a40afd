// The C edge of event_raw: results and errno. What it does is tested in tests/core.
#include <sigev.h>

#include "support/support.hpp"

#include <cerrno>

#include <poll.h>

namespace {

bool is_forced(const char* name, int kind)
{
    return kind == SIGEV_EVENT_RAW_DEFAULT && sigev_probe(name) == 2;
}

} // namespace

BOOST_AUTO_TEST_SUITE(event_raw)

BOOST_AUTO_TEST_CASE(errors_are_errno_and_success_keeps_it)
{
    struct sigev_event_raw* event = nullptr;
    errno = 0;
    BOOST_TEST(sigev_event_raw_open(-1, &event) == -1);
    BOOST_TEST(errno == EINVAL);
    errno = 0;
    BOOST_TEST(sigev_event_raw_open(SIGEV_EVENT_RAW_DEFAULT, nullptr) == -1);
    BOOST_TEST(errno == EINVAL);
    for (const int kind : {SIGEV_EVENT_RAW_DEFAULT, SIGEV_EVENT_RAW_EVENTFD, SIGEV_EVENT_RAW_PIPE}) {
        errno = 4711;
        BOOST_TEST(sigev_event_raw_open(kind, &event) == 0);
        BOOST_TEST(sigev_event_raw_consume(event) == 0); // reads an empty descriptor
        sigev_event_raw_post(event);
        pollfd watched{sigev_event_raw_fd(event), POLLIN, 0};
        BOOST_TEST(poll(&watched, 1, 0) == 1);
        BOOST_TEST(sigev_event_raw_consume(event) == 1);
        BOOST_TEST(sigev_event_raw_consume(event) == 0);
        sigev_event_raw_close(event);
        BOOST_TEST(errno == 4711);
    }
    sigev_event_raw_close(nullptr);
}

BOOST_AUTO_TEST_CASE(posts_to_a_loop_that_is_awake_are_found_before_it_sleeps)
{
    for (const int kind : {SIGEV_EVENT_RAW_DEFAULT, SIGEV_EVENT_RAW_EVENTFD, SIGEV_EVENT_RAW_PIPE}) {
        struct sigev_event_raw* event = nullptr;
        BOOST_REQUIRE(sigev_event_raw_open(kind, &event) == 0);
        pollfd watched{sigev_event_raw_fd(event), POLLIN, 0};
        errno = 4711;
        sigev_event_raw_awake(event);
        BOOST_TEST(sigev_event_raw_take(event) == 0);
        sigev_event_raw_post(event);
        BOOST_TEST(poll(&watched, 1, 0) == 0); // nothing was written
        BOOST_TEST(sigev_event_raw_sleep(event) == 0);
        BOOST_TEST(sigev_event_raw_take(event) == 1);
        BOOST_TEST(sigev_event_raw_take(event) == 0);
        BOOST_TEST(sigev_event_raw_sleep(event) == 1);
        BOOST_TEST(sigev_event_raw_sleep(event) == 1);
        sigev_event_raw_post(event);
        BOOST_TEST(poll(&watched, 1, 0) == 1);
        BOOST_TEST(sigev_event_raw_sleep(event) == 0);
        BOOST_TEST(sigev_event_raw_take(event) == 1);
        // An eventfd that nobody reads stays readable; a pipe would fill up, and has been emptied.
        BOOST_TEST(poll(&watched, 1, 0) == (kind == SIGEV_EVENT_RAW_PIPE || is_forced("eventfd", kind) ? 0 : 1));
        BOOST_TEST(errno == 4711);
        sigev_event_raw_close(event);
    }
}

BOOST_AUTO_TEST_SUITE_END()

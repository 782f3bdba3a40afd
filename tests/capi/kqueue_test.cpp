// SIGEV_KEVENT through the C API, from every source, and sigev::kqueue over it.
#include "support/support.hpp"

#include <sigev.h>
#include <sigev/kqueue.hpp>

#include <aio.h>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

struct sigevent kevent_to(int kqueue, std::uintptr_t value, int flags = 0)
{
    struct sigevent event = {};
    event.sigev_notify = SIGEV_KEVENT;
    event.sigev_notify_kqueue = kqueue;
    event.sigev_notify_kevent_flags = flags;
    event.sigev_value.sival_ptr = reinterpret_cast<void*>(value);
    return event;
}

sigev_ledger account(sigev_t subscription)
{
    sigev_ledger l{};
    BOOST_TEST_REQUIRE(sigev_ledger_read(subscription, &l) == 0);
    return l;
}

/// Waits as long as a test may wait.
sigev_kev one_event(sigev::kqueue& queue)
{
    std::array<sigev_kev, 1> out{};
    BOOST_TEST_REQUIRE(queue.wait(out, sigev_tests::patience) == 1U);
    return out[0];
}

bool readable(int descriptor)
{
    pollfd watched{descriptor, POLLIN, 0};
    return ::poll(&watched, 1, 0) == 1;
}

} // namespace

BOOST_AUTO_TEST_SUITE(kqueue)

BOOST_AUTO_TEST_CASE(a_submission_arrives_and_counts_as_delivered_when_it_is_retrieved)
{
    sigev::kqueue queue;
    const auto event = kevent_to(queue.native_handle(), 0x1122334455667788U);
    sigev_t s = 0;
    BOOST_TEST_REQUIRE(sigev_open(&event, 4, nullptr, &s) == 0);
    BOOST_TEST(sigev_submit(s, 11, 0) == 0);
    BOOST_TEST(sigev_submit(s, 22, 0) == 0);
    BOOST_TEST(sigev_tests::wait_until([&] { return readable(queue.native_handle()); }));
    BOOST_TEST(account(s).delivered == 0U);
    const sigev_kev first = one_event(queue);
    BOOST_TEST(first.filter == EVFILT_USER);
    BOOST_TEST(first.ident == s);
    BOOST_TEST(first.data == 11);
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(first.udata) == 0x1122334455667788U);
    BOOST_TEST(account(s).delivered == 1U);
    BOOST_TEST(one_event(queue).data == 22);
    BOOST_TEST(account(s).delivered == 2U);
    BOOST_TEST(account(s).pending == 0U);
    BOOST_TEST(sigev_close(s) == 0);
}

BOOST_AUTO_TEST_CASE(a_posted_event_is_withdrawn_by_cancel)
{
    sigev::kqueue queue;
    const auto event = kevent_to(queue.native_handle(), 1);
    sigev_t s = 0;
    BOOST_TEST_REQUIRE(sigev_open(&event, 4, nullptr, &s) == 0);
    BOOST_TEST(sigev_submit(s, 11, 0) == 0);
    BOOST_TEST(sigev_tests::wait_until([&] { return readable(queue.native_handle()); }));
    BOOST_TEST(sigev_cancel(s) == 0);
    BOOST_TEST(!readable(queue.native_handle()));
    BOOST_TEST(account(s).discarded == 1U);
    BOOST_TEST(sigev_close(s) == 0);
}

BOOST_AUTO_TEST_CASE(what_is_posted_to_a_closed_kqueue_is_discarded_and_counted)
{
    sigev::kqueue queue;
    const auto event = kevent_to(queue.native_handle(), 1);
    sigev_t s = 0;
    BOOST_TEST_REQUIRE(sigev_open(&event, 4, nullptr, &s) == 0);
    BOOST_TEST(sigev_submit(s, 1, 0) == 0);
    BOOST_TEST(sigev_tests::wait_until([&] { return readable(queue.native_handle()); }));
    queue.close();
    BOOST_TEST(account(s).discarded == 1U);
    BOOST_TEST(sigev_submit(s, 2, 0) == 0);
    BOOST_TEST(sigev_tests::wait_until([&] { return account(s).discarded == 2U; }));
    BOOST_TEST(sigev_close(s) == 0);
}

BOOST_AUTO_TEST_CASE(a_timer_counts_its_expirations)
{
    sigev::kqueue queue;
    auto event = kevent_to(queue.native_handle(), 7);
    timer_t timer;
    BOOST_TEST_REQUIRE(sigev_timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    const itimerspec every_millisecond{{0, 1'000'000}, {0, 1'000'000}};
    BOOST_TEST(sigev_timer_settime(timer, 0, &every_millisecond, nullptr) == 0);
    std::int64_t expirations = 0;
    while (expirations < 5) {
        const sigev_kev e = one_event(queue);
        BOOST_TEST(e.filter == EVFILT_TIMER);
        BOOST_TEST(e.ident == reinterpret_cast<std::uintptr_t>(timer));
        BOOST_TEST(e.data >= 1);
        expirations += e.data;
    }
    BOOST_TEST(sigev_timer_delete_wait(timer) == 0);
}

BOOST_AUTO_TEST_CASE(a_request_is_reported_until_aio_return)
{
    sigev::kqueue queue;
    const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    std::array<char, 64> buffer;
    aiocb request = {};
    request.aio_fildes = file;
    request.aio_buf = buffer.data();
    request.aio_nbytes = buffer.size();
    request.aio_sigevent = kevent_to(queue.native_handle(), 99);
    for (int round = 0; round < 3; ++round) {
        BOOST_TEST_REQUIRE(sigev_aio_read(&request) == 0);
        for (int again = 0; again < 3; ++again) {
            const sigev_kev e = one_event(queue);
            BOOST_TEST(e.filter == EVFILT_AIO);
            BOOST_TEST(e.ident == reinterpret_cast<std::uintptr_t>(&request));
            BOOST_TEST((e.flags & EV_EOF) != 0);
            BOOST_TEST(e.data == 0);
            BOOST_TEST(reinterpret_cast<std::uintptr_t>(e.udata) == 99U);
        }
        BOOST_TEST(sigev_aio_error(&request) == 0);
        BOOST_TEST(sigev_aio_return(&request) == 64);
        BOOST_TEST(!readable(queue.native_handle()));
    }
    ::close(file);
}

BOOST_AUTO_TEST_CASE(a_subscription_is_refused_with_a_reason)
{
    sigev::kqueue queue;
    sigev_t s = 0;
    const auto refused = [&](struct sigevent event) {
        errno = 0;
        return sigev_open(&event, 1, nullptr, &s) == -1 ? errno : 0;
    };
    BOOST_TEST(refused(kevent_to(queue.native_handle(), 0, EV_ADD)) == EINVAL);
    BOOST_TEST(refused(kevent_to(queue.native_handle(), 0, -1)) == EINVAL);
    BOOST_TEST(refused(kevent_to(0, 0)) == EBADF);
    BOOST_TEST(refused(kevent_to(-1, 0)) == EBADF);
    const int closed = queue.native_handle();
    queue.close();
    BOOST_TEST(refused(kevent_to(closed, 0)) == EBADF);
}

BOOST_AUTO_TEST_CASE(errors_and_errno_at_the_edge)
{
    sigev_kev event;
    errno = 0;
    BOOST_TEST(sigev_kevent(0, nullptr, 0, &event, 1, nullptr) == -1); // nothing has been used yet
    BOOST_TEST(errno == EBADF);
    BOOST_TEST(sigev_kqueue_close(0) == -1);
    BOOST_TEST(errno == EBADF);

    errno = 4711;
    const int queue = sigev_kqueue();
    BOOST_TEST_REQUIRE(queue >= 0);
    const timespec now{};
    BOOST_TEST(sigev_kevent(queue, nullptr, 0, &event, 1, &now) == 0);
    BOOST_TEST(errno == 4711);
    BOOST_TEST(sigev_kevent(queue, nullptr, 0, &event, -1, nullptr) == -1);
    BOOST_TEST(errno == EINVAL);
    errno = 4711;
    BOOST_TEST(sigev_kqueue_close(queue) == 0);
    BOOST_TEST(errno == 4711);
    BOOST_TEST(sigev_kqueue_close(queue) == -1);
    BOOST_TEST(errno == EBADF);
}

BOOST_AUTO_TEST_CASE(an_object_owns_its_descriptor)
{
    sigev::kqueue a;
    const int number = a.native_handle();
    sigev::kqueue b(std::move(a));
    BOOST_TEST(!a.is_open());
    BOOST_TEST(b.native_handle() == number);
    sigev::kqueue c;
    c = std::move(b);
    BOOST_TEST(c.native_handle() == number);
    std::array<sigev_kev, 2> out;
    BOOST_TEST(c.wait(out, 0ns) == 0U);
    BOOST_TEST(c.wait({}, std::nullopt) == 0U);
    sigev::error_code error;
    BOOST_TEST(c.wait(out, -1ns, error) == 0U);
    BOOST_TEST(error == boost::system::errc::invalid_argument);
    BOOST_CHECK_EXCEPTION(b.wait(out, 0ns), boost::system::system_error, [](const auto& e) {
        return e.code() == boost::system::errc::bad_file_descriptor;
    });
    sigev_kev change{};
    change.filter = EVFILT_USER;
    change.flags = EV_DELETE;
    c.change({&change, 1}, error);
    BOOST_TEST(error == boost::system::errc::no_such_file_or_directory);
    BOOST_CHECK_THROW(c.change({&change, 1}), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(a_child_does_not_have_its_parents_kqueues)
{
    sigev::kqueue queue;
    const auto event = kevent_to(queue.native_handle(), 5);
    sigev_t s = 0;
    BOOST_TEST_REQUIRE(sigev_open(&event, 4, nullptr, &s) == 0);
    const auto end = sigev_tests::child([&] {
        sigev_kev out;
        BOOST_TEST(sigev_kevent(queue.native_handle(), nullptr, 0, &out, 1, nullptr) == -1);
        BOOST_TEST(errno == EBADF);
        sigev::kqueue own;
        BOOST_TEST(own.native_handle() != queue.native_handle());
        const auto to_parents = kevent_to(queue.native_handle(), 5);
        sigev_t t = 0;
        BOOST_TEST(sigev_open(&to_parents, 1, nullptr, &t) == -1);
        BOOST_TEST(errno == EBADF);
    });
    BOOST_TEST(end == sigev_tests::exited_well);
    BOOST_TEST(sigev_submit(s, 33, 0) == 0);
    BOOST_TEST(one_event(queue).data == 33);
    BOOST_TEST(sigev_close(s) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

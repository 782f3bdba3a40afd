// kevent() with a timeout, signals, and several threads.
#include "fixture.hpp"

#include <chrono>
#include <csignal>
#include <limits>
#include <pthread.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

using namespace kqueue_tests;
using namespace std::chrono_literals;

namespace {

/// A thread inside kevent() for ever, and what that answered.
class waiter {
public:
    waiter(spi::kqueue_port& all, int kqueue)
        : thread_([this, &all, kqueue] {
              tid_ = ::gettid();
              result_ = all.kevent(kqueue, nullptr, 0, &event, 1, nullptr);
          })
    {
        BOOST_TEST_REQUIRE(sigev_tests::wait_until([this] { return tid_ != 0 && asleep(tid_); }));
    }
    ~waiter()
    {
        if (thread_.joinable())
            thread_.join();
    }

    int result()
    {
        thread_.join();
        return result_;
    }
    pthread_t handle() { return thread_.native_handle(); }

    sigev_kev event{};

private:
    std::atomic<pid_t> tid_{0};
    int result_ = 0;
    std::thread thread_;
};

std::chrono::nanoseconds time_of(const std::function<void()>& f)
{
    const auto start = std::chrono::steady_clock::now();
    f();
    return std::chrono::steady_clock::now() - start;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(waiting, fixture)

BOOST_AUTO_TEST_CASE(never_returns_before_its_time)
{
    sigev_kev event;
    for (const auto asked : {1ns, 999ns, 1'500'000ns, 20'000'001ns}) {
        const timespec timeout{0, static_cast<long>(asked.count())};
        const auto taken =
            time_of([&] { BOOST_TEST(all->kevent(kq, nullptr, 0, &event, 1, &timeout) == 0); });
        BOOST_TEST(taken.count() >= asked.count());
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_for_it_does_not_shorten_the_wait)
{
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    post(k, 1).cancelled = true; // wakes, but is nothing
    sigev_kev event;
    const timespec timeout{0, 30'000'000};
    const auto taken = time_of([&] { BOOST_TEST(all->kevent(kq, nullptr, 0, &event, 1, &timeout) == 0); });
    BOOST_TEST(taken.count() >= timeout.tv_nsec);
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(a_very_long_timeout_is_as_good_as_none)
{
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    post(k, 1);
    sigev_kev event;
    const timespec timeout{std::numeric_limits<time_t>::max(), 999'999'999};
    BOOST_TEST(all->kevent(kq, nullptr, 0, &event, 1, &timeout) == 1);
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(a_post_wakes)
{
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    waiter w(*all, kq);
    post(k, 42);
    BOOST_TEST(w.result() == 1);
    BOOST_TEST(w.event.data == 42);
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(enabling_wakes)
{
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    BOOST_TEST(change(1, EVFILT_USER, EV_DISABLE) == 0);
    waiter w(*all, kq);
    post(k, 42);
    BOOST_TEST(change(1, EVFILT_USER, EV_ENABLE) == 0);
    BOOST_TEST(w.result() == 1);
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(each_of_several_waiting_threads_gets_one)
{
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    {
        waiter a(*all, kq), b(*all, kq), c(*all, kq);
        for (int i = 1; i <= 3; ++i)
            post(k, i);
        BOOST_TEST(a.result() == 1);
        BOOST_TEST(b.result() == 1);
        BOOST_TEST(c.result() == 1);
        BOOST_TEST(a.event.data + b.event.data + c.event.data == 6);
    }
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(a_level_event_reaches_every_waiting_thread)
{
    spi::pledge* const k = promise(64);
    waiter a(*all, kq), b(*all, kq);
    post(k, 5);
    BOOST_TEST(a.result() == 1);
    BOOST_TEST(b.result() == 1);
    BOOST_TEST(a.event.data == 5);
    BOOST_TEST(b.event.data == 5);
}

BOOST_AUTO_TEST_CASE(closing_wakes_all_with_an_error)
{
    const int second = all->open();
    waiter a(*all, second), b(*all, second);
    BOOST_TEST(all->close(second) == 0);
    BOOST_TEST(a.result() == -EBADF);
    BOOST_TEST(b.result() == -EBADF);
}

BOOST_AUTO_TEST_CASE(closing_and_reusing_the_number_does_not_catch_a_waiting_thread)
{
    const int second = all->open();
    waiter w(*all, second);
    BOOST_TEST(all->close(second) == 0);
    BOOST_TEST(all->open() == second);
    BOOST_TEST(w.result() == -EBADF);
    BOOST_TEST(all->close(second) == 0);
}

BOOST_AUTO_TEST_CASE(a_plain_close_is_seen_with_the_next_event)
{
    const int second = all->open();
    spi::knote* k = nullptr;
    BOOST_TEST_REQUIRE(all->attach(request(second, SIGEV_SOURCE_USER, 1), &k) == 0);
    waiter w(*all, second);
    ::syscall(SYS_close, second); // unseen by ThreadSanitizer, which rightly warns of it
    parcel& p = make(1);
    all->post(*k, p);
    BOOST_TEST(w.result() == -EBADF);
    BOOST_TEST(p.dropped == 1);
    all->detach(k);
}

BOOST_AUTO_TEST_CASE(a_signal_handler_interrupts)
{
    struct sigaction old, action{};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART; // as kevent() on FreeBSD: not restarted all the same
    ::sigaction(SIGUSR1, &action, &old);
    {
        waiter w(*all, kq);
        ::pthread_kill(w.handle(), SIGUSR1);
        BOOST_TEST(w.result() == -EINTR);
    }
    ::sigaction(SIGUSR1, &old, nullptr);
}

BOOST_AUTO_TEST_SUITE_END()

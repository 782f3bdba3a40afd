// The lock that aio_return() may ask: alone, and in a signal handler.
#include "fixture.hpp"

#include "kqueue/lock.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <pthread.h>
#include <thread>

using namespace kqueue_tests;

namespace {

/// For signal handlers, which have no other way to know.
std::atomic<spi::kqueue_port*> handler_kqueues{nullptr};
std::atomic<std::uint64_t> handler_aiocb{0};

} // namespace

BOOST_FIXTURE_TEST_SUITE(lock, fixture)

// The lock alone: what is asked for is done by the time that the lock is free and nobody is in it.
BOOST_AUTO_TEST_CASE(the_lock_keeps_its_promise)
{
    sigev::kq::asked_lock lock;
    int inside = 0, count = 0;
    std::atomic<int> wanted{0};
    int settled = 0;
    const auto settle = [&]() noexcept { settled = wanted.load(); };
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([&] {
            for (int j = 0; j < 20'000; ++j) {
                lock.lock();
                if (++inside != 1)
                    std::abort();
                ++count;
                --inside;
                lock.unlock(settle);
            }
        });
    threads.emplace_back([&] {
        for (int j = 1; j <= 20'000; ++j) {
            wanted = j;
            if (lock.lock_or_ask())
                lock.unlock(settle);
        }
    });
    for (std::thread& t : threads)
        t.join();
    BOOST_TEST(count == 60'000);
    BOOST_TEST(settled == 20'000);
}

// aio_return() in a signal handler that interrupts kevent() at any point, the lock held included.
BOOST_AUTO_TEST_CASE(forgetting_in_a_signal_handler, *sigev_tests::deadline(120))
{
    struct sigaction old, action{};
    action.sa_handler = [](int) {
        if (const auto aiocb = handler_aiocb.exchange(0))
            handler_kqueues.load()->forget(aiocb);
    };
    ::sigaction(SIGUSR1, &action, &old);
    handler_kqueues = all.get();

    std::atomic<bool> done{false};
    const pthread_t self = ::pthread_self();
    std::thread storm([&] {
        for (unsigned random = 1; !done;) {
            std::this_thread::yield();
            // Only when it is due: a thread that gets signals faster than it handles them stands still.
            if (handler_aiocb == 0)
                continue;
            random = random * 1664525 + 1013904223;
            for (unsigned spins = random >> 20; spins > 0 && !done; --spins)
                ; // so that it hits any point
            ::pthread_kill(self, SIGUSR1);
        }
    });
    const timespec now{};
    sigev_kev events[4];
    int late = 0;
    // Each round waits for a processor, so there may be few on a busy machine.
    const auto end = std::chrono::steady_clock::now() + sigev_tests::seconds(2);
    for (std::uint64_t i = 1; i <= 5000 && std::chrono::steady_clock::now() < end; ++i) {
        parcel p;
        BOOST_TEST_REQUIRE(take(promise(i * 64), p));
        int n;
        while ((n = all->kevent(kq, nullptr, 0, events, 4, &now)) == 0)
            ;
        BOOST_TEST_REQUIRE(n == 1);
        handler_aiocb = i * 64;
        while (handler_aiocb != 0)
            late += all->kevent(kq, nullptr, 0, events, 4, &now); // it may be told until then
        BOOST_TEST_REQUIRE(!readable(kq));
        BOOST_TEST_REQUIRE(all->kevent(kq, nullptr, 0, events, 4, &now) == 0);
    }
    done = true;
    storm.join();
    ::sigaction(SIGUSR1, &old, nullptr);
    BOOST_TEST(late > 0);
}

BOOST_AUTO_TEST_SUITE_END()

// Many threads at once: nothing posted is lost, nothing is told twice, no wakeup is missed.
#include "fixture.hpp"

#include "kqueue/lock.hpp"

#include <algorithm>
#include <csignal>
#include <pthread.h>
#include <thread>

using namespace kqueue_tests;

namespace {

constexpr int posters = 2, waiters = 2, posts = 20'000;

/// For signal handlers, which have no other way to know.
std::atomic<spi::kqueue_port*> handler_kqueues{nullptr};
std::atomic<std::uint64_t> handler_aiocb{0};

} // namespace

BOOST_FIXTURE_TEST_SUITE(stress, fixture)

// Each poster waits until its last post has been retrieved before it posts the next: a single missed wakeup ends the run.
BOOST_AUTO_TEST_CASE(every_post_wakes_somebody)
{
    std::atomic<bool> stuck{false};
    std::atomic<int> retrieved{0};
    std::vector<std::thread> threads;
    std::vector<spi::knote*> notes;
    for (int i = 0; i < posters; ++i)
        notes.push_back(attach(SIGEV_SOURCE_USER, static_cast<std::uint64_t>(i)));
    for (int i = 0; i < waiters; ++i)
        threads.emplace_back([&] {
            sigev_kev events[2];
            for (int n; (n = all->kevent(kq, nullptr, 0, events, 2, nullptr)) > 0;)
                retrieved += n;
        });
    std::vector<std::thread> sources;
    for (int i = 0; i < posters; ++i)
        sources.emplace_back([&, i] {
            for (int j = 0; j < posts && !stuck; ++j) {
                parcel p;
                all->post(*notes[static_cast<std::size_t>(i)], p);
                if (!sigev_tests::wait_until([&] { return p.ended == 1; }))
                    stuck = true, all->withdraw(*notes[static_cast<std::size_t>(i)]);
            }
        });
    for (std::thread& t : sources)
        t.join();
    BOOST_TEST(!stuck);
    BOOST_TEST(all->close(kq) == 0);
    for (std::thread& t : threads)
        t.join();
    BOOST_TEST((stuck || retrieved == posters * posts));
    for (spi::knote* k : notes)
        all->detach(k);
}

// Subscriptions are cancelled and ended, and the kqueue closed, while threads retrieve: each delivery ends exactly once.
BOOST_AUTO_TEST_CASE(each_delivery_ends_once_whatever_happens)
{
    for (int round = 0; round < 200; ++round) {
        const int second = all->open();
        std::deque<parcel> mine(64);
        std::vector<spi::knote*> notes(4);
        for (std::size_t i = 0; i < notes.size(); ++i)
            BOOST_TEST_REQUIRE(
                all->attach(request(second, SIGEV_SOURCE_USER, i, i == 3 ? EV_ONESHOT : 0U), &notes[i]) == 0);
        std::atomic<std::size_t> refused{0};
        std::thread retriever([&] {
            sigev_kev events[3];
            while (all->kevent(second, nullptr, 0, events, 3, nullptr) > 0)
                ;
        });
        std::thread canceller([&] {
            for (int i = 0; i < 8; ++i)
                all->withdraw(*notes[static_cast<std::size_t>(i) % notes.size()]);
        });
        for (std::size_t i = 0; i < mine.size(); ++i) {
            if (!all->post(*notes[i % notes.size()], mine[i]))
                ++refused;
            if (i == 48)
                BOOST_TEST(all->close(second) == 0);
        }
        retriever.join();
        canceller.join();
        for (spi::knote* k : notes)
            all->detach(k);
        const auto over = std::count_if(mine.begin(), mine.end(), [](const parcel& p) {
            return p.ended + p.dropped == 1 && p.begun == p.ended;
        });
        BOOST_TEST_REQUIRE(static_cast<std::size_t>(over) + refused == mine.size());
    }
}

// aio_return() in a signal handler that interrupts kevent() at any point, the lock held included.
BOOST_AUTO_TEST_CASE(forgetting_in_a_signal_handler)
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
        while (!done) {
            ::pthread_kill(self, SIGUSR1);
            std::this_thread::yield();
        }
    });
    const timespec now{};
    sigev_kev events[4];
    int late = 0;
    for (std::uint64_t i = 1; i <= 3000; ++i) {
        spi::knote* const k = attach(SIGEV_SOURCE_AIO, i * 64);
        parcel p;
        BOOST_TEST_REQUIRE(all->post(*k, p));
        int n;
        while ((n = all->kevent(kq, nullptr, 0, events, 4, &now)) == 0)
            ;
        BOOST_TEST_REQUIRE(n == 1);
        all->detach(k);
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
            for (int j = 0; j < 50'000; ++j) {
                lock.lock();
                if (++inside != 1)
                    std::abort();
                ++count;
                --inside;
                lock.unlock(settle);
            }
        });
    threads.emplace_back([&] {
        for (int j = 1; j <= 50'000; ++j) {
            wanted = j;
            if (lock.lock_or_ask())
                lock.unlock(settle);
        }
    });
    for (std::thread& t : threads)
        t.join();
    BOOST_TEST(count == 150'000);
    BOOST_TEST(settled == 50'000);
}

BOOST_AUTO_TEST_SUITE_END()

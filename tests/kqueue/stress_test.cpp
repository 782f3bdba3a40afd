// Many threads at once: nothing posted is lost, nothing is told twice, no wakeup is missed.
#include "fixture.hpp"

#include "support/many.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <pthread.h>
#include <thread>

using namespace kqueue_tests;

BOOST_FIXTURE_TEST_SUITE(stress, fixture)

// The poster waits until its last post has been retrieved before it makes the next, and is alone with its kqueue,
// so that nobody repairs a missed wakeup by posting more: a single one ends the run. Just before each post it has
// the waiting thread held up by a signal handler, at any point of its way back to sleep.
BOOST_AUTO_TEST_CASE(every_post_wakes_the_waiting_thread, *sigev_tests::deadline(120))
{
    struct sigaction old, action{};
    action.sa_handler = [](int) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(10);
        while (std::chrono::steady_clock::now() < end)
            ;
    };
    ::sigaction(SIGUSR1, &action, &old);

    unsigned retrieved = 0, posted = 0;
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    std::thread waiter([&] {
        sigev_kev event;
        for (int n; (n = all->kevent(kq, nullptr, 0, &event, 1, nullptr)) != -EBADF;)
            retrieved += n == 1;
    });
    bool stuck = false;
    const auto end = std::chrono::steady_clock::now() + sigev_tests::seconds(1);
    for (unsigned random = 1; !stuck && std::chrono::steady_clock::now() < end; ++posted) {
        random = random * 1664525 + 1013904223;
        const auto start = std::chrono::steady_clock::now() + std::chrono::nanoseconds(random >> 20);
        while (std::chrono::steady_clock::now() < start)
            ;
        ::pthread_kill(waiter.native_handle(), SIGUSR1);
        parcel p;
        all->post(*k, p);
        stuck = !sigev_tests::wait_until([&] { return p.ended == 1; });
        if (stuck)
            all->withdraw(*k);
    }
    BOOST_TEST(!stuck);
    BOOST_TEST(all->close(kq) == 0);
    waiter.join();
    BOOST_TEST((stuck || retrieved == posted));
    all->detach(k);
    ::sigaction(SIGUSR1, &old, nullptr);
}

// Several threads at one kqueue: each delivery is retrieved once, in one of them.
BOOST_AUTO_TEST_CASE(several_threads_share_the_events, *sigev_tests::deadline(120))
{
    constexpr unsigned posts = 20'000;
    std::atomic<unsigned> retrieved{0};
    std::vector<std::thread> waiters;
    for (int i = 0; i < 3; ++i)
        waiters.emplace_back([&] {
            sigev_kev events[2];
            for (int n; (n = all->kevent(kq, nullptr, 0, events, 2, nullptr)) > 0;)
                retrieved += static_cast<unsigned>(n);
        });
    spi::knote* const a = attach(SIGEV_SOURCE_USER, 1);
    spi::knote* const b = attach(SIGEV_SOURCE_TIMER, 2);
    std::vector<parcel> sent(posts);
    for (unsigned i = 0; i < posts; ++i)
        BOOST_TEST_REQUIRE(all->post(i % 2 ? *a : *b, sent[i]));
    BOOST_TEST(sigev_tests::wait_until([&] { return retrieved == posts; }));
    BOOST_TEST(!readable(kq));
    BOOST_TEST(all->close(kq) == 0);
    for (std::thread& t : waiters)
        t.join();
    BOOST_TEST(std::all_of(sent.begin(), sent.end(), [](const parcel& p) { return p.ended == 1 && p.begun == 1; }));
    all->detach(a);
    all->detach(b);
}

// Subscriptions are cancelled and ended, and the kqueue closed, while threads retrieve: each delivery ends exactly
// once.
BOOST_AUTO_TEST_CASE(each_delivery_ends_once_whatever_happens, *sigev_tests::deadline(60))
{
    for (int round = 0; round < 500; ++round) {
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

// Whose number it is by then shows in the answer; under ThreadSanitizer also that the question is none of a descriptor of ours.
BOOST_AUTO_TEST_CASE(a_number_is_asked_while_the_next_kqueue_gets_it)
{
    std::atomic<int> number{all->open()};
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::thread asks([&] {
        const timespec now{};
        sigev_kev event;
        while (!done) {
            const int answer = all->kevent(number, nullptr, 0, &event, 1, &now);
            wrong += answer != 0 && answer != -EBADF;
        }
    });
    for (sigev_tests::many rounds(2'000); rounds.go_on();) {
        all->close(number);
        number = all->open();
    }
    done = true;
    asks.join();
    BOOST_TEST(wrong == 0);
    BOOST_TEST(all->close(number) == 0);
}

// Requests in two kqueues, of which one or the other is closed, at addresses that are used again and again: each ends once, and
// nobody meets what another kqueue has at its address.
BOOST_AUTO_TEST_CASE(each_request_ends_once_whatever_happens, *sigev_tests::deadline(120))
{
    constexpr std::uint64_t addresses = 8;
    std::atomic<int> queues[2] = {all->open(), all->open()};
    std::atomic<bool> done{false};
    std::deque<parcel> made[2];
    std::size_t refused[2] = {};
    const auto end = std::chrono::steady_clock::now() + sigev_tests::seconds(1);
    const auto start_requests = [&](std::size_t i) {
        for (unsigned random = 1; std::chrono::steady_clock::now() < end; random = random * 1664525 + 1013904223) {
            parcel& p = made[i].emplace_back();
            spi::pledge* request = nullptr;
            const std::uint64_t aiocb = 64 + 64 * (random >> 20) % (64 * addresses);
            const std::uint16_t flags[] = {0, EV_CLEAR, EV_ONESHOT, EV_DISPATCH};
            if (all->promise(queues[i], aiocb, flags[random >> 28 & 3], &request) != 0 || !take(request, p))
                ++refused[i];
            if (made[i].size() % 64 == 0)
                std::this_thread::yield();
        }
    };
    const auto retrieve_all = [&](std::size_t i) {
        sigev_kev events[3];
        const timespec now{};
        while (!done)
            if (all->kevent(queues[i], nullptr, 0, events, 3, &now) <= 0)
                std::this_thread::yield();
    };
    const auto interfere = [&] {
        for (unsigned random = 7; !done; random = random * 1664525 + 1013904223) {
            const std::uint64_t aiocb = 64 + 64 * (random >> 20) % (64 * addresses);
            std::atomic<int>& queue = queues[random >> 15 & 1];
            sigev_kev change{};
            change.ident = aiocb;
            change.filter = EVFILT_AIO;
            const std::uint16_t flags[] = {EV_DISABLE, EV_ENABLE, EV_ENABLE, EV_DELETE};
            change.flags = flags[random >> 10 & 3];
            if (random >> 22 == 0) {
                all->close(queue);
                queue = all->open();
            } else if (random >> 31) {
                all->forget(aiocb);
            } else {
                all->kevent(queue, &change, 1, nullptr, 0, nullptr);
            }
        }
    };
    std::vector<std::thread> makers, others;
    for (const std::size_t i : {0, 1}) {
        makers.emplace_back(start_requests, i);
        others.emplace_back(retrieve_all, i);
    }
    others.emplace_back(interfere);
    for (std::thread& t : makers)
        t.join();
    done = true;
    for (std::thread& t : others)
        t.join();
    for (std::atomic<int>& queue : queues)
        BOOST_TEST(all->close(queue) == 0);
    for (std::size_t i = 0; i != 2; ++i) {
        std::size_t told = 0, dropped = 0;
        for (const parcel& p : made[i]) {
            BOOST_TEST_REQUIRE((p.begun == p.ended && p.ended + p.dropped <= 1));
            told += static_cast<std::size_t>(p.ended);
            dropped += static_cast<std::size_t>(p.dropped);
        }
        BOOST_TEST(told + dropped + refused[i] == made[i].size());
        BOOST_TEST_MESSAGE(made[i].size() << " requests: " << told << " told, " << dropped << " dropped, " << refused[i] << " refused");
    }
}

BOOST_AUTO_TEST_SUITE_END()

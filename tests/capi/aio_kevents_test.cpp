// Requests that are told by kevent, while all that they have to do with goes away: their kqueue, their reactor, the library, the
// process; or is used again.
#include "aio_fixture.hpp"
#include "support/stress.hpp"

#include <algorithm>
#include <thread>
#include <vector>

using namespace aio_tests;

namespace {

constexpr std::uint16_t kinds[] = {0, EV_CLEAR, EV_ONESHOT, EV_DISPATCH};

aiocb told_by_kevent(int file, void* buffer, std::size_t length, int queue, unsigned short flags) {
    aiocb cb = make(file, buffer, length);
    cb.aio_sigevent.sigev_notify = SIGEV_KEVENT;
    cb.aio_sigevent.sigev_notify_kqueue = queue;
    cb.aio_sigevent.sigev_notify_kevent_flags = flags;
    cb.aio_sigevent.sigev_value.sival_ptr = buffer;
    cb.aio_lio_opcode = LIO_READ;
    return cb;
}

int change(int queue, const aiocb& cb, std::uint16_t flags) {
    sigev_kev c{};
    c.ident = reinterpret_cast<std::uintptr_t>(&cb);
    c.filter = EVFILT_AIO;
    c.flags = flags;
    return sigev_kevent(queue, &c, 1, nullptr, 0, nullptr);
}

template <std::size_t room>
int retrieve(int queue, std::array<sigev_kev, room>& events) {
    const timespec now{};
    return sigev_kevent(queue, nullptr, 0, events.data(), room, &now);
}

/// Nothing is left to be told of so many requests.
bool all_over(std::uint64_t started) {
    return wait_until([&] {
        const sigev_ledger l = total();
        return l.raised == started && l.pending == 0;
    });
}

/// A file that says "content".
struct small_file : descriptor {
    small_file() : descriptor(temporary_file()) { BOOST_REQUIRE(write(*this, "content", 7) == 7); }
};

} // namespace

BOOST_AUTO_TEST_SUITE(aio_kevents)

BOOST_AUTO_TEST_CASE(a_shutdown_ends_events_wherever_they_stand) {
    constexpr int count = 32;
    const std::unique_ptr<aiocb[]> all(new aiocb[count]());
    std::array<std::array<char, 8>, count> buffers;
    std::array<sigev_kev, 10> events;
    for (int round = 0; round != 60; ++round) {
        choose(round % 2 ? SIGEV_AIO_ALWAYS_QUEUE : 0);
        small_file file;
        pipe_pair silent;
        const int queue = sigev_kqueue();
        sigev_reactor_t reactor = 0;
        BOOST_TEST_REQUIRE(sigev_reactor_open(&reactor) == 0);
        for (int i = 0; i != count; ++i) {
            const int from = i % 8 == 7 ? int{silent.read} : int{file};
            all[i] = told_by_kevent(from, &buffers[i], 7, queue, kinds[i % 4]);
            BOOST_TEST_REQUIRE((i % 3 ? sigev_aio_read(&all[i]) : sigev_aio_submit_on(reactor, LIO_READ, &all[i])) == 0);
            if (i % 5 == 0)
                BOOST_TEST(change(queue, all[i], EV_DISABLE) == 0);
        }
        for (int i = 0; i != count; ++i)
            if (i % 8 != 7)
                BOOST_TEST_REQUIRE(finished(all[i]));
        if (round % 3)
            BOOST_TEST(retrieve(queue, events) >= 0);
        if (round % 5 == 0)
            for (int i = 0; i < count; i += 2)
                sigev_aio_return(&all[i]);
        if (round % 4 == 1)
            BOOST_TEST(sigev_reactor_close(reactor) == 0);
        if (round % 4 == 2)
            close(queue);
        BOOST_TEST_REQUIRE(sigev_shutdown() == 0);
        for (int i = 0; i != count; ++i)
            BOOST_TEST(sigev_aio_error(&all[i]) != EINPROGRESS);
        const sigev_ledger l = total();
        BOOST_TEST(l.pending == 0u);
        BOOST_TEST(l.raised == l.delivered + l.discarded);
    }
}

// Not even where a request of the child's is at the same address.
BOOST_AUTO_TEST_CASE(a_child_has_no_event_of_its_parents_and_takes_none_from_it) {
    need_threads_in_a_child();
    need_the_allocator_in_a_child();
    constexpr int count = 12, over = 8;
    small_file file;
    pipe_pair pipe;
    const int queue = sigev_kqueue();
    const std::unique_ptr<aiocb[]> all(new aiocb[count]());
    std::array<std::array<char, 8>, count> buffers;
    std::array<bool, count> seen{};
    const auto retrieve_some = [&](auto& events) {
        const int n = retrieve(queue, events);
        for (int i = 0; i < n; ++i)
            seen.at((events[i].ident - reinterpret_cast<std::uintptr_t>(all.get())) / sizeof(aiocb)) = true;
        return n;
    };
    std::array<sigev_kev, 4> few;
    std::array<sigev_kev, 64> events;
    for (int i = 0; i != count; ++i) {
        all[i] = i < over ? told_by_kevent(file, &buffers[i], 7, queue, kinds[i % 4])
                          : told_by_kevent(pipe.read, &buffers[i], 1, queue, kinds[i % 4]);
        BOOST_TEST_REQUIRE(sigev_aio_read(&all[i]) == 0);
    }
    for (int i = 0; i != over; ++i)
        BOOST_TEST_REQUIRE(finished(all[i]));
    BOOST_TEST(retrieve_some(few) >= 0);
    BOOST_TEST(child([&] {
                   BOOST_TEST(retrieve(queue, events) == -1);
                   BOOST_TEST(errno == EBADF);
                   for (int i = 0; i != over; ++i)
                       BOOST_TEST(sigev_aio_return(&all[i]) == 7);
                   for (int i = over; i != count; ++i)
                       BOOST_TEST(sigev_aio_error(&all[i]) == EINVAL);
                   const int own = sigev_kqueue();
                   for (int i = 0; i != count; ++i) {
                       all[i] = told_by_kevent(file, &buffers[i], 7, own, 0);
                       BOOST_TEST_REQUIRE(sigev_aio_read(&all[i]) == 0);
                   }
                   BOOST_TEST(wait_until([&] { return retrieve(own, events) == count; }));
                   for (int i = 0; i != over; ++i)
                       BOOST_TEST(sigev_aio_return(&all[i]) == 7);
                   BOOST_TEST(retrieve(own, events) == count - over);
                   BOOST_TEST(sigev_shutdown() == 0);
               }) == exited_well);
    BOOST_TEST(write(pipe.write, "abcd", 4) == 4);
    BOOST_TEST(wait_until([&] { return retrieve_some(events) >= 0 && std::count(seen.begin(), seen.end(), true) == count; }));
    for (int i = 0; i != count; ++i)
        BOOST_TEST(sigev_aio_return(&all[i]) == (i < over ? 7 : 1));
    BOOST_TEST(retrieve(queue, events) == 0);
    BOOST_TEST(all_delivered(count));
    BOOST_TEST(sigev_kqueue_close(queue) == 0);
}

// Each is told of once at most, and the accounts agree, whoever is faster.
BOOST_AUTO_TEST_CASE(reactors_close_while_their_requests_are_told_of, *sigev_tests::deadline(120)) {
    constexpr int each = 6;
    small_file file;
    const int queue = sigev_kqueue();
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> started{0}, told{0};
    std::atomic<unsigned> wrong{0};
    const auto end = std::chrono::steady_clock::now() + seconds(1);
    const auto start_requests = [&](unsigned seed) {
        const std::unique_ptr<aiocb[]> all(new aiocb[each]());
        std::array<std::array<char, 8>, each> buffers;
        std::array<aiocb*, each> list;
        dice throws(seed);
        do {
            sigev_reactor_t reactor = 0;
            wrong += sigev_reactor_open(&reactor) != 0;
            for (int i = 0; i != each; ++i) {
                all[i] = told_by_kevent(file, &buffers[i], 7, queue, kinds[throws.roll(4)]);
                list[i] = &all[i];
            }
            if (throws.roll(3) == 0) {
                sigevent whole = all[0].aio_sigevent;
                wrong += sigev_lio_listio_on(reactor, LIO_NOWAIT, list.data(), each, &whole) != 0;
            } else {
                for (aiocb* cb : list)
                    wrong += sigev_aio_submit_on(reactor, LIO_READ, cb) != 0;
            }
            started += each;
            const bool at_once = throws.roll(2) != 0;
            if (at_once)
                wrong += sigev_reactor_close(reactor) != 0;
            for (aiocb* cb : list) {
                while (sigev_aio_error(cb) == EINPROGRESS)
                    std::this_thread::yield();
                wrong += sigev_aio_return(cb) != 7;
            }
            if (!at_once)
                wrong += sigev_reactor_close(reactor) != 0;
        } while (std::chrono::steady_clock::now() < end);
    };
    const auto retrieve_all = [&] {
        std::array<sigev_kev, 5> events;
        while (!done) {
            const int n = retrieve(queue, events);
            wrong += n < 0;
            if (n > 0)
                told += static_cast<unsigned>(n);
            else
                std::this_thread::yield();
        }
    };
    choose(SIGEV_AIO_ALWAYS_QUEUE);
    std::vector<std::thread> makers, takers;
    for (unsigned i = 1; i != 4; ++i)
        makers.emplace_back(start_requests, i);
    for (int i = 0; i != 2; ++i)
        takers.emplace_back(retrieve_all);
    for (std::thread& t : makers)
        t.join();
    done = true;
    for (std::thread& t : takers)
        t.join();
    BOOST_TEST(wrong == 0u);
    std::array<sigev_kev, 5> events;
    BOOST_TEST(wait_until([&] { return retrieve(queue, events) == 0; }));
    BOOST_TEST(all_over(started));
    BOOST_TEST_MESSAGE(started << " started, " << told << " events, " << total().delivered << " delivered");
    BOOST_TEST(total().delivered + total().discarded == started);
    BOOST_TEST(sigev_kqueue_close(queue) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

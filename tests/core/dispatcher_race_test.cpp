// Many at once: producers in threads and in a signal handler, a drain, and an end in the middle. The sum is exact.
#include "dispatcher_fixture.hpp"

#include <csignal>
#include <thread>

#include <sys/syscall.h>
#include <unistd.h>

using namespace sigev_tests;

namespace {

dispatcher_fixture* fixture = nullptr;
core::subscription* subject = nullptr;
std::uint32_t subject_generation = 0;
std::atomic<long> accepted{0};

void submit_once(std::int64_t data) {
    if (fixture->road.submit(*subject, subject_generation, data, 0) == 0)
        ++accepted;
}

void on_signal(int) {
    submit_once(-1);
}

constexpr int producers = 4;
constexpr std::int64_t each = 20000;

struct storm : dispatcher_fixture {
    storm() {
        fixture = this;
        accepted = 0;
        struct sigaction action {};
        action.sa_handler = on_signal;
        BOOST_REQUIRE(sigaction(SIGUSR1, &action, nullptr) == 0);
    }

    void begin(core::subscription& s) {
        subject = &s;
        subject_generation = s.generation.generation();
        for (int p = 0; p != producers; ++p)
            threads.emplace_back([p, this] {
                tids[p] = static_cast<pid_t>(syscall(SYS_gettid));
                for (std::int64_t i = 0; i != each; ++i)
                    submit_once(p * each + i);
                --running;
                while (!stop)
                    std::this_thread::yield();
            });
        // a handler that interrupts the producers in the middle of submit
        threads.emplace_back([this] {
            while (running > 0) {
                for (const auto& tid : tids)
                    if (tid != 0)
                        syscall(SYS_tgkill, getpid(), tid.load(), SIGUSR1);
                std::this_thread::yield();
            }
        });
    }

    void finish() {
        stop = true;
        for (auto& thread : threads)
            thread.join();
        std::signal(SIGUSR1, SIG_DFL);
    }

    std::vector<std::thread> threads;
    std::atomic<pid_t> tids[producers]{};
    std::atomic<int> running{producers};
    std::atomic<bool> stop{false};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(dispatcher_race, storm)

BOOST_AUTO_TEST_CASE(all_that_threads_and_handlers_submit_is_delivered_or_merged_and_in_each_ones_order, *deadline(120)) {
    for (const std::uint32_t capacity : {1u, 3u, 64u, 200000u}) {
        fake_target target;
        auto& s = open(target, capacity);
        accepted = 0;
        stop = false;
        running = producers;
        begin(s);
        while (running > 0)
            drain();
        finish();
        threads.clear();
        for (auto& tid : tids)
            tid = 0;
        struct sigaction action {};
        action.sa_handler = on_signal;
        sigaction(SIGUSR1, &action, nullptr);
        drain();
        drain();
        const auto l = core::registry::read(s);
        BOOST_TEST(l.raised == static_cast<std::uint64_t>(accepted.load()));
        BOOST_TEST(accepted >= producers * each);
        BOOST_TEST(l.pending == 0u);
        BOOST_TEST(l.discarded == 0u);
        BOOST_TEST(l.raised == l.delivered + l.merged);
        BOOST_TEST(l.delivered == target.got.size());
        if (capacity == 200000u)
            BOOST_TEST((l.merged == 0 || l.raised > capacity));
        std::int64_t last[producers];
        std::fill(last, last + producers, -1);
        long overtaken = 0;
        for (const auto data : target.got)
            if (data >= 0) {
                overtaken += data <= last[data / each];
                last[data / each] = data;
            }
        BOOST_TEST(overtaken == 0);
        close(s);
    }
}

BOOST_AUTO_TEST_CASE(a_cancel_in_the_middle_leaves_nothing_pending_and_nothing_comes_after_it, *deadline(120)) {
    fake_target target;
    for (int round = 0; round != 200; ++round) {
        auto& s = open(target, 16);
        std::atomic<bool> cancelled{false}, late{false};
        target.inside = [&](const sigev_notification&) {
            if (cancelled)
                late = true;
        };
        std::atomic<bool> over{false};
        const auto generation = s.generation.generation();
        std::vector<std::thread> crew;
        std::atomic<long> taken{0};
        for (int p = 0; p != 2; ++p)
            crew.emplace_back([&] {
                for (int i = 0; i != 200; ++i)
                    taken += road.submit(s, generation, i, 0) == 0;
            });
        crew.emplace_back([&] {
            while (!over)
                if (road.enter())
                    do
                        road.run();
                    while (!road.leave());
        });
        wait_until([&] { return taken > round; });
        road.cancel(s);
        cancelled = true;
        crew[0].join();
        crew[1].join();
        over = true;
        crew[2].join();
        drain();
        const auto l = core::registry::read(s);
        BOOST_TEST(l.raised == static_cast<std::uint64_t>(taken.load()));
        BOOST_TEST(l.pending == 0u);
        BOOST_TEST(l.raised == l.delivered + l.merged + l.discarded);
        BOOST_TEST(!late);
        close(s);
    }
}

// Opened, flooded, refused and closed on the same slots, while another thread drains: whoever still knows of an old owner
// must not touch the new one.
BOOST_AUTO_TEST_CASE(subscriptions_that_are_held_while_they_are_closed_come_to_an_end, *deadline(120)) {
    fake_target targets[8];
    std::atomic<bool> over{false};
    for (auto& t : targets)
        t.usual = verdict::retry;
    std::thread runner([&] {
        while (!over)
            if (road.enter())
                do
                    road.run();
                while (!road.leave());
    });
    for (int round = 0; round != 3000; ++round) {
        core::subscription* s[8];
        for (int i = 0; i != 8; ++i)
            s[i] = &open(targets[i], 2);
        for (int i = 0; i != 24; ++i)
            submit(*s[i % 8], i);
        for (auto* one : s)
            close(*one);
    }
    over = true;
    runner.join();
    drain();
    all->reap_dead(true);
    for (const auto& t : targets)
        BOOST_TEST(t.closed == 3000);
    const auto l = core::registry::total(SIGEV_SOURCE_USER, -1);
    BOOST_TEST(l.raised == 3000u * 24);
    BOOST_TEST(l.raised == l.discarded + l.merged);
}

BOOST_AUTO_TEST_SUITE_END()

// core/event_raw under races: posters against a close, and posters that are abandoned on the way. Bounded by time. That nobody
// loses a post to others is shown by stress/wakeup_stress_test.cpp.
#include "event_raw_fixture.hpp"

#include <array>
#include <thread>
#include <vector>

#include <sys/time.h>
#include <unistd.h>

namespace {

using namespace sigev_tests;

struct race_with_close {
    std::uint64_t rounds = 0, posts = 0, retired = 0, hits = 0;
};

/// Two threads post while the object is closed and its number given to a pipe, which must stay empty. late_writes: the
/// posters yield before they write, so that closes fall in between; then each round waits for them to leave the
/// object before the next opens it. Else they go on posting into the memory of closed and recycled objects.
race_with_close run_race(int kind, bool late_writes)
{
    constexpr unsigned posters = 2;
    std::atomic<const sigev_event_raw*> target{nullptr};
    std::atomic<bool> stop{false};
    std::array<std::atomic<std::uint64_t>, posters> passes{};
    race_with_close race;
    const auto let_all_pass = [&](std::uint64_t times) {
        for (auto& count : passes) {
            const auto then = count.load();
            while (count.load() < then + times)
                sched_yield();
        }
    };
    int victim[2];
    BOOST_REQUIRE(pipe2(victim, O_NONBLOCK | O_CLOEXEC) == 0);
    std::vector<std::jthread> threads;
    for (auto& count : passes)
        threads.emplace_back([&] {
            while (!stop) {
                if (const sigev_event_raw* to = target.load(std::memory_order_acquire))
                    core::post(*to);
                count.fetch_add(1, std::memory_order_release);
                sched_yield();
            }
        });
    const auto end = sigev::sys::now(CLOCK_MONOTONIC) + stress_nanoseconds() / 4;
    for (; sigev::sys::now(CLOCK_MONOTONIC) < end; ++race.rounds) {
        sigev_event_raw* event = nullptr;
        if (core::open_event_raw(kind, event) != 0)
            break;
        if (late_writes)
            hooked::put_into(*event, [] { sched_yield(); });
        const int number = event->pair.write;
        target.store(event, std::memory_order_release);
        if (race.rounds % 2)
            let_all_pass(1); // else: closed while the first post is still on its way
        core::close(*event);
        const bool closed = !is_open(number);
        race.retired += !closed;
        if (closed)
            dup3(victim[1], number, O_CLOEXEC);
        let_all_pass(2);
        if (late_writes) {
            target = nullptr;
            let_all_pass(2);
        }
        if (closed)
            close(number);
        char byte;
        race.hits += read(victim[0], &byte, 1) == 1;
    }
    stop = true;
    threads.clear();
    for (const auto& count : passes)
        race.posts += count;
    core::close_retired_event_raws();
    close(victim[0]);
    close(victim[1]);
    return race;
}

} // namespace

BOOST_AUTO_TEST_SUITE(event_raw_race)

BOOST_AUTO_TEST_CASE(posts_go_on_when_the_count_of_abandoned_posters_is_full)
{
    object event;
    hooked::put_into(*event, abandon_sometimes);
    abandon_every = 1;
    const word seq = core::wakeup::seq_of(event->word);
    for (int i = 0; i != 5'000; ++i)
        BOOST_TEST_REQUIRE(!post_or_abandon(*event));
    abandon_every = 0;
    BOOST_TEST(core::wakeup::full(event->word));
    BOOST_TEST(core::wakeup::seq_of(event->word) == seq);
    BOOST_TEST(!event.readable());
    BOOST_TEST(post_or_abandon(*event));
    BOOST_TEST(event.readable());
    BOOST_TEST(event.consume());
    const int fd = core::descriptor_of(*event);
    event.close();
    BOOST_TEST(is_open(fd));
    core::close_retired_event_raws();
    BOOST_TEST(!is_open(fd));
}

BOOST_AUTO_TEST_CASE(post_left_by_a_signal_handler_is_not_the_last)
{
    // The real thing: an interval timer whose handler jumps out of whatever the post was doing.
    static volatile sig_atomic_t armed;
    const handled handler(SIGALRM, [](int) {
        if (armed)
            siglongjmp(way_out, 1);
    });
    object event;
    const itimerval often{{0, 50}, {0, 50}};
    const itimerval never{};
    const auto end = sigev::sys::now(CLOCK_MONOTONIC) + stress_nanoseconds();
    static unsigned long left, deaf; // static: a jump may clobber what stands in registers
    setitimer(ITIMER_REAL, &often, nullptr);
    while (sigev::sys::now(CLOCK_MONOTONIC) < end) {
        if (sigsetjmp(way_out, 1) == 0) {
            armed = 1;
            for (;;) {
                event.post();
                if (event->word.load(std::memory_order_relaxed) & core::wakeup::written)
                    event.consume();
            }
        }
        armed = 0;
        ++left;
        event.consume(); // what the jump left behind
        event.post();
        deaf += !event.readable();
        event.consume();
    }
    setitimer(ITIMER_REAL, &never, nullptr);
    BOOST_TEST_MESSAGE(left << " posts left, " << core::wakeup::writers_of(event->word) << " of them as writers");
    BOOST_TEST(deaf == 0u);
    event.close();
    core::close_retired_event_raws();
}

BOOST_AUTO_TEST_CASE(post_racing_a_close_never_reaches_a_recycled_descriptor)
{
    for (const int kind : kinds)
        for (const bool late_writes : {false, true}) {
            const race_with_close race = run_race(kind, late_writes);
            BOOST_TEST_MESSAGE(race.rounds << " rounds, " << race.posts << " posts, " << race.retired << " retired");
            BOOST_TEST(race.rounds > 0u);
            BOOST_TEST(race.hits == 0u);
        }
}

BOOST_AUTO_TEST_SUITE_END()

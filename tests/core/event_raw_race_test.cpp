// core/event_raw under races: posters against each other, against the consumer, against a close, and posters that are
// abandoned on the way. Bounded by time.
#include "event_raw_fixture.hpp"

#include <array>
#include <barrier>
#include <thread>
#include <vector>

#include <sys/time.h>
#include <unistd.h>

namespace {

using namespace sigev_tests;

struct tally {
    std::uint64_t rounds = 0, posts = 0, abandoned = 0;
    bool lost = false;
};

/// Three posters, one consumer that sleeps in poll: once the posters are quiet, the consumer has seen every post that
/// returned. Ends at the first loss.
tally stress(sigev_event_raw& event, unsigned abandon)
{
    constexpr unsigned posters = 3;
    constexpr unsigned most_posts = 6;
    struct alignas(64) line {
        std::atomic<std::uint64_t> published{0}, completed{0}, seen{0}, abandoned{0};
    };
    std::array<line, posters> lines;
    std::atomic<bool> stop{false};
    std::barrier<> meet(posters + 1);

    std::vector<std::jthread> threads;
    for (unsigned i = 0; i != posters; ++i)
        threads.emplace_back([&, i] {
            line& mine = lines[i];
            abandon_every = abandon ? abandon + i : 0; // out of step with each other
            for (unsigned round = i;; ++round) {
                meet.arrive_and_wait();
                if (stop)
                    return;
                for (unsigned n = round % most_posts + 1; n > 0; --n) {
                    // relaxed: it is the post that has to publish it
                    const auto number = mine.published.load(std::memory_order_relaxed) + 1;
                    mine.published.store(number, std::memory_order_relaxed);
                    if (post_or_abandon(event))
                        mine.completed.store(number, std::memory_order_relaxed);
                    else
                        mine.abandoned.fetch_add(1, std::memory_order_relaxed);
                }
                meet.arrive_and_wait();
            }
        });
    std::jthread consumer([&] {
        pollfd watched{core::descriptor_of(event), POLLIN, 0};
        while (!stop)
            if (poll(&watched, 1, 100) == 1 && core::consume(event))
                for (line& l : lines)
                    l.seen.store(l.published.load(std::memory_order_relaxed), std::memory_order_release);
    });

    tally sum;
    const auto end = sigev::sys::now(CLOCK_MONOTONIC) + stress_nanoseconds();
    while (!sum.lost && sigev::sys::now(CLOCK_MONOTONIC) < end) {
        meet.arrive_and_wait();
        meet.arrive_and_wait();
        ++sum.rounds;
        for (const line& l : lines)
            sum.lost = !wait_until([&] { return l.seen.load() >= l.completed.load(); }, sigev_tests::seconds(2)) || sum.lost;
    }
    stop = true;
    meet.arrive_and_wait();
    threads.clear();
    consumer.join();
    for (const line& l : lines) {
        sum.posts += l.published;
        sum.abandoned += l.abandoned;
    }
    BOOST_TEST_MESSAGE(sum.rounds << " rounds, " << sum.posts << " posts, " << sum.abandoned << " abandoned");
    return sum;
}

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

BOOST_AUTO_TEST_CASE(posts_of_several_threads_are_all_seen)
{
    for (const int kind : kinds) {
        const object event(kind);
        BOOST_TEST(!stress(*event, 0).lost);
    }
}

BOOST_AUTO_TEST_CASE(abandoned_posters_silence_nobody)
{
    // In a child: what they leave behind is retired descriptors.
    for (const int kind : kinds) {
        const auto end = child([&] {
            object event(kind);
            hooked::put_into(*event, abandon_sometimes, abandon_sometimes);
            const tally sum = stress(*event, 7);
            BOOST_TEST(!sum.lost);
            BOOST_TEST(sum.abandoned > 0u);
        }, patience + milliseconds(stress_nanoseconds() / 1'000'000));
        BOOST_TEST(end == exited_well);
    }
}

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

// Posts from threads, a signal handler and children at once, with exact bounds. Bounded by time.
#include "fixture.hpp"

#include <array>
#include <memory>

#include <sys/time.h>

using namespace sigev_tests;

namespace {

const iv_event_raw* posted_by_handler;
std::atomic<int> handled_signals{0};
void post_in_handler(int)
{
    handled_signals.fetch_add(1, std::memory_order_relaxed);
    iv_event_raw_post(posted_by_handler);
}

} // namespace

BOOST_AUTO_TEST_SUITE(races)

BOOST_AUTO_TEST_CASE(every_object_is_called_at_most_once_a_post_and_after_the_last_one)
{
    // Two posters, each with an object of its own and one that both post to; counts are compared whenever both are quiet.
    constexpr std::size_t posters = 2;
    struct counted {
        std::unique_ptr<event> object;
        std::atomic<int> posts{0}, seen{0}, calls{0};
    };
    std::array<counted, posters + 1> all;
    std::unique_ptr<event> stop;
    loop_thread thread([&] {
        for (auto& c : all)
            c.object = std::make_unique<event>([&c] {
                c.calls.fetch_add(1, std::memory_order_relaxed);
                c.seen.store(c.posts.load(std::memory_order_relaxed), std::memory_order_relaxed);
            });
        stop = std::make_unique<event>([&] {
            for (auto& c : all)
                c.object.reset();
            stop.reset();
        });
    });
    const auto post = [](counted& c) {
        c.posts.fetch_add(1, std::memory_order_relaxed);
        iv_event_raw_post(&c.object->raw);
    };
    const auto end = std::chrono::steady_clock::now() + stress_time();
    int rounds = 0;
    bool lost = false;
    for (; std::chrono::steady_clock::now() < end && !lost; ++rounds) {
        {
            std::vector<std::jthread> running;
            for (std::size_t i = 0; i != posters; ++i)
                running.emplace_back([&, i] {
                    for (int n = 0; n != 200; ++n) {
                        post(all[i]);
                        post(all[posters]);
                    }
                });
        }
        for (auto& c : all)
            lost = lost || !wait_until([&] { return c.seen == c.posts; });
    }
    BOOST_TEST(!lost);
    for (auto& c : all) {
        BOOST_TEST(c.calls <= c.posts);
        BOOST_TEST(c.calls >= rounds);
    }
    BOOST_TEST_MESSAGE(rounds << " rounds, " << all[posters].posts << " posts, " << all[posters].calls << " calls");
    stop->post();
    BOOST_TEST(thread.ended());
}

BOOST_AUTO_TEST_CASE(poster_that_waits_for_each_call_gets_one_call_a_post)
{
    // Two of them, each with an object of its own, so that the loop is often awake for the other's sake.
    struct counted {
        std::unique_ptr<event> object;
        std::atomic<int> posts{0}, calls{0};
    };
    std::array<counted, 2> all;
    std::unique_ptr<event> stop;
    loop_thread thread([&] {
        for (auto& c : all)
            c.object = std::make_unique<event>([&c] { ++c.calls; });
        stop = std::make_unique<event>([&] {
            for (auto& c : all)
                c.object.reset();
            stop.reset();
        });
    });
    std::atomic<bool> lost{false};
    {
        const auto end = std::chrono::steady_clock::now() + stress_time();
        std::vector<std::jthread> posters;
        for (auto& c : all)
            posters.emplace_back([&] {
                while (std::chrono::steady_clock::now() < end && !lost) {
                    iv_event_raw_post(&c.object->raw);
                    ++c.posts;
                    if (!wait_until([&] { return c.calls >= c.posts; }))
                        lost = true;
                }
            });
    }
    BOOST_TEST(!lost);
    stop->post();
    BOOST_TEST(thread.ended());
    for (auto& c : all)
        BOOST_TEST(c.calls == c.posts);
}

BOOST_AUTO_TEST_CASE(posts_of_threads_a_signal_handler_and_children_at_once)
{
    std::unique_ptr<event> heard, stop;
    std::atomic<int> posts{0}, seen{0};
    loop_thread thread([&] {
        heard = std::make_unique<event>([&] { seen = posts.load(); });
        stop = std::make_unique<event>([&] { heard.reset(), stop.reset(); });
    });
    posted_by_handler = &heard->raw;
    const handled handler(SIGALRM, post_in_handler);
    const auto end = std::chrono::steady_clock::now() + stress_time();
    std::atomic<bool> quiet{false};
    {
        const itimerval storm{{0, 200}, {0, 200}};
        setitimer(ITIMER_REAL, &storm, nullptr);
        std::vector<std::jthread> posters;
        for (int i = 0; i != 2; ++i)
            posters.emplace_back([&] {
                while (!quiet) {
                    ++posts;
                    heard->post();
                }
            });
        int children = 0;
        while (std::chrono::steady_clock::now() < end) {
            BOOST_TEST(child([&] { heard->post(); }) == exited_well);
            ++children;
        }
        quiet = true;
        posters.clear();
        const itimerval calm{};
        setitimer(ITIMER_REAL, &calm, nullptr);
        BOOST_TEST(children > 0);
    }
    BOOST_TEST(handled_signals > 0);
    BOOST_TEST(wait_until([&] { return seen == posts; }));
    // And nobody has been silenced by any of it.
    for (int i = 0; i != 3; ++i) {
        ++posts;
        heard->post();
        BOOST_TEST(wait_until([&] { return seen == posts; }));
        const int before = heard->calls;
        BOOST_TEST(child([&] { heard->post(); }) == exited_well);
        BOOST_TEST(wait_until([&] { return heard->calls > before; }));
    }
    stop->post();
    BOOST_TEST(thread.ended());
}

BOOST_AUTO_TEST_CASE(loops_of_many_threads_post_round_and_round)
{
    constexpr std::size_t threads = 4;
    constexpr int rounds = 500;
    std::array<std::unique_ptr<event>, threads> ring;
    {
        std::vector<std::unique_ptr<loop_thread>> loops;
        for (std::size_t i = 0; i != threads; ++i)
            loops.push_back(std::make_unique<loop_thread>([&, i] {
                ring[i] = std::make_unique<event>([&, i] {
                    iv_event_raw_post(&ring[(i + 1) % threads]->raw);
                    if (ring[i]->calls == rounds)
                        ring[i]->leave(); // the memory stays: the one before posts here once more
                });
            }));
        ring[0]->post();
        for (auto& l : loops)
            BOOST_TEST(l->ended());
    }
    for (auto& e : ring)
        BOOST_TEST(e->calls == rounds);
}

BOOST_AUTO_TEST_SUITE_END()

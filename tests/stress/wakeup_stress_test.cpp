// The stresses of protocol W: no post that returned is lost, whoever posts beside it and never comes out of it again. Half a
// second each, SIGEV_STRESS_SECONDS for longer.
#include "stress/wakeup_arena.hpp"
#include "support/support.hpp"

#include <sigev.h>

using namespace sigev_tests;

namespace {

wakeup_result stress(const wakeup_options& options)
{
    const wakeup_result result = run_wakeup_arena(options);
    BOOST_TEST_MESSAGE(to_string(result));
    BOOST_TEST(!result.lost, to_string(result));
    BOOST_TEST(result.rounds > 0u);
    BOOST_TEST(result.seen > 0u);
    BOOST_TEST((result.never_slept > 0) == (options.loop != sleeper::drains));
    BOOST_TEST((result.other_wakes > 0) == options.other_wakes);
    return result;
}

void stress_abandoned(const wakeup_options& options)
{
    if (under_thread_sanitizer && options.posters_are == abandoned::by_signals)
        skip("ThreadSanitizer defers signals, so none arrives in the middle of a post");
    const wakeup_result result = stress(options);
    BOOST_TEST(result.left_claimed > 0u);
    BOOST_TEST(result.left_written > 0u);
}

} // namespace

BOOST_AUTO_TEST_SUITE(wakeup_stress)

BOOST_AUTO_TEST_CASE(posts_to_an_eventfd_that_is_drained_are_all_seen, *deadline(600))
{
    stress({.kind = SIGEV_EVENT_RAW_EVENTFD});
}

BOOST_AUTO_TEST_CASE(posts_to_a_pipe_that_is_drained_are_all_seen, *deadline(600))
{
    stress({.kind = SIGEV_EVENT_RAW_PIPE});
}

BOOST_AUTO_TEST_CASE(abandoned_posters_silence_nobody_at_an_eventfd, *deadline(600))
{
    stress_abandoned({.kind = SIGEV_EVENT_RAW_EVENTFD, .posters_are = abandoned::at_steps});
}

BOOST_AUTO_TEST_CASE(abandoned_posters_silence_nobody_at_a_pipe, *deadline(600))
{
    stress_abandoned({.kind = SIGEV_EVENT_RAW_PIPE, .posters_are = abandoned::at_steps});
}

BOOST_AUTO_TEST_CASE(posters_left_by_a_signal_handler_silence_nobody_at_an_eventfd, *deadline(600))
{
    stress_abandoned({.kind = SIGEV_EVENT_RAW_EVENTFD, .posters_are = abandoned::by_signals});
}

BOOST_AUTO_TEST_CASE(posters_left_by_a_signal_handler_silence_nobody_at_a_pipe, *deadline(600))
{
    stress_abandoned({.kind = SIGEV_EVENT_RAW_PIPE, .posters_are = abandoned::by_signals});
}

// ---- a loop that says when it sleeps

BOOST_AUTO_TEST_CASE(posts_to_a_loop_that_announces_its_sleep_are_all_seen, *deadline(600))
{
    stress({.loop = sleeper::announces});
}

BOOST_AUTO_TEST_CASE(posts_to_a_loop_that_announces_its_sleep_and_hears_edges_are_all_seen, *deadline(600))
{
    stress({.loop = sleeper::announces_edges});
}

BOOST_AUTO_TEST_CASE(posts_to_a_loop_that_others_wake_are_all_seen, *deadline(600))
{
    stress({.loop = sleeper::announces_edges, .other_wakes = true});
}

BOOST_AUTO_TEST_CASE(abandoned_posters_silence_nobody_at_a_loop_that_others_wake, *deadline(600))
{
    stress_abandoned({.loop = sleeper::announces, .posters_are = abandoned::at_steps, .other_wakes = true});
}

BOOST_AUTO_TEST_CASE(abandoned_posters_silence_nobody_at_a_loop_that_hears_edges, *deadline(600))
{
    stress_abandoned({.loop = sleeper::announces_edges, .posters_are = abandoned::at_steps});
}

BOOST_AUTO_TEST_CASE(posters_left_by_a_signal_handler_silence_nobody_at_a_loop_that_hears_edges, *deadline(600))
{
    stress_abandoned({.loop = sleeper::announces_edges, .posters_are = abandoned::by_signals});
}

// ---- from everywhere at once

BOOST_AUTO_TEST_CASE(posts_of_threads_handlers_and_a_child_are_all_seen, *deadline(600))
{
    for (const auto loop : {sleeper::drains, sleeper::announces, sleeper::announces_edges}) {
        const wakeup_result result =
            stress({.loop = loop, .posters = 4, .handlers = true, .child = true, .other_wakes = true});
        BOOST_TEST(result.from_handlers > 0u);
        BOOST_TEST(result.from_child > 0u);
    }
}

BOOST_AUTO_TEST_SUITE_END()

// The two stresses of the timer protocol: no expiry is lost, and no generation is mistaken for another. Half a second
// each, SIGEV_STRESS_SECONDS for longer. The variant SIGEV_FORCE=noatomic16 runs them over the lock of sys/atomic16.
#include "stress/timer_arena.hpp"
#include "support/support.hpp"

using namespace sigev_tests;

namespace {

void stress(const arena_options& options)
{
    const arena_result result = run_arena(options);
    BOOST_TEST_MESSAGE(to_string(result));
    BOOST_TEST(result.good(), to_string(result));
    BOOST_TEST(result.rounds > 0u);
    BOOST_TEST(result.fired > 0u);
}

} // namespace

BOOST_AUTO_TEST_SUITE(timer_stress)

BOOST_AUTO_TEST_CASE(two_timers_lose_no_expiry, *deadline(600))
{
    stress({.timers = 2, .storm = true});
}

BOOST_AUTO_TEST_CASE(many_timers_on_two_bases_lose_no_expiry, *deadline(600))
{
    stress({.timers = 32, .wall = true, .periodic = true, .storm = true});
}

BOOST_AUTO_TEST_CASE(with_slack_and_precision_no_expiry_is_lost, *deadline(600))
{
    stress({.timers = 6, .wall = true, .periodic = true, .storm = true, .wishes = true});
}

BOOST_AUTO_TEST_CASE(with_slack_and_precision_generations_are_not_mistaken, *deadline(600))
{
    stress({.timers = 6, .wall = true, .periodic = true, .recreate = true, .quantised = true, .wishes = true});
}

BOOST_AUTO_TEST_CASE(generations_are_not_mistaken, *deadline(600))
{
    stress({.timers = 4, .wall = true, .periodic = true, .recreate = true, .quantised = true});
}

BOOST_AUTO_TEST_CASE(generations_are_not_mistaken_under_signals, *deadline(600))
{
    stress({.timers = 8, .wall = true, .periodic = true, .recreate = true, .quantised = true, .storm = true,
            .steady = CLOCK_BOOTTIME});
}

BOOST_AUTO_TEST_SUITE_END()

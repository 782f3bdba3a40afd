// Armed, fired, cancelled, waited for and freed by eight threads at once, and by callbacks. Half a second each,
// SIGEV_STRESS_SECONDS for longer.
#include "stress/teardown_arena.hpp"

using namespace sigev_tests;

namespace {

void stress(const teardown_options& options)
{
    const teardown_result r = run_teardown_arena(options);
    BOOST_TEST_MESSAGE(to_string(r));
    BOOST_TEST(r.late == 0u, to_string(r));
    BOOST_TEST(r.wrong == 0u, to_string(r));
    BOOST_TEST(r.broken == "", to_string(r));
    BOOST_TEST(was_busy(r), to_string(r));
}

} // namespace

BOOST_AUTO_TEST_SUITE(teardown_stress)

BOOST_AUTO_TEST_CASE(nothing_comes_late_and_nothing_is_lost_on_the_runtime, *deadline(600))
{
    stress({.where = place::runtime});
}

BOOST_AUTO_TEST_CASE(nothing_comes_late_and_nothing_is_lost_on_a_loop_that_two_threads_run, *deadline(600))
{
    stress({.where = place::borrowed});
}

BOOST_AUTO_TEST_CASE(shutdown_ends_what_is_open_and_accounts_for_it, *deadline(600))
{
    stress({.where = place::runtime, .leave_to_shutdown = true});
}

BOOST_AUTO_TEST_CASE(closing_a_reactor_ends_what_is_open_and_accounts_for_it, *deadline(600))
{
    stress({.where = place::borrowed, .leave_to_shutdown = true});
}

BOOST_AUTO_TEST_SUITE_END()

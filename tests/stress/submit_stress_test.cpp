// The stresses of the dispatcher: every ledger is exact, whoever submits from wherever, and one drain is at work at a time.
// Half a second each, SIGEV_STRESS_SECONDS for longer.
#include "stress/submit_arena.hpp"
#include "support/support.hpp"

using namespace sigev_tests;

namespace {

void stress(const submit_options& options)
{
    const submit_result result = run_submit_arena(options);
    BOOST_TEST_MESSAGE(to_string(result));
    BOOST_TEST(result.good(), to_string(result));
    BOOST_TEST(result.rounds > 0u);
    BOOST_TEST(result.calls > 0u);
    BOOST_TEST((result.merged > 0) == (options.capacity == 1));
    BOOST_TEST((result.cancels > 0) == options.cancel);
    BOOST_TEST((result.from_handlers > 0) == options.storm);
    BOOST_TEST((result.rung_by_the_child > 0) == options.child);
    BOOST_TEST((result.ticks > 0) == (options.where == delivered_on::context));
}

} // namespace

BOOST_AUTO_TEST_SUITE(submit_stress)

BOOST_AUTO_TEST_CASE(submits_of_threads_and_handlers_to_the_runtime, *deadline(600))
{
    stress({.where = delivered_on::runtime, .capacity = 1024, .storm = true});
}

BOOST_AUTO_TEST_CASE(submits_of_handlers_are_not_hidden_behind_those_that_they_interrupt, *deadline(600))
{
    stress({.where = delivered_on::runtime, .capacity = 1024, .storm = true, .handlers_wait = true});
}

BOOST_AUTO_TEST_CASE(submits_to_the_runtime_that_find_no_record_and_are_cancelled, *deadline(600))
{
    stress({.where = delivered_on::runtime, .capacity = 1, .cancel = true, .storm = true});
}

BOOST_AUTO_TEST_CASE(submits_to_a_context_that_four_threads_run, *deadline(600))
{
    stress({.where = delivered_on::context, .capacity = 1024, .storm = true});
}

BOOST_AUTO_TEST_CASE(submits_to_a_context_that_four_threads_run_are_cancelled, *deadline(600))
{
    stress({.where = delivered_on::context, .capacity = 1024, .cancel = true, .storm = true});
}

BOOST_AUTO_TEST_CASE(submits_to_a_context_that_find_no_record_and_are_cancelled, *deadline(600))
{
    stress({.where = delivered_on::context, .capacity = 1, .cancel = true, .storm = true});
}

BOOST_AUTO_TEST_CASE(submits_and_posts_of_threads_and_handlers_and_a_child_at_once, *deadline(600))
{
    for (const std::uint32_t capacity : {1024u, 1u})
        stress({.where = delivered_on::context, .capacity = capacity, .cancel = true, .storm = true, .child = true});
}

BOOST_AUTO_TEST_CASE(submits_that_nobody_delivers_but_those_who_submit, *deadline(600))
{
    stress({.where = delivered_on::producers, .capacity = 1024});
}

BOOST_AUTO_TEST_CASE(submits_that_nobody_delivers_but_those_who_submit_are_cancelled, *deadline(600))
{
    stress({.where = delivered_on::producers, .capacity = 1, .cancel = true});
}

BOOST_AUTO_TEST_SUITE_END()

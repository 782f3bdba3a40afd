// A bench asks contestants, and goes on without one that does not answer as it should.
#include "support/contestant_process.hpp"

#include "support/support.hpp"

#include <string>

using namespace sigev_bench;

namespace {

bool says(const no_value& e, const char* part)
{
    return std::string(e.what()).find(part) != std::string::npos;
}

/// The frame of those in C++, and of those in C: fake_contestant.cpp and .c.
template <class Case>
void with_each(Case&& run)
{
    for (const char* const program : {SIGEV_BENCH_FAKE, SIGEV_BENCH_FAKE_C})
        BOOST_TEST_CONTEXT(program)
        {
            contestant_process p(program);
            run(p);
        }
}

} // namespace

BOOST_AUTO_TEST_SUITE(contestants)

BOOST_AUTO_TEST_CASE(one_answers_each_question_with_a_value)
{
    with_each([](contestant_process& p) {
        BOOST_TEST(p.ask("twice", 21) == 42);
        BOOST_TEST(p.ask("twice", 4) == 8);
    });
}

BOOST_AUTO_TEST_CASE(a_measurement_that_fails_says_why_and_the_next_one_works)
{
    with_each([](contestant_process& p) {
        BOOST_CHECK_EXCEPTION(p.ask("fails", 0), no_value, [](const no_value& e) { return says(e, "out of luck"); });
        BOOST_TEST(p.ask("twice", 1) == 2);
    });
}

BOOST_AUTO_TEST_CASE(a_measurement_that_it_does_not_offer_is_a_failure)
{
    with_each([](contestant_process& p) {
        BOOST_CHECK_EXCEPTION(p.ask("sings", 0), no_value, [](const no_value& e) { return says(e, "no such measurement"); });
    });
}

BOOST_AUTO_TEST_CASE(one_that_ends_in_the_middle_is_a_failure_and_is_started_again)
{
    with_each([](contestant_process& p) {
        BOOST_CHECK_EXCEPTION(p.ask("dies", 0), no_value, [](const no_value& e) { return says(e, "ended"); });
        BOOST_TEST(p.ask("twice", 3) == 6);
    });
}

BOOST_AUTO_TEST_CASE(one_that_is_not_there_is_absent)
{
    contestant_process p("/nonexistent/contestant");
    BOOST_CHECK_EXCEPTION(p.ask("twice", 0), no_value, [](const no_value& e) { return says(e, "absent"); });
    BOOST_CHECK_EXCEPTION(
        count_calls("/nonexistent/contestant", "twice", 1), no_value, [](const no_value& e) { return says(e, "absent"); });
}

BOOST_AUTO_TEST_SUITE_END()

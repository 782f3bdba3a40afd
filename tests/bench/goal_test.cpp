// Medians, the values of goals, and the lines that say how they stand.
#include "support/goal.hpp"
#include "support/statistics.hpp"

#include "support/support.hpp"

#include <string>

using namespace sigev_bench;

namespace {

constexpr goal no_slower{"x.first", {"first", "ours"}, side{"first", "floor"}, bound::at_most, 1.10};
constexpr goal faster{"x.rate", {"rate", "ours"}, side{"rate", "peer"}, bound::at_least, 100};
constexpr goal alone{"x.calls", {"calls", "ours"}, {}, bound::at_most, 4};

results measured()
{
    results r;
    r.all = {
        {"first", "ours", "ns", {700, 630, 620, 640, 10'000}, {}},
        {"first", "floor", "ns", {600, 610, 590, 600, 600}, {}},
        {"rate", "ours", "M/s", {50, 50, 50}, {}},
        {"rate", "peer", "M/s", {}, "absent"},
        {"calls", "ours", "calls", {4, 4, 4.01}, {}},
    };
    return r;
}

std::string line_of(const goal& g)
{
    return goal_line(g, value_of(g, measured()));
}

} // namespace

BOOST_AUTO_TEST_SUITE(goals)

BOOST_AUTO_TEST_CASE(a_median_stands_in_the_middle_and_quartiles_between_neighbours)
{
    BOOST_TEST(median({3, 1, 2}) == 2);
    BOOST_TEST(median({4, 1, 3, 2}) == 2.5);
    BOOST_TEST(median({7}) == 7);
    BOOST_TEST(quantile({5, 1, 4, 2, 3}, 0.25) == 2);
    BOOST_TEST(quantile({1, 2}, 1) == 2);
}

BOOST_AUTO_TEST_CASE(the_middle_half_is_not_moved_by_what_was_disturbed)
{
    BOOST_TEST(middle({10, 20, 10, 20, 10, 20, 1'000'000, 0}) == 15);
}

BOOST_AUTO_TEST_CASE(a_goal_is_the_ratio_of_two_medians)
{
    BOOST_TEST(value_of(no_slower, measured()).value() == 640.0 / 600.0);
    BOOST_TEST(line_of(no_slower) == "GOAL x.first 1.067 <=1.10 met");
}

BOOST_AUTO_TEST_CASE(a_goal_without_a_second_side_is_the_median_itself)
{
    BOOST_TEST(line_of(alone) == "GOAL x.calls 4.000 <=4 met");
}

BOOST_AUTO_TEST_CASE(an_absent_peer_makes_its_goals_missed)
{
    BOOST_TEST(!value_of(faster, measured()).has_value());
    BOOST_TEST(line_of(faster) == "GOAL x.rate - >=100 missed");
}

BOOST_AUTO_TEST_CASE(what_was_never_asked_makes_its_goals_missed)
{
    BOOST_TEST(goal_line(no_slower, value_of(no_slower, {})) == "GOAL x.first - <=1.10 missed");
}

BOOST_AUTO_TEST_CASE(a_bound_is_met_exactly_and_missed_beyond_on_either_side)
{
    BOOST_TEST(is_met(no_slower, 1.10));
    BOOST_TEST(!is_met(no_slower, 1.1001));
    BOOST_TEST(is_met(faster, 100.0));
    BOOST_TEST(!is_met(faster, 99.99));
}

BOOST_AUTO_TEST_CASE(a_value_close_to_its_bound_shows_on_which_side_it_lies)
{
    BOOST_TEST(goal_line(no_slower, 1.104) == "GOAL x.first 1.104 <=1.10 missed");
    BOOST_TEST(goal_line({"x.idle", {"idle", "ours"}, {}, bound::at_most, 0.01}, 0.00013) == "GOAL x.idle 0.00013 <=0.01 met");
}

BOOST_AUTO_TEST_SUITE_END()

// The table and the JSON say all that was measured, and why something was not.
#include "support/report.hpp"

#include "support/support.hpp"

#include <boost/json.hpp>

#include <string>
#include <vector>

using namespace sigev_bench;

namespace {

const circumstances here{"bench_x", "2026-01-02T03:04:05Z", "a \"machine\"", 2};

results measured()
{
    results r;
    r.all = {{"first", "ours", "ns", {700.25, 630, 620}, {}}, {"first", "peer", "ns", {}, "absent: there is no peer"}};
    return r;
}

const std::vector<goal> goals{{"x.first", {"first", "ours"}, side{"first", "peer"}, bound::at_most, 1.10}};

bool has(const std::string& text, const char* part)
{
    return text.find(part) != text.npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(report)

BOOST_AUTO_TEST_CASE(the_json_has_every_repetition_and_every_goal)
{
    const auto root = boost::json::parse(json(here, measured(), goals));
    BOOST_TEST(root.at("program").as_string() == "bench_x");
    BOOST_TEST(root.at("machine").as_string() == "a \"machine\"");
    const auto& series = root.at("series").as_array();
    BOOST_REQUIRE(series.size() == 2u);
    BOOST_TEST(series[0].at("values").as_array().size() == 3u);
    BOOST_TEST(series[0].at("values").as_array()[0].as_double() == 700.25);
    BOOST_TEST(series[1].at("values").as_array().empty());
    BOOST_TEST(series[1].at("failure").as_string() == "absent: there is no peer");
    const auto& g = root.at("goals").as_array().at(0);
    BOOST_TEST(g.at("id").as_string() == "x.first");
    BOOST_TEST(g.at("value").is_null());
    BOOST_TEST(g.at("bound").as_string() == "<=1.10");
    BOOST_TEST(!g.at("met").as_bool());
}

BOOST_AUTO_TEST_CASE(what_was_written_is_read_again)
{
    const document d = read_json(json(here, measured(), goals));
    BOOST_TEST(d.where.date == here.date);
    BOOST_TEST(d.where.processors == 2u);
    BOOST_TEST(d.measured.median_of("first", "ours").value() == 630);
    BOOST_TEST(!d.measured.median_of("first", "peer").has_value());
    BOOST_TEST(d.measured.find("first", "peer")->failure == "absent: there is no peer");
}

BOOST_AUTO_TEST_CASE(what_is_no_such_json_is_refused)
{
    BOOST_CHECK_THROW(read_json("{\"program\":1}"), std::exception);
    BOOST_CHECK_THROW(read_json("[]"), std::exception);
}

BOOST_AUTO_TEST_CASE(the_table_has_a_line_a_series_and_says_why_one_is_missing)
{
    const std::string text = table(measured());
    BOOST_TEST(has(text, "630"));
    BOOST_TEST(has(text, "absent: there is no peer"));
}

BOOST_AUTO_TEST_SUITE_END()

// When a row is right, what is said of one that is not, and the JSON of both.
#include "tool/row.hpp"

#include "support/support.hpp"

#include <boost/json.hpp>

using namespace sigev::tool;

namespace {

sigev_ledger ledger(
    std::uint64_t raised, std::uint64_t delivered, std::uint64_t merged, std::uint64_t pending = 0,
    std::uint64_t discarded = 0) {
    return {
        .raised = raised,
        .delivered = delivered,
        .merged = merged,
        .pending = pending,
        .discarded = discarded,
        .kernel_timers = 0,
        .kernel_raised = 0};
}

row row_of(const sigev_ledger& l, std::uint64_t arrived) {
    row r;
    r.method = method::kevent;
    r.source = source::aio;
    r.ledger = l;
    r.arrived = arrived;
    return r;
}

std::vector<std::string> faults_of(const row& r) {
    return faults(std::array{r}, r.ledger);
}

} // namespace

BOOST_AUTO_TEST_SUITE(row_)

BOOST_AUTO_TEST_CASE(what_adds_up_and_has_arrived_is_right) {
    const auto right = row_of(ledger(10, 7, 2, 0, 1), 9);
    BOOST_TEST(settled(right));
    BOOST_TEST(faults_of(right).empty());
}

BOOST_AUTO_TEST_CASE(a_lost_notification_is_said) {
    const auto wrong = row_of(ledger(10, 7, 2), 9);
    BOOST_TEST(!settled(wrong));
    const auto found = faults_of(wrong);
    BOOST_REQUIRE(found.size() == 2u); // in the row, and in the sum
    BOOST_TEST(found[0] == "kevent aio: 10 raised, but 7 delivered + 2 merged + 0 pending + 0 discarded");
}

BOOST_AUTO_TEST_CASE(what_is_still_on_the_way_is_said) {
    const auto wrong = row_of(ledger(3, 2, 0, 1), 2);
    BOOST_TEST(!settled(wrong));
    const auto found = faults_of(wrong);
    BOOST_REQUIRE(found.size() == 1u);
    BOOST_TEST(found[0] == "kevent aio: 1 still pending at the end");
}

BOOST_AUTO_TEST_CASE(a_target_that_was_told_less_or_more_is_said) {
    for (const std::uint64_t arrived : {8u, 10u}) {
        const auto wrong = row_of(ledger(9, 7, 2), arrived);
        BOOST_TEST(!settled(wrong));
        BOOST_TEST(faults_of(wrong).size() == 1u);
    }
}

BOOST_AUTO_TEST_CASE(the_process_has_nothing_beside_the_rows) {
    const std::array rows{row_of(ledger(2, 2, 0), 2), row_of(ledger(3, 2, 1), 3)};
    BOOST_TEST(sum(rows).raised == 5u);
    BOOST_TEST(faults(rows, ledger(5, 4, 1)).empty());
    const auto found = faults(rows, ledger(6, 5, 1));
    BOOST_REQUIRE(found.size() == 1u);
    BOOST_TEST(found[0] == "the whole process: 6 raised, but 5 in the rows");
}

BOOST_AUTO_TEST_CASE(json_has_an_object_for_each_row) {
    auto filled = row_of(ledger(10, 7, 2, 0, 1), 9);
    filled.latency.counts[buckets::of(1'000'000)] = 1;
    const auto parsed = boost::json::parse(json(std::array{filled, row_of(ledger(0, 0, 0), 0)})).as_array();
    BOOST_REQUIRE(parsed.size() == 2u);
    const auto& object = parsed[0].as_object();
    BOOST_TEST(object.size() == 9u);
    BOOST_TEST(object.at("method").as_string() == "kevent");
    BOOST_TEST(object.at("source").as_string() == "aio");
    BOOST_TEST(object.at("raised").to_number<int>() == 10);
    BOOST_TEST(object.at("discarded").to_number<int>() == 1);
    BOOST_TEST(object.at("p50_ns").to_number<double>() == 1e6, boost::test_tools::tolerance(1. / 16));
    BOOST_TEST(boost::json::parse(json({})).as_array().empty());
}

BOOST_AUTO_TEST_SUITE_END()

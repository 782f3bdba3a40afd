// What `sigev run --stats` says, from numbers that are made up.
#include "tool/report.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>

using namespace sigev::tool;

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}

source_account account(std::uint64_t raised, std::uint64_t delivered) {
    source_account a;
    a.source = "timer";
    a.method = "thread";
    a.created = 1;
    a.raised = raised;
    a.delivered = delivered;
    return a;
}

program_image image(std::vector<source_account> accounts) {
    program_image i;
    i.pid = 12;
    i.name = "clock";
    i.how = ending::exit;
    i.accounts = std::move(accounts);
    return i;
}

} // namespace

BOOST_AUTO_TEST_SUITE(report)

BOOST_AUTO_TEST_CASE(columns_of_zeros_are_left_out) {
    BOOST_TEST(
        text({{image({account(5, 5)})}, {}}) == "sigev: clock, process 12: exit status 0\n"
                                                "  source method created raised delivered\n"
                                                "  timer  thread       1      5         5\n");
    BOOST_TEST(has(text({{image({account(5, 3)})}, {}}), "  source method created raised delivered pending\n"));
    BOOST_TEST(text({{image({})}, {}}) == "sigev: clock, process 12: exit status 0\n");
}

BOOST_AUTO_TEST_CASE(shapes_stand_below_their_limits) {
    auto a = account(2, 2);
    a.late.counts[buckets::of(1'100)] = 1;
    a.late.counts[buckets::of(40'000'000)] = 1;
    a.took.counts[buckets::of(100'000)] = 9;
    const auto said = text({{image({a})}, {}});
    BOOST_TEST(has(said, " time    p50    p99 1µs         67ms\n"), said);
    BOOST_TEST(has(said, " late  1.1µs   40ms ▇              ▇\n"), said);
    BOOST_TEST(has(said, "\n" + std::string(41, ' ') + "took  102µs  102µs       ▇\n"), said);
}

BOOST_AUTO_TEST_CASE(each_end_has_its_words) {
    auto i = image({});
    const auto says = [&](ending how, int status) {
        i.how = how;
        i.status = status;
        return text({{i}, {}});
    };
    i.executed = "other";
    BOOST_TEST(has(says(ending::exit, 7), ": exit status 7\n"));
    BOOST_TEST(has(says(ending::signal, SIGTERM), ": killed by SIGTERM\n"));
    BOOST_TEST(has(says(ending::signal, SIGRTMIN), ": killed by signal "));
    BOOST_TEST(has(says(ending::exec, 0), ": executed other\n"));
    BOOST_TEST(has(says(ending::running, 0), ": still runs\n"));
    BOOST_TEST(has(says(ending::unknown, 0), ": ended, by _exit() or a signal\n"));
    i.forked = true;
    i.parent = 11;
    BOOST_TEST(has(says(ending::exit, 0), "process 12 (forked by 11): exit"));
}

BOOST_AUTO_TEST_CASE(nothing_and_not_all_are_said) {
    BOOST_TEST(has(text({}), "no process has come to the library"));
    const statistics some{{image({})}, {"2000 programs, and room for 1024"}};
    BOOST_TEST(has(text(some), "not all of it: 2000 programs, and room for 1024\n"));
    BOOST_TEST(boost::json::parse(json(some)).at("missing").as_array().size() == 1u);
}

BOOST_AUTO_TEST_CASE(json_has_all_numbers) {
    auto a = account(9, 4);
    a.merged = 2;
    a.discarded = 1;
    a.kernel_raised = 6;
    a.late.counts[buckets::of(1'000)] = 4;
    const auto parsed = boost::json::parse(json({{image({a}), image({})}, {}}));
    const auto& images = parsed.at("images").as_array();
    BOOST_TEST(images.size() == 2u);
    const auto& said = images[0].at("accounts").as_array().at(0);
    BOOST_TEST(said.at("pending").as_int64() == 2);
    BOOST_TEST(said.at("kernel_raised").to_number<int>() == 6);
    BOOST_TEST(said.at("late").at("count").to_number<int>() == 4);
    BOOST_TEST(said.at("took").at("count").to_number<int>() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

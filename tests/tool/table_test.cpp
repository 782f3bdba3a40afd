// The table fits its width, says what matters longest, and draws shapes that can be read.
#include "tool/table.hpp"

#include "support/support.hpp"

#include <algorithm>

using namespace sigev::tool;

namespace {

std::vector<row> some_rows() {
    std::vector<row> rows;
    for (const auto m : all_methods) {
        row r;
        r.method = m;
        r.ledger = {.raised = 1234, .delivered = 1200, .merged = 30, .pending = 4, .discarded = 0, .kernel_timers = 0, .kernel_raised = 0};
        r.latency.counts[buckets::of(50'000)] = 9;
        r.latency.counts[buckets::of(2'000'000)] = 1;
        rows.push_back(r);
    }
    return rows;
}

std::size_t widest(const std::vector<std::string>& lines) {
    std::size_t width = 0;
    for (const auto& line : lines)
        width = std::max(width, display_width(line));
    return width;
}

bool has(const std::string& text, const char* part) {
    return text.find(part) != text.npos;
}

distribution shape_of(std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> samples) {
    distribution d;
    for (const auto& [value, count] : samples)
        d.counts[buckets::of(value)] += count;
    return d;
}

} // namespace

BOOST_AUTO_TEST_SUITE(table_)

BOOST_AUTO_TEST_CASE(eighty_columns_hold_everything) {
    const auto lines = table(some_rows(), {.columns = 80, .colour = false});
    BOOST_REQUIRE(lines.size() == 7u);
    for (const char* title :
         {"method", "source", "raised", "delivered", "merged", "pending", "discarded", "p50", "p99", "67ms"})
        BOOST_TEST(has(lines[0], title), title << " is missing");
    BOOST_TEST(has(lines[5], "thread_id timer    1234      1200     30       4         0"), lines[5]);
    BOOST_TEST(has(lines[5], "█") == false); // nothing stands as high as a full block among several
    BOOST_TEST(has(lines[5], "▇"), lines[5]);
}

BOOST_AUTO_TEST_CASE(no_line_is_wider_than_the_terminal) {
    for (std::size_t columns = 1; columns != 200; ++columns)
        for (const bool colour : {false, true})
            BOOST_TEST(widest(table(some_rows(), {.columns = columns, .colour = colour})) <= columns);
}

BOOST_AUTO_TEST_CASE(a_narrow_table_keeps_the_ledger_longest) {
    const auto heading = [](std::size_t columns) {
        return table(some_rows(), {.columns = columns, .colour = false})[0];
    };
    BOOST_TEST(heading(72) == "method    source raised delivered merged pending discarded  p50   p99");
    BOOST_TEST(heading(60) == "method    source raised delivered merged pending discarded");
    BOOST_TEST(heading(45) == "method    source raised delivered pending");
    BOOST_TEST(heading(120).ends_with("1µs         67ms"));
}

BOOST_AUTO_TEST_CASE(colour_changes_no_column) {
    const auto plain = table(some_rows(), {.columns = 80, .colour = false});
    const auto coloured = table(some_rows(), {.columns = 80, .colour = true});
    BOOST_TEST(!has(plain[1], "\033"));
    BOOST_TEST(has(coloured[1], "\033[33m4\033[0m"), "what is pending is not yellow");
    BOOST_TEST(display_width(coloured[0]) == display_width(plain[0]));
}

BOOST_AUTO_TEST_CASE(an_empty_row_is_drawn) {
    const auto lines = table(std::array{row{}}, {.columns = 80, .colour = false});
    BOOST_TEST(lines[1] == "none   timer       0         0      0       0         0   -   -");
}

BOOST_AUTO_TEST_CASE(shapes_follow_the_samples) {
    BOOST_TEST(sparkline({}, 8) == "        ");
    BOOST_TEST(sparkline(shape_of({{1, 1}}), 8) == "▇       ");              // below the scale
    BOOST_TEST(sparkline(shape_of({{10'000'000'000, 1}}), 8) == "       ▇"); // above it
    BOOST_TEST(
        sparkline(shape_of({{1 << 12, 1'000'000}, {1 << 14, 1}, {1 << 16, 500'000}}), 8) == " ▇▁▄    ");
    BOOST_TEST(display_width(sparkline(shape_of({{1 << 20, 5}}), 16)) == 16u);
}

BOOST_AUTO_TEST_CASE(durations_have_two_or_three_digits) {
    BOOST_TEST(duration_text(0) == "0ns");
    BOOST_TEST(duration_text(999) == "999ns");
    BOOST_TEST(duration_text(1'000) == "1.0µs");
    BOOST_TEST(duration_text(9'949) == "9.9µs");
    BOOST_TEST(duration_text(9'951) == "10µs");
    BOOST_TEST(duration_text(999'499) == "999µs");
    BOOST_TEST(duration_text(999'500) == "1.0ms");
    BOOST_TEST(duration_text(67'000'000) == "67ms");
    BOOST_TEST(duration_text(2'500'000'000) == "2.5s");
}

BOOST_AUTO_TEST_CASE(sizes_have_one_decimal) {
    BOOST_TEST(size_text(0) == "0 B");
    BOOST_TEST(size_text(999) == "999 B");
    BOOST_TEST(size_text(1'000) == "1.0 kB");
    BOOST_TEST(size_text(999'960) == "1.0 MB");
    BOOST_TEST(size_text(1'300'000'000) == "1.3 GB");
}

BOOST_AUTO_TEST_CASE(clipping_counts_characters_and_keeps_sequences) {
    BOOST_TEST(clip("1µs▁▂", 4) == "1µs▁");
    BOOST_TEST(clip("\033[1mabc\033[0m", 2) == "\033[1mab\033[0m");
    BOOST_TEST(clip("abc", 0) == "");
    BOOST_TEST(display_width("\033[1m1µs▁\033[0m") == 4u);
}

BOOST_AUTO_TEST_SUITE_END()

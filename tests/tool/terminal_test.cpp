// `sigev demo` on a terminal: drawn in place, coloured where that is wanted, ended by the keyboard.
#include "process.hpp"

using namespace sigev_tests;

namespace {

constexpr const char* redraw = "\033[17A"; // title, heading, 12 rows, 2 notes and the time

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(terminal)

BOOST_AUTO_TEST_CASE(the_table_is_redrawn_in_place_and_the_cursor_comes_back) {
    tool_process demo({"demo", "--seconds", "1"}, tool_process::on::terminal);
    const auto end = demo.end();
    BOOST_TEST(end.status == 0);
    BOOST_TEST(end.err == "");
    BOOST_TEST(end.out.starts_with("\033[?25l"));
    BOOST_TEST(has(end.out, redraw), "never redrawn");
    BOOST_TEST(has(end.out, "▇"));
    BOOST_TEST(has(end.out, "\033[36m"), "no colour");
    const auto shown = end.out.find("\033[?25h");
    BOOST_REQUIRE(shown != std::string::npos);
    BOOST_TEST(end.out.find("ledgers add up: ", shown) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(ctrl_c_ends_it_with_its_summary) {
    tool_process demo({"demo", "--seconds", "3600"}, tool_process::on::terminal);
    BOOST_TEST(demo.says(redraw));
    demo.type("\003");
    const auto end = demo.end();
    BOOST_TEST(end.status == 0);
    BOOST_TEST(end.err == "");
    BOOST_TEST(has(end.out, "\033[?25h"));
    BOOST_TEST(has(end.out, "ledgers add up: "));
}

BOOST_AUTO_TEST_CASE(no_color_is_respected) {
    tool_process demo({"demo", "--seconds", "0.5"}, tool_process::on::terminal, {"NO_COLOR=1"});
    const auto end = demo.end();
    BOOST_TEST(end.status == 0);
    BOOST_TEST(has(end.out, redraw));
    BOOST_TEST(!has(end.out, "\033[36m"));
    BOOST_TEST(!has(end.out, "\033[1m"));
}

BOOST_AUTO_TEST_CASE(a_dumb_terminal_gets_plain_text) {
    tool_process demo({"demo", "--seconds", "0.5"}, tool_process::on::terminal, {"TERM=dumb"});
    const auto end = demo.end();
    BOOST_TEST(end.status == 0);
    BOOST_TEST(!has(end.out, "\033"));
}

BOOST_AUTO_TEST_CASE(json_on_a_terminal_is_still_json) {
    tool_process demo({"demo", "--seconds", "0.5", "--json"}, tool_process::on::terminal);
    const auto end = demo.end();
    BOOST_TEST(end.status == 0);
    BOOST_TEST(end.out.starts_with("["));
    BOOST_TEST(!has(end.out, "\033"));
}

BOOST_AUTO_TEST_SUITE_END()

#include "tool/screen.hpp"

#include "tool/system.hpp"
#include "tool/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <sys/ioctl.h>

namespace sigev::tool {

namespace {

constexpr const char* hide_cursor = "\033[?25l";
constexpr const char* show_cursor = "\033[?25h";
constexpr const char* clear_line = "\033[K";
constexpr const char* clear_below = "\033[J";
constexpr const char* clear_all = "\033[H\033[2J";

} // namespace

bool is_screen() noexcept {
    const char* terminal = std::getenv("TERM");
    return isatty(STDOUT_FILENO) && terminal && *terminal && terminal != std::string_view("dumb");
}

bool has_colour() noexcept {
    const char* refused = std::getenv("NO_COLOR");
    return is_screen() && !(refused && *refused);
}

screen_size size_of_screen() noexcept {
    winsize size{};
    screen_size known;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) { // 0 x 0 on a serial line
        if (size.ws_col != 0)
            known.columns = size.ws_col;
        if (size.ws_row != 0)
            known.lines = size.ws_row;
    }
    return known;
}

screen::screen() {
    write_all(STDOUT_FILENO, hide_cursor);
}

screen::~screen() {
    try {
        write_all(STDOUT_FILENO, show_cursor);
    } catch (const std::exception&) {
        // the terminal has gone, and its cursor with it
    }
}

void screen::draw(const std::vector<std::string>& lines) {
    const auto size = size_of_screen();
    std::string text;
    if (columns_ != 0 && columns_ != size.columns)
        text += clear_all; // the terminal has folded the old lines in its own way
    else if (drawn_ != 0)
        text += fmt::format("\033[{}A", drawn_);
    columns_ = size.columns;
    // One line stays for the cursor: writing into the last one would scroll, and the way up would be too
    // short.
    drawn_ = std::min(lines.size(), size.lines - 1);
    for (std::size_t i = 0; i != drawn_; ++i)
        text += fmt::format("\r{}{}\n", clip(lines[i], columns_), clear_line);
    text += clear_below;
    write_all(STDOUT_FILENO, text); // in one piece: it does not flicker
}

} // namespace sigev::tool

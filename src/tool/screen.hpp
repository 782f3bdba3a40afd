// Lines that are drawn again and again at the same place of a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sigev::tool {

/// Standard output is a terminal that can move its cursor.
bool is_screen() noexcept;

/// Colour is wanted there: https://no-color.org
bool has_colour() noexcept;

struct screen_size {
    std::size_t columns = 80;
    std::size_t lines = 24;
};

screen_size size_of_screen() noexcept;

class screen {
public:
    screen();
    /// The cursor is seen again, below the lines.
    ~screen();
    screen(const screen&) = delete;
    screen& operator=(const screen&) = delete;

    /// In place of what was drawn before. Lines that have no room are left out, the last ones first.
    void draw(const std::vector<std::string>&);

private:
    std::size_t drawn_ = 0;
    std::size_t columns_ = 0;
};

} // namespace sigev::tool

#include "tool/demo_view.hpp"

#include "tool/system.hpp"
#include "tool/table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sigev::tool {

demo_view::demo_view(bool json, std::string title, double seconds)
    : title_(std::move(title))
    , seconds_(seconds)
    , form_(
          json          ? form::json
          : is_screen() ? form::live
                        : form::plain) {
    if (form_ == form::live)
        screen_.emplace();
    else if (form_ == form::plain)
        write_all(STDOUT_FILENO, title_ + '\n');
}

std::vector<std::string> demo_view::whole(std::span<const row> rows) const {
    table_style style;
    style.colour = has_colour();
    if (form_ == form::live)
        style.columns = size_of_screen().columns;
    auto lines = table(rows, style);
    lines.insert(lines.begin(), title_);
    lines.emplace_back("p50, p99 and shape: from the instant that a timer was due, or that a read was");
    lines.emplace_back("asked for, until the target has the notification (none: until the demo looks).");
    return lines;
}

void demo_view::progress(std::span<const row> rows, double elapsed) {
    if (form_ == form::live) {
        auto lines = whole(rows);
        lines.push_back(
            fmt::format("{:.1f} s of {:g} s; Ctrl-C ends it", std::min(elapsed, seconds_), seconds_));
        screen_->draw(lines);
    } else if (form_ == form::plain && static_cast<long>(elapsed) > second_) {
        second_ = static_cast<long>(elapsed);
        const auto all = sum(rows);
        write_all(STDOUT_FILENO, fmt::format("{} s: {} raised = {}\n", second_, all.raised, parts(all)));
    }
}

void demo_view::end(std::span<const row> rows, const std::vector<std::string>& summary) {
    if (form_ == form::json) {
        write_all(STDOUT_FILENO, json(rows));
        return;
    }
    const auto lines = whole(rows);
    if (form_ == form::live) {
        screen_->draw(lines);
        screen_.reset();
    } else {
        write_all(STDOUT_FILENO, fmt::format("{}\n", fmt::join(lines.begin() + 1, lines.end(), "\n")));
    }
    write_all(STDOUT_FILENO, fmt::format("{}\n", fmt::join(summary, "\n")));
}

} // namespace sigev::tool

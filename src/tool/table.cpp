#include "tool/table.hpp"

#include <algorithm>
#include <array>

namespace sigev::tool {

namespace {

constexpr std::size_t gap = 1;
constexpr unsigned wide_shape = 16;
constexpr unsigned small_shape = 8;

constexpr const char* bold = "\033[1m";
constexpr const char* red = "\033[31m";
constexpr const char* yellow = "\033[33m";
constexpr const char* cyan = "\033[36m";
constexpr const char* plain = "\033[0m";

struct column {
    const char* title;
    bool left;
    unsigned rank; ///< the highest goes first where there is no room
    std::string (*text)(const row&);
    const char* (*colour)(const row&); ///< null: plain
};

std::string quantile_text(const row& r, double q) {
    const auto value = r.latency.quantile(q);
    return value == 0 ? "-" : duration_text(value);
}

constexpr const char* no_colour(const row&) {
    return nullptr;
}

const std::array<column, 9>& columns() {
    static const std::array<column, 9> all{{
        {"method", true, 0, [](const row& r) -> std::string { return name(r.method); }, no_colour},
        {"source", true, 0, [](const row& r) -> std::string { return name(r.source); }, no_colour},
        {"raised", false, 0, [](const row& r) { return std::to_string(r.ledger.raised); }, no_colour},
        {"delivered", false, 1, [](const row& r) { return std::to_string(r.ledger.delivered); }, no_colour},
        {"merged", false, 3, [](const row& r) { return std::to_string(r.ledger.merged); }, no_colour},
        {"pending", false, 2, [](const row& r) { return std::to_string(r.ledger.pending); },
         [](const row& r) { return r.ledger.pending != 0 ? yellow : nullptr; }},
        {"discarded", false, 4, [](const row& r) { return std::to_string(r.ledger.discarded); },
         [](const row& r) { return r.ledger.discarded != 0 ? red : nullptr; }},
        {"p50", false, 5, [](const row& r) { return quantile_text(r, 0.50); }, no_colour},
        {"p99", false, 6, [](const row& r) { return quantile_text(r, 0.99); }, no_colour},
    }};
    return all;
}

struct placed {
    const column* is;
    std::size_t width;
};

std::size_t total_width(const std::vector<placed>& layout) {
    std::size_t width = 0;
    for (const auto& p : layout)
        width += p.width + (width != 0 ? gap : 0);
    return width;
}

std::vector<placed> lay_out(std::span<const row> rows, std::size_t room) {
    std::vector<placed> layout;
    for (const column& c : columns()) {
        std::size_t width = display_width(c.title);
        for (const row& r : rows)
            width = std::max(width, display_width(c.text(r)));
        layout.push_back({&c, width});
    }
    while (layout.size() > 1 && total_width(layout) > room) {
        const auto least =
            std::max_element(layout.begin(), layout.end(), [](const placed& a, const placed& b) {
                return a.is->rank < b.is->rank;
            });
        layout.erase(least);
    }
    return layout;
}

/// How many cells the shapes get beside the columns; 0: they are left out.
unsigned shape_cells(const std::vector<placed>& layout, std::size_t room) {
    const auto used = total_width(layout) + gap;
    for (const unsigned cells : {wide_shape, small_shape})
        if (layout.size() == columns().size() && used + cells <= room)
            return cells;
    return 0;
}

std::string cell(const std::string& text, std::size_t width, bool left, const char* colour) {
    const std::string padding(width - std::min(width, display_width(text)), ' ');
    const std::string seen = colour ? colour + text + plain : text;
    return left ? seen + padding : padding + seen;
}

std::string heading(const std::vector<placed>& layout, unsigned cells, bool colour) {
    std::string line;
    for (const auto& [c, width] : layout)
        line += cell(c->title, width, c->left, nullptr) + ' ';
    if (cells != 0)
        line += "1µs" + std::string(cells - display_width("1µs67ms"), ' ') + "67ms";
    else
        line.pop_back();
    return colour ? bold + line + plain : line;
}

} // namespace

std::vector<std::string> table(std::span<const row> rows, const table_style& style) {
    const auto layout = lay_out(rows, style.columns);
    const auto cells = shape_cells(layout, style.columns);
    std::vector<std::string> lines{clip(heading(layout, cells, style.colour), style.columns)};
    for (const row& r : rows) {
        std::string line;
        for (const auto& [c, width] : layout)
            line += cell(c->text(r), width, c->left, style.colour ? c->colour(r) : nullptr) + ' ';
        line.pop_back();
        if (cells != 0)
            line += ' ' + cell(sparkline(r.latency, cells), cells, true, style.colour ? cyan : nullptr);
        line.erase(line.find_last_not_of(' ') + 1);
        lines.push_back(clip(line, style.columns));
    }
    return lines;
}

} // namespace sigev::tool

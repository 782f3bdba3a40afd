// The demo's table as lines of text. Pure: where they go, and how often, is the screen's business.
#pragma once

#include "tool/row.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sigev::tool {

struct table_style {
    std::size_t columns = 80; ///< no line is wider
    bool colour = false;      ///< escape sequences may stand in the lines; they take no column
};

/// A heading and a line for each row. A narrow table leaves out what matters least: the ledger stays longest.
std::vector<std::string> table(std::span<const row>, const table_style&);

/// The shape of a distribution in block characters, from 1 µs to 67 ms in equal steps of the logarithm; what
/// lies outside is counted in the first and the last cell. `cells` divides 16.
std::string sparkline(const distribution&, unsigned cells);

/// Two digits at least, three at most: 870ns, 1.2µs, 45µs, 3.1ms.
std::string duration_text(std::uint64_t nanoseconds);

/// 12 B, 45.1 kB, 1.3 MB
std::string size_text(std::uint64_t bytes);

/// The columns that a text takes: characters, not bytes; escape sequences take none.
std::size_t display_width(std::string_view) noexcept;

/// The text cut to so many columns, escape sequences kept whole.
std::string clip(std::string_view, std::size_t columns);

} // namespace sigev::tool

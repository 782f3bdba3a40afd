// How results are shown: a table for people, JSON for programs. Pure.
#pragma once

#include "support/goal.hpp"
#include "support/results.hpp"

#include <span>
#include <string>

namespace sigev_bench {

/// Where and when the figures were taken.
struct circumstances {
    std::string program;
    std::string date;   ///< UTC, ISO 8601
    std::string machine; ///< processor and kernel, in a line
    unsigned processors = 0;
};

/// One line a series: measure, contestant, median, quartiles, unit; what failed says why.
std::string table(const results&);

/// Every single repetition, and the goals.
std::string json(const circumstances&, const results&, std::span<const goal>);

/// Reads what json() has written. Throws std::exception.
struct document {
    circumstances where;
    results measured;
};
document read_json(const std::string& text);

} // namespace sigev_bench

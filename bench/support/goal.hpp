// A goal: a ratio of two medians of one run and its bound, and the line that says how it stands. Pure.
#pragma once

#include "support/results.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sigev_bench {

enum class bound { at_most, at_least };

/// One side of a ratio.
struct side {
    const char* measure;
    const char* contestant;
};

struct goal {
    const char* id;
    side over;
    std::optional<side> under; ///< none: the value is that of `over` itself
    bound kind;
    double limit;
};

/// Nothing when one side of it was not measured.
std::optional<double> value_of(const goal&, const results&);

/// A goal whose value is missing is missed.
bool is_met(const goal&, std::optional<double> value) noexcept;

/// "<=1.10", ">=100"
std::string bound_text(const goal&);

/// "GOAL wakeup.first 1.04 <=1.10 met"; without a value "GOAL wakeup.first - <=1.10 missed"
std::string goal_line(const goal&, std::optional<double> value);

} // namespace sigev_bench

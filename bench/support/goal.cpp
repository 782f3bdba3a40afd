#include "support/goal.hpp"

#include "support/statistics.hpp"

#include <fmt/format.h>

namespace sigev_bench {

namespace {

// Enough digits to tell on which side of its bound a value lies, and no more.
std::string value_text(double value)
{
    if (value >= 10)
        return fmt::format("{:.1f}", value);
    return fmt::format("{:.{}f}", value, value >= 0.1 ? 3 : 5);
}

} // namespace

std::optional<double> results::median_of(std::string_view measure, std::string_view contestant) const
{
    const series* s = find(measure, contestant);
    if (!s || s->values.empty())
        return std::nullopt;
    return median(s->values);
}

std::optional<double> value_of(const goal& g, const results& r)
{
    const auto over = r.median_of(g.over.measure, g.over.contestant);
    if (!g.under || !over)
        return over;
    const auto under = r.median_of(g.under->measure, g.under->contestant);
    if (!under || *under == 0)
        return std::nullopt;
    return *over / *under;
}

bool is_met(const goal& g, std::optional<double> value) noexcept
{
    if (!value)
        return false;
    return g.kind == bound::at_most ? *value <= g.limit : *value >= g.limit;
}

std::string bound_text(const goal& g)
{
    // As goals are written: 0.01, 1.10, 4, 100.
    const bool whole = g.limit == static_cast<double>(static_cast<long>(g.limit));
    return fmt::format("{}{:.{}f}", g.kind == bound::at_most ? "<=" : ">=", g.limit, whole ? 0 : 2);
}

std::string goal_line(const goal& g, std::optional<double> value)
{
    return fmt::format(
        "GOAL {} {} {} {}", g.id, value ? value_text(*value) : "-", bound_text(g), is_met(g, value) ? "met" : "missed");
}

} // namespace sigev_bench

// What is made of repetitions. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace sigev_bench {

/// The value below which the part q (0 .. 1) of them lies, between two neighbours by proportion. Of at least one value.
inline double quantile(std::vector<double> values, double q)
{
    std::sort(values.begin(), values.end());
    const double place = q * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

inline double median(const std::vector<double>& values)
{
    return quantile(values, 0.5);
}

/// The mean of the middle half: as sturdy against what was disturbed as the median is, and finer than the clock, whose steps
/// are 10 ns on some machines.
inline double middle(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    const auto quarter = static_cast<std::ptrdiff_t>(values.size() / 4);
    const auto begin = values.begin() + quarter;
    const auto end = values.end() - quarter;
    return std::accumulate(begin, end, 0.0) / static_cast<double>(end - begin);
}

} // namespace sigev_bench

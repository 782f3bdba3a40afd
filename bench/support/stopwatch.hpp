// Time. Everything that is measured is measured with this clock, and in blocks of which the median counts: what else runs on
// the machine takes a core away for milliseconds now and then, and that is not what a post costs.
#pragma once

#include "support/statistics.hpp"

#include <chrono>
#include <cstddef>
#include <vector>

namespace sigev_bench {

using clock = std::chrono::steady_clock;

inline double nanoseconds_between(clock::time_point from, clock::time_point to)
{
    return std::chrono::duration<double, std::nano>(to - from).count();
}

/// What one call of f takes, in nanoseconds.
template <class Function>
double each(Function&& f)
{
    constexpr unsigned block = 1000;
    constexpr unsigned least_blocks = 20;
    constexpr auto long_enough = std::chrono::milliseconds(10);
    std::vector<double> blocks;
    const auto start = clock::now();
    for (auto before = start; before - start < long_enough || blocks.size() < least_blocks;) {
        for (unsigned i = 0; i != block; ++i)
            f();
        const auto now = clock::now();
        blocks.push_back(nanoseconds_between(before, now) / block);
        before = now;
    }
    return median(blocks);
}

/// What one of those things takes of which it is told that they have happened, in nanoseconds.
class lap_timer {
public:
    static constexpr unsigned block = 50;

    void start(std::size_t expected)
    {
        laps_.reserve(expected / block + 1);
        start_ = before_ = clock::now();
    }

    /// As of the last block.
    clock::duration elapsed() const { return before_ - start_; }

    void happened()
    {
        if (++count_ % block != 0)
            return;
        const auto now = clock::now();
        laps_.push_back(nanoseconds_between(before_, now) / block);
        before_ = now;
    }

    double each() const { return median(laps_); }

private:
    std::vector<double> laps_;
    clock::time_point start_;
    clock::time_point before_;
    unsigned count_ = 0;
};

} // namespace sigev_bench

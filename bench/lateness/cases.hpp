// The measurements of bench_lateness, each written once for every contestant: how long after a timer was due its function is
// called. One timer, due half a millisecond to one and a half from when it is armed; all on one core, the last of the machine.
//
// A contestant supplies a Timer:
//
//     Timer()
//     void wait_until(std::uint64_t due)     one expiry at that time of CLOCK_MONOTONIC; returns when arrived() was called
//
// and calls arrived() where a program that is told that way would have its code.
#pragma once

#include "support/nanoseconds.hpp"
#include "support/pin.hpp"
#include "support/statistics.hpp"
#include "support/unless.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace sigev_bench {

inline std::atomic<std::uint64_t> arrival{0};

inline void arrived()
{
    arrival.store(nanoseconds(CLOCK_MONOTONIC), std::memory_order_release);
}

template <class Timer>
std::vector<double> latenesses(std::uint64_t n)
{
    static std::unique_ptr<Timer> timer;
    if (!timer) {
        pin_to(last_processor());
        timer = std::make_unique<Timer>();
    }
    std::vector<double> all;
    std::uint64_t dice = 42;
    for (std::uint64_t i = 0; i != n; ++i) {
        dice = dice * 6364136223846793005u + 1442695040888963407u;
        arrival.store(0, std::memory_order_relaxed);
        const std::uint64_t due = nanoseconds(CLOCK_MONOTONIC) + millisecond / 2 + (dice >> 33) % millisecond;
        timer->wait_until(due);
        const std::uint64_t at = arrival.load(std::memory_order_acquire);
        unless(at != 0, "an expiry has got lost");
        unless(at >= due, "a timer has expired early");
        all.push_back(static_cast<double>(at - due) / 1000);
    }
    return all;
}

template <class Timer>
double p50(std::uint64_t n)
{
    return median(latenesses<Timer>(n));
}

template <class Timer>
double p99(std::uint64_t n)
{
    return quantile(latenesses<Timer>(n), 0.99);
}

} // namespace sigev_bench

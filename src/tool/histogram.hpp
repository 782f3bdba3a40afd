// Latencies, counted where they happen: any thread, also several at once, adds a sample without waiting for
// anybody.
//
// The buckets (sys/log_buckets.hpp) take a fixed 4 KiB: a demo that runs all night needs no more than one that
// runs a second.
#pragma once

#include "sys/log_buckets.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>

namespace sigev::tool {

namespace buckets = sys::log_buckets;

/// What a histogram held at one moment.
struct distribution {
    std::array<std::uint64_t, buckets::count> counts{};

    std::uint64_t total() const noexcept {
        return std::accumulate(counts.begin(), counts.end(), std::uint64_t(0));
    }

    /// The value that the fraction `q` of all samples does not exceed (nearest rank, middle of its bucket); 0
    /// without a sample.
    std::uint64_t quantile(double q) const noexcept {
        const auto all = total();
        if (all == 0)
            return 0;
        const auto wanted = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(all)));
        const auto rank = std::clamp(wanted, std::uint64_t(1), all);
        std::uint64_t seen = 0;
        std::size_t bucket = 0;
        while ((seen += counts[bucket]) < rank)
            ++bucket;
        return buckets::lowest(bucket) + buckets::width(bucket) / 2;
    }

    /// The number of samples in [2^first, 2^last). Both exponents are at least `cut_bits`, where buckets and
    /// powers of two begin to fall together.
    std::uint64_t between(unsigned first, unsigned last) const noexcept {
        const auto at = [this](unsigned exponent) {
            return counts.begin() +
                   static_cast<std::ptrdiff_t>((exponent - buckets::cut_bits + 1) * buckets::cuts);
        };
        return std::accumulate(at(first), at(last), std::uint64_t(0));
    }
};

class histogram {
public:
    /// A clock that seems to run backwards gives a sample of 0, not one of 584 years.
    void add(std::int64_t nanoseconds) noexcept {
        const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0));
        counts_[buckets::of(value)].fetch_add(1, std::memory_order_relaxed);
    }

    distribution take() const noexcept {
        distribution now;
        std::transform(counts_.begin(), counts_.end(), now.counts.begin(), [](const auto& count) {
            return count.load(std::memory_order_relaxed);
        });
        return now;
    }

private:
    std::array<std::atomic<std::uint64_t>, buckets::count> counts_{};
};

} // namespace sigev::tool

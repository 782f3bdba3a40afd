// What a run has measured: a series of repetitions for each thing measured and each contestant. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sigev_bench {

struct series {
    std::string measure;    ///< what is measured: "roundtrip"
    std::string contestant; ///< on whom: "ivykis"
    std::string unit;
    std::vector<double> values; ///< one a repetition, in the order in which they were taken; empty: absent or failed
    std::string failure;        ///< why it is absent or has failed
};

struct results {
    std::vector<series> all;

    const series* find(std::string_view measure, std::string_view contestant) const noexcept
    {
        for (const series& s : all)
            if (s.measure == measure && s.contestant == contestant)
                return &s;
        return nullptr;
    }

    /// Nothing when there is none: a peer that is absent, a measurement that failed.
    std::optional<double> median_of(std::string_view measure, std::string_view contestant) const;
};

} // namespace sigev_bench

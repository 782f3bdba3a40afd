// What is done many times over, so that chance may bring something about.
#pragma once

#include "support/support.hpp"

namespace sigev_tests {

/// On a slow machine as often as there is time for, but not less than a tenth as often:
/// for (many rounds(2000); rounds.go_on();) ...
class many {
public:
    explicit many(int times, milliseconds limit = patience / 2)
        : times_(times), end_(std::chrono::steady_clock::now() + limit)
    {
    }

    bool go_on()
    {
        ++done_;
        return done_ < times_ && (done_ < times_ / 10 || std::chrono::steady_clock::now() < end_);
    }
    int number() const { return done_; } ///< of this round, from 0

private:
    const int times_;
    const std::chrono::steady_clock::time_point end_;
    int done_ = -1;
};

} // namespace sigev_tests

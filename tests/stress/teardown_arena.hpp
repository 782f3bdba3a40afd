// Tear-down under attack: eight threads open, arm, fire, cancel, wait for and free what they share, subscriptions and timers of
// every method, while callbacks do the same to each other, end their threads, and wait for each other's subscriptions.
//
// What each callback uses is freed as soon as the library has said that none runs any more. A callback that comes later finds
// it marked (it is kept for a while; under AddressSanitizer it is gone at once).
//
// The sums, when a round is over and everything has been closed and shut down. Over all subscriptions:
//     submits that were accepted = raised = delivered + merged + discarded
//     delivered, method by method = calls that began = signals taken = events retrieved
//     expirations told to callbacks and events = delivered + merged of timers
// and for a subscription that one thread kept to itself its calls right after sigev_cancel_and_wait(), and its whole account as
// soon as a drain that was under way is over.
#pragma once

#include "capi/fixture.hpp"

#include <cstdint>
#include <string>

namespace sigev_tests {

struct teardown_result {
    std::uint64_t rounds = 0, opened = 0, freed = 0, submits = 0, refused = 0, settimes = 0, stale = 0;
    std::uint64_t calls = 0, signals = 0, events = 0, waits_inside = 0, exits = 0, alone = 0;
    std::uint64_t late = 0;  ///< callbacks that found freed what they use
    std::uint64_t wrong = 0; ///< answers that no call may give
    std::string broken;      ///< the first sum that does not hold
};

std::string to_string(const teardown_result& r);

struct teardown_options {
    place::kind where = place::runtime;
    bool leave_to_shutdown = false; ///< a round ends with everything open: reactor and library are ended over it
};

/// Everything has happened that may.
bool was_busy(const teardown_result& r);

/// Runs rounds for as long as a stress may take, on a busy machine longer; ends at the first that does not add up.
teardown_result run_teardown_arena(const teardown_options& options);

} // namespace sigev_tests

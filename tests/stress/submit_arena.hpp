// The road from submit to delivery under attack: four threads and the handlers of signals that strike them submit to two
// subscriptions, others deliver, one of the two is cancelled in the middle, and a timer wants the drain as well.
//
// The sums, after each round, when everybody is quiet: of each subscription
//   raised = accepted by submit(), delivered = calls of its callback, raised = delivered + merged + discarded, pending 0,
// discarded only after a cancel, merged only when more came than it has room for. What is pending for long after the last
// producer has gone quiet is lost: nobody is left who would wake the drain once more. Each producer counts what it submits,
// a handler apart from what it has interrupted: whoever delivers must meet the numbers of each in their order, never be two
// where one drain is at work, and never be inside when a cancel that waits has returned. A child that has forked has no part
// in any of it: its submits are refused. What it may do is post; see bell.hpp for the sum of that.
#pragma once

#include <cstdint>
#include <string>

namespace sigev_tests {

enum class delivered_on {
    runtime,  ///< by workers: one call at a time of a subscription
    context,  ///< by four threads that run one io_context: one drain at a time, so one call at a time of all
    producers ///< by whoever has submitted, and finds the drain free; nobody else wakes it
};

struct submit_options {
    delivered_on where = delivered_on::runtime;
    std::uint32_t capacity = 64;
    bool cancel = false; ///< now and then one of the two
    bool storm = false;  ///< signals strike producers and those who deliver, and their handler submits
    bool child = false;  ///< on a context: everybody rings a bell there as well, a forked child too, which also submits
    bool handlers_wait = false; ///< on the runtime: each until what it has submitted has been delivered
};

struct submit_result {
    std::uint64_t rounds = 0, accepted = 0, from_handlers = 0, calls = 0, merged = 0, discarded = 0, cancels = 0, ticks = 0;
    std::uint64_t lost_rounds = 0;    ///< after which something stayed pending
    std::uint64_t unbalanced = 0;     ///< ledgers that are not exact
    std::uint64_t twice_at_once = 0, overtaken = 0, after_the_end = 0; ///< calls
    std::uint64_t hidden = 0; ///< submits of handlers that waited in vain: behind the submit that they have interrupted
    std::uint64_t rung = 0, rung_by_the_child = 0;
    std::uint64_t from_another_process = 0; ///< submits of the child's that were not refused

    bool good() const
    {
        return lost_rounds + unbalanced + twice_at_once + overtaken + after_the_end + hidden + from_another_process == 0;
    }
};

std::string to_string(const submit_result& r);

/// Runs rounds for as long as a stress may take; ends at the first that goes wrong.
submit_result run_submit_arena(const submit_options& options);

} // namespace sigev_tests

// Timers under attack: setters, a storm of signals whose handler sets timers as well, a reactor that sleeps in
// poll(), and books that must balance.
//
// The books, per generation of a timer. A one-shot arming ends in exactly one of four ways, so
//   armed = fired + returned as an old value + left (armed when it was deleted),
// and the deadlines that fired and came back must add up to those that were armed. Armings that are far off never fire; they
// are what a setter must not take for a reason to be silent. A periodic arming is only ever returned or left, and the
// deadline that comes back has moved on by as many intervals as were reported, missed ones included: the sums over all
// armings must say so, of short intervals and of such as have no room in the slot's word. Left is what destroy() returns.
//
// A round ends when everybody is quiet. Then each timer's books must come to balance, with nobody touching
// the timer (gettime() would heal it). What has not fired when the reactor sleeps, neither woken nor with an alarm that
// is near, is lost, for it never would; how long a slow machine takes until then does not matter.
//
// What is lost needs two to meet within a few instructions, so whoever can be held up there is, now and then: the reactor
// while it raises, a setter while it wakes the reactor, and both wherever a signal strikes.
#pragma once

#include "spi/timer_engine.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace sigev_tests {

struct arena_options {
    unsigned timers = 4;
    bool wall = false;      ///< half of the deadlines on the other base
    bool periodic = false;  ///< every fourth timer is sometimes periodic, with a short interval or a wide one
    bool recreate = false;  ///< setters delete and create, and use handles of deleted timers
    bool quantised = false; ///< deadlines are multiples of 16 us, so that equal ones are frequent
    bool storm = false;     ///< signals hit setters and reactor
    bool wishes = false;    ///< two of three timers have slack, or are precise
    clockid_t steady = CLOCK_MONOTONIC;
};

struct arena_result {
    std::uint64_t rounds = 0, armed = 0, fired = 0, expirations = 0, created = 0, signals = 0;
    std::uint64_t lost_rounds = 0; ///< rounds after which a timer that was armed never fired
    std::uint64_t unbalanced = 0;  ///< generations whose books do not balance
    std::uint64_t strangers = 0;   ///< expiries and retirements of a generation that does not have the slot
    std::uint64_t unretired = 0;   ///< deleted, and never reported retired, or twice

    bool good() const { return lost_rounds == 0 && unbalanced == 0 && strangers == 0 && unretired == 0; }
};

std::string to_string(const arena_result& r);

/// Runs rounds for as long as a stress may take; ends at the tenth thing that goes wrong.
arena_result run_arena(const arena_options& options);

} // namespace sigev_tests

// The measurements of bench_timers, each written once for every contestant.
//
// A contestant supplies Timers:
//
//     Timers(std::size_t n, void (*expired)())      n timers, none armed; each expiry calls the function, which counts it
//     std::size_t size() const                      how many there are: fewer than n where the system permits no more
//     void begin()                                  arming begins: what the loop keeps of the time is fresh
//     void arm(std::size_t i, std::uint64_t ns)     timer i, armed or not, is due so long from now
//     void end()                                    what arming has left to the loop is done; nothing sleeps
//     std::uint64_t left(std::size_t i)             nanoseconds until it is due, as the contestant itself says
//     void run(const std::atomic<bool>& done)       the loop, until a timer has set `done`
//     static constexpr bool slow                    it is armed less often, or a repetition takes too long
//     static constexpr bool defers                  arming leaves something to the loop, which end() does
//     static constexpr bool keeps_time              "from now" is from begin(): the loop keeps the time
//     static constexpr bool holds_what_is_scarce    they are not kept until the next repetition: others need what they hold
//
// and, to be measured in creating, `void recreate(std::size_t i)`: timer i is deleted and made anew, unarmed;
// `void make_and_delete()`: one more, unarmed.
//
// What is counted is processor time, of all threads of the contestant: so a reactor of its own that works behind the arming
// thread's back is counted, and what else runs on the machine is not.
#pragma once

#include "support/nanoseconds.hpp"
#include "support/pin.hpp"
#include "support/statistics.hpp"
#include "support/unless.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sigev_bench {

/// Which timer, and how far ahead: the same row for all contestants, and once more when it is verified.
class dice {
public:
    explicit dice(std::uint64_t seed = 42) : state_(seed) {}
    std::size_t below(std::size_t n) { return static_cast<std::size_t>((next() >> 32) * n >> 32); }
    /// One hour to two: half of what is armed anew is due earlier than before.
    std::uint64_t ahead() { return 3600 * second + (next() >> 32) * 838; }

private:
    std::uint64_t next()
    {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return state_;
    }
    std::uint64_t state_;
};

// ---- the timers ---------------------------------------------------------------------------------------------------------

inline std::atomic<std::uint64_t> expiries{0};
inline std::uint64_t expected = 0;
inline std::atomic<bool> all_expired{false};

inline void count_expiry()
{
    // By one thread at a time, but not always the same one.
    const std::uint64_t n = expiries.load(std::memory_order_relaxed) + 1;
    expiries.store(n, std::memory_order_relaxed);
    if (n == expected)
        all_expired.store(true, std::memory_order_release);
}

template <class Timers>
std::map<std::size_t, std::unique_ptr<Timers>>& made()
{
    static std::map<std::size_t, std::unique_ptr<Timers>> all;
    return all;
}

/// Those of the last repetition: a million are not made anew each time. All are armed.
template <class Timers>
Timers& live(std::size_t n)
{
    std::unique_ptr<Timers>& found = made<Timers>()[n];
    if (!found) {
        pin_to(last_processor());
        found = std::make_unique<Timers>(n, &count_expiry);
        unless(found->size() * 4 >= n * 3, "the system does not permit so many timers");
        dice d;
        found->begin();
        for (std::size_t i = 0; i != found->size(); ++i)
            found->arm(i, d.ahead());
        found->end();
    }
    return *found;
}

/// At the end of a repetition: what others need is not kept.
template <class Timers>
void let_go()
{
    if constexpr (Timers::holds_what_is_scarce)
        made<Timers>().clear();
}

// ---- arming again -----------------------------------------------------------------------------------------------------------

inline constexpr std::size_t rearms = 400'000;

/// Every timer says what it was told last, give or take the time that this took.
template <class Timers>
void verify(Timers& t, std::size_t times, std::uint64_t began, std::uint64_t ended)
{
    constexpr std::uint64_t tolerance = 20 * millisecond; // libuv keeps milliseconds
    std::vector<std::uint64_t> told(t.size(), 0);
    dice d;
    for (std::size_t i = 0; i != times; ++i) {
        const std::size_t which = d.below(t.size());
        told[which] = d.ahead();
    }
    for (std::size_t i = 0; i != t.size(); ++i) {
        if (told[i] == 0)
            continue;
        const std::uint64_t due = nanoseconds(CLOCK_MONOTONIC) + t.left(i);
        unless(due + tolerance >= began + told[i] && due <= ended + told[i] + tolerance, "a timer is not armed as it was told");
    }
}

/// Of n live timers, one after the other at random, by one thread.
template <class Timers>
double rearm(std::uint64_t n)
{
    Timers& t = live<Timers>(n);
    // What is left to the loop is due once for each timer that has been moved, however often: so each is moved twice.
    const std::size_t times = Timers::slow ? rearms / 20 : Timers::defers ? std::max(rearms, 2 * t.size()) : rearms;
    dice d;
    t.begin();
    const std::uint64_t began = nanoseconds(CLOCK_MONOTONIC);
    const std::uint64_t before = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    for (std::size_t i = 0; i != times; ++i) {
        const std::size_t which = d.below(t.size());
        t.arm(which, d.ahead());
    }
    t.end();
    const std::uint64_t used = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - before;
    verify(t, times, began, nanoseconds(CLOCK_MONOTONIC));
    let_go<Timers>();
    return static_cast<double>(used) / static_cast<double>(times);
}

// ---- creating -----------------------------------------------------------------------------------------------------------------

inline constexpr std::size_t makings = 50'000;

/// With n live: a timer is deleted and another one made.
template <class Timers>
double create(std::uint64_t n)
{
    Timers& t = live<Timers>(n);
    dice d;
    const std::uint64_t before = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    for (std::size_t i = 0; i != makings; ++i)
        t.recreate(d.below(t.size()));
    t.end();
    const std::uint64_t used = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - before;
    t.begin();
    for (std::size_t i = 0; i != t.size(); ++i) // as many live as before
        t.arm(i, d.ahead());
    t.end();
    let_go<Timers>();
    return static_cast<double>(used) / makings;
}

/// Beside n live: a timer is made and deleted, so what is measured is not whether a processor's cache holds the n.
template <class Timers>
double create_one(std::uint64_t n)
{
    Timers& t = live<Timers>(n);
    const std::uint64_t before = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    for (std::size_t i = 0; i != makings; ++i)
        t.make_and_delete();
    t.end();
    const std::uint64_t used = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - before;
    let_go<Timers>();
    return static_cast<double>(used) / makings;
}

// ---- how many, and what they take; in a process of its own -----------------------------------------------------------------------

inline std::uint64_t resident_bytes()
{
    std::ifstream file("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    file >> size >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// Bytes for each of n armed timers.
template <class Timers>
double memory(std::uint64_t n)
{
    { // what the library itself takes, however few there are
        Timers first(1, &count_expiry);
        first.begin();
        first.arm(0, 3600 * second);
        first.end();
    }
    const std::uint64_t before = resident_bytes();
    const Timers& t = live<Timers>(n);
    return static_cast<double>(resident_bytes() - before) / static_cast<double>(t.size());
}

/// How many millions of armed timers a process may have, n at most.
template <class Timers>
double most(std::uint64_t n)
{
    Timers t(n, &count_expiry);
    dice d;
    t.begin();
    for (std::size_t i = 0; i != t.size(); ++i)
        t.arm(i, d.ahead());
    t.end();
    for (std::size_t i = 0; i != t.size(); ++i)
        unless(t.left(i) > 3000 * second, "a timer is not armed");
    return static_cast<double>(t.size()) / 1e6;
}

// ---- many at once ----------------------------------------------------------------------------------------------------------------

/// n timers are due within one millisecond; a loop is there when they are. Millions of expiries that a second of processor
/// time handles.
template <class Timers>
double burst(std::uint64_t n)
{
    static std::unique_ptr<Timers> t;
    if (!t) {
        pin_to(last_processor());
        t = std::make_unique<Timers>(n, &count_expiry);
        unless(t->size() == n, "the system does not permit so many timers");
    }
    expiries = 0;
    expected = n;
    all_expired = false;
    static std::uint64_t repetition = 0;
    dice d(++repetition); // another order each time: what the first one has laid out in order is met at random
    t->begin();
    const std::uint64_t due = nanoseconds(CLOCK_MONOTONIC) + 150 * millisecond;
    for (std::size_t i = 0; i != n; ++i) {
        const std::uint64_t at = due + d.below(millisecond);
        const std::uint64_t now = Timers::keeps_time ? due - 150 * millisecond : nanoseconds(CLOCK_MONOTONIC);
        unless(at > now, "arming took too long");
        t->arm(i, at - now);
    }
    t->end();
    unless(expiries == 0, "a timer has expired early");
    const std::uint64_t before = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    t->run(all_expired);
    const std::uint64_t used = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - before;
    unless(expiries == n, "timers have expired more often than once");
    unless(nanoseconds(CLOCK_MONOTONIC) >= due, "timers have expired early");
    return static_cast<double>(n) * 1000 / static_cast<double>(used);
}

} // namespace sigev_bench

// The decisions of delivery, without I/O, clock, lock or atomic: each function takes a word and says what the word becomes
// and what is to be done. core/dispatcher puts them behind compare-exchange loops.
//
// Three words of a subscription:
//
//   claim        closing:1 | generation:15 | claimed:24 | head:24
//                The free records of a subscription whose notifications are distinct. One compare-exchange checks the
//                generation, refuses a cancelled subscription, counts the claim (the count is also what protects the list
//                against ABA) and takes the record.
//   occurrences  busy:1 | count:63
//                A subscription whose notifications merge (timers). `busy`: its one delivery is on the way; `count`: what
//                was raised since that delivery latched its overrun.
//   gate         closing:1 | freed:1 | delivering:1 | waited:1 | held:1 | running:27
//                Who is inside: `delivering` is the reactor's drain, `held` its list of what is to be tried again, `running`
//                are callbacks. Once `closing` is set nobody enters.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace sigev::core {

// ---- claim -----------------------------------------------------------------------------------------------------------

inline constexpr std::uint32_t no_record = (1u << 24) - 1;
inline constexpr std::uint64_t claim_closing = std::uint64_t{1} << 63;

constexpr std::uint64_t make_claim(std::uint32_t generation, std::uint32_t claimed, std::uint32_t head) noexcept
{
    return (std::uint64_t{generation & 0x7fff} << 48) | (std::uint64_t{claimed & 0xffffff} << 24) | (head & 0xffffff);
}
constexpr std::uint32_t claim_head(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word) & 0xffffff; }
constexpr std::uint32_t claim_count(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word >> 24) & 0xffffff; }
constexpr std::uint32_t claim_generation(std::uint64_t word) noexcept
{
    return static_cast<std::uint32_t>(word >> 48) & 0x7fff;
}
constexpr bool claim_is_closing(std::uint64_t word) noexcept { return (word & claim_closing) != 0; }

/// The head record is taken; `next` is what its link said.
constexpr std::uint64_t claim_take(std::uint64_t word, std::uint32_t next) noexcept
{
    const std::uint64_t kept = word & ~((std::uint64_t{1} << 48) - 1);
    return kept | (std::uint64_t{(claim_count(word) + 1) & 0xffffff} << 24) | (next & 0xffffff);
}

/// Was the claim that found `count` made after `word` had been seen? (Claims are far fewer than half of 24 bits at a time.)
constexpr bool claimed_after(std::uint32_t count, std::uint32_t seen) noexcept
{
    return ((count - seen) & 0xffffff) < (1u << 23);
}

/// `record` goes back to the free ones.
constexpr std::uint64_t claim_put(std::uint64_t word, std::uint32_t record) noexcept
{
    return (word & ~std::uint64_t{0xffffff}) | (record & 0xffffff);
}

// ---- occurrences -----------------------------------------------------------------------------------------------------

inline constexpr std::uint64_t occurrences_busy = std::uint64_t{1} << 63;

constexpr std::uint64_t occurrences_count(std::uint64_t word) noexcept { return word & ~occurrences_busy; }

struct occurrences_step {
    std::uint64_t next;
    bool start; ///< raise: hand the delivery to its method. end: hand it over again
};

constexpr occurrences_step occurrences_raise(std::uint64_t word, std::uint64_t n) noexcept
{
    const std::uint64_t room = std::numeric_limits<std::int64_t>::max() - occurrences_count(word);
    return {(word | occurrences_busy) + std::min(n, room), (word & occurrences_busy) == 0};
}

/// A delivery starts: it takes all that was raised. What it took is occurrences_count(word).
constexpr std::uint64_t occurrences_latch(std::uint64_t word) noexcept { return word & occurrences_busy; }

/// A delivery did not take place: what it had latched is raised again.
constexpr std::uint64_t occurrences_unlatch(std::uint64_t word, std::uint64_t n) noexcept
{
    return occurrences_raise(word, n).next;
}

/// A delivery is over: go again when something was raised meanwhile, else rest.
constexpr occurrences_step occurrences_end(std::uint64_t word) noexcept
{
    if (occurrences_count(word) != 0)
        return {word, true};
    return {0, false};
}

/// What timer_getoverrun() says of a delivery that took n expirations; limit is DELAYTIMER_MAX.
constexpr std::int32_t overrun_of(std::uint64_t n, std::int32_t limit = std::numeric_limits<std::int32_t>::max()) noexcept
{
    if (n <= 1)
        return 0;
    return n - 1 > static_cast<std::uint64_t>(limit) ? limit : static_cast<std::int32_t>(n - 1);
}

// ---- gate ------------------------------------------------------------------------------------------------------------

inline constexpr std::uint32_t gate_closing = 1u << 31;
inline constexpr std::uint32_t gate_freed = 1u << 30;
inline constexpr std::uint32_t gate_delivering = 1u << 29;
inline constexpr std::uint32_t gate_waited = 1u << 28;
inline constexpr std::uint32_t gate_held = 1u << 27;

constexpr std::uint32_t gate_running(std::uint32_t word) noexcept { return word & (gate_held - 1); }

/// Nobody is inside, nobody may come in, and it has not been freed yet.
constexpr bool gate_may_free(std::uint32_t word) noexcept
{
    return (word & gate_closing) != 0 && (word & (gate_freed | gate_delivering | gate_held)) == 0 &&
           gate_running(word) == 0;
}

// ---- the drain word: one drain at a time -------------------------------------------------------------------------------

enum class drain : std::uint32_t { idle = 0, running = 1, again = 2 };

struct drain_step {
    drain next;
    bool mine; ///< enter: this thread drains now. leave: it must go round once more
};

constexpr drain_step drain_enter(drain word) noexcept
{
    return word == drain::idle ? drain_step{drain::running, true} : drain_step{drain::again, false};
}

constexpr drain_step drain_leave(drain word) noexcept
{
    return word == drain::again ? drain_step{drain::running, true} : drain_step{drain::idle, false};
}

// ---- retries ---------------------------------------------------------------------------------------------------------

inline constexpr std::uint64_t first_backoff = 1'000'000;   // 1 ms: a full signal queue empties as fast as a handler runs
inline constexpr std::uint64_t longest_backoff = 64'000'000; // 64 ms: what a lifted limit may cost in lateness

constexpr std::uint64_t next_backoff(std::uint64_t backoff) noexcept
{
    return backoff == 0 ? first_backoff : std::min(backoff * 2, longest_backoff);
}

} // namespace sigev::core

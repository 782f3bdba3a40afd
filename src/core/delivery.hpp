// The decisions of delivery, without I/O, clock, lock or atomic: each function takes a word and says what the word becomes
// and what is to be done. core/dispatcher puts them behind compare-exchange loops.
//
// Five words of a subscription:
//
//   claim        closing:1 | generation:15 | claimed:28 | place:20
//                Where the free records of a subscription whose notifications are distinct are taken from: a ring with a
//                slot for each record. One compare-exchange checks the generation, refuses a cancelled subscription, counts
//                the claim, and makes the claimer the one who has the slot at `place`. The slot says for which claim it is
//                good, so a record is free when the counts agree, and whoever gives records back never writes this word.
//   returned     count:44 | place:20
//                Where they are put back: the other end of that ring. The count goes on over the owners of a subscription's
//                memory, and the claims with it: who comes late with an exchange for the last owner never succeeds.
//   newest       error:32 | generation:15 | state:2 | closing:1 | merged:14, and beside it the data:64 (the generation while empty)
//                The place of the newest notification while the records are used up. `merged`: how many were put into it
//                since the account was last settled, but for the one that is in it.
//   occurrences  busy:1 | count:63
//                A subscription whose notifications merge (timers). `busy`: its one delivery is on the way; `count`: what
//                was raised since that delivery latched its overrun.
//   gate         closing:1 | freed:1 | delivering:1 | waited:1 | held:1 | running:27
//                Who is inside: `delivering` is the reactor's drain, or who has ended a request; `held` the drain's list of
//                what is to be tried again; `running` are callbacks. Once `closing` is set nobody enters.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace sigev::core {

// ---- claim -----------------------------------------------------------------------------------------------------------

inline constexpr unsigned place_bits = 20; ///< of a record within its owner's ring
inline constexpr std::uint32_t most_records = 1u << place_bits;
inline constexpr std::uint32_t place_mask = most_records - 1;
inline constexpr std::uint32_t claim_mask = (1u << 28) - 1; ///< of the count of claims
inline constexpr unsigned record_bits = 24;                 ///< of a record's index in the table of them all
inline constexpr std::uint64_t claim_closing = std::uint64_t{1} << 63;

constexpr std::uint64_t make_claim(std::uint32_t generation, std::uint32_t claimed, std::uint32_t place) noexcept
{
    return (std::uint64_t{generation & 0x7fff} << 48) | (std::uint64_t{claimed & claim_mask} << place_bits) |
           (place & place_mask);
}
constexpr std::uint32_t claim_place(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word) & place_mask; }
constexpr std::uint32_t claim_count(std::uint64_t word) noexcept
{
    return static_cast<std::uint32_t>(word >> place_bits) & claim_mask;
}
constexpr std::uint32_t claim_generation(std::uint64_t word) noexcept
{
    return static_cast<std::uint32_t>(word >> 48) & 0x7fff;
}
constexpr bool claim_is_closing(std::uint64_t word) noexcept { return (word & claim_closing) != 0; }
constexpr bool claim_is_of(std::uint64_t word, std::uint32_t generation) noexcept
{
    return claim_generation(word) == (generation & 0x7fff);
}

constexpr std::uint32_t place_after(std::uint32_t place, std::uint32_t capacity) noexcept
{
    return place + 1 == capacity ? 0 : place + 1;
}

/// The slot at the word's place is taken. The count makes a word that has come round to the same place look different: who
/// still holds the old one does not succeed in exchanging it.
constexpr std::uint64_t claim_take(std::uint64_t word, std::uint32_t capacity) noexcept
{
    const std::uint64_t kept = word & ~((std::uint64_t{1} << 48) - 1);
    return kept | (std::uint64_t{(claim_count(word) + 1) & claim_mask} << place_bits) |
           place_after(claim_place(word), capacity);
}

/// What stands in a slot: the record that lies in it, and for which claim it is good.
constexpr std::uint64_t make_slot(std::uint32_t claim, std::uint32_t record) noexcept
{
    return (std::uint64_t{claim & claim_mask} << record_bits) | record;
}
constexpr std::uint32_t slot_record(std::uint64_t slot) noexcept
{
    return static_cast<std::uint32_t>(slot) & ((1u << record_bits) - 1);
}
constexpr std::uint32_t slot_claim(std::uint64_t slot) noexcept { return static_cast<std::uint32_t>(slot >> record_bits); }
constexpr bool slot_is_good(std::uint64_t slot, std::uint64_t claim_word) noexcept
{
    return slot_claim(slot) == claim_count(claim_word);
}

inline constexpr std::uint64_t returned_wraps_after = std::uint64_t{1} << (64 - place_bits);

constexpr std::uint64_t returned_count(std::uint64_t word) noexcept { return word >> place_bits; }
constexpr std::uint32_t returned_place(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word) & place_mask; }
constexpr std::uint64_t returned_next(std::uint64_t word, std::uint32_t capacity) noexcept
{
    return (returned_count(word) + 1) << place_bits | place_after(returned_place(word), capacity);
}
/// For the next owner of the memory: from its first place, and with a count that no owner has had, also if this one never
/// claimed anything. So the words of two owners differ where their generations agree in all bits that a word has room for.
constexpr std::uint64_t returned_anew(std::uint64_t word) noexcept { return (returned_count(word) + 1) << place_bits; }

/// The slot for a record that comes back as the next one: good for the claim that comes round to it.
constexpr std::uint64_t returned_slot(std::uint64_t word, std::uint32_t capacity, std::uint32_t record) noexcept
{
    return make_slot(static_cast<std::uint32_t>(returned_count(word)) + capacity, record);
}

/// What stands in the slot at the word's place was good for the claim of that number, and has been claimed: a record that
/// comes back may be put there.
constexpr bool slot_is_used_up(std::uint64_t slot, std::uint64_t returned_word) noexcept
{
    return slot_claim(slot) == (static_cast<std::uint32_t>(returned_count(returned_word)) & claim_mask);
}

/// How many claimed records have not come back.
constexpr std::uint32_t claims_out(std::uint64_t claim_word, std::uint64_t returned_word) noexcept
{
    return (claim_count(claim_word) - static_cast<std::uint32_t>(returned_count(returned_word))) & claim_mask;
}
/// How many there ever were, by this owner of the memory and those before it, modulo returned_wraps_after.
constexpr std::uint64_t claims_ever(std::uint64_t claim_word, std::uint64_t returned_word) noexcept
{
    return returned_count(returned_word) + claims_out(claim_word, returned_word);
}

// ---- newest ----------------------------------------------------------------------------------------------------------

enum class newest_state : std::uint64_t {
    idle = 0,   ///< nothing in it; records may be claimed
    kept = 1,   ///< a notification; later ones take its place, so that none overtakes it
    leaving = 2 ///< the drain has taken it, and what goes before it is still being delivered: as kept, but empty
};

inline constexpr std::uint64_t newest_closing = std::uint64_t{1} << 14;
inline constexpr std::uint64_t newest_most_merged = newest_closing - 1;

constexpr std::uint64_t make_newest(std::uint32_t generation, newest_state state, std::uint32_t error, std::uint64_t merged) noexcept
{
    return (std::uint64_t{error} << 32) | (std::uint64_t{generation & 0x7fff} << 17) |
           (static_cast<std::uint64_t>(state) << 15) | merged;
}
constexpr newest_state newest_state_of(std::uint64_t word) noexcept { return static_cast<newest_state>(word >> 15 & 3); }
constexpr std::uint32_t newest_generation(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word >> 17) & 0x7fff; }
constexpr std::int32_t newest_error(std::uint64_t word) noexcept { return static_cast<std::int32_t>(word >> 32); }
constexpr std::uint64_t newest_merged(std::uint64_t word) noexcept { return word & newest_most_merged; }
constexpr bool newest_is_closing(std::uint64_t word) noexcept { return (word & newest_closing) != 0; }
constexpr bool newest_is_of(std::uint64_t word, std::uint32_t generation) noexcept
{
    return newest_generation(word) == (generation & 0x7fff);
}

struct newest_step {
    std::uint64_t next;
    std::uint64_t settle; ///< so many have merged that the count had to start over: they go to the account
};

/// One more is put into it. Neither stale nor closing.
constexpr newest_step newest_put(std::uint64_t word, std::int32_t error) noexcept
{
    const std::uint64_t merged = newest_merged(word) + (newest_state_of(word) == newest_state::kept ? 1 : 0);
    const bool full = merged > newest_most_merged;
    return {make_newest(newest_generation(word), newest_state::kept, static_cast<std::uint32_t>(error), full ? 0 : merged),
            full ? merged : 0};
}

/// The drain takes what is kept. Its account: newest_merged() of the word that it found.
constexpr std::uint64_t newest_take(std::uint64_t word) noexcept
{
    return make_newest(newest_generation(word), newest_state::leaving, 0, 0) | (word & newest_closing);
}

/// What went before it has been delivered. False: more has been kept meanwhile, or it is closed; then it stays as it is.
constexpr bool newest_may_rest(std::uint64_t word) noexcept
{
    return newest_state_of(word) == newest_state::leaving && !newest_is_closing(word);
}
constexpr std::uint64_t newest_rest(std::uint64_t word) noexcept
{
    return make_newest(newest_generation(word), newest_state::idle, 0, 0);
}

/// Nothing is put into it any more, and what is in it goes to the canceller's account.
constexpr std::uint64_t newest_close(std::uint64_t word) noexcept
{
    return make_newest(newest_generation(word), newest_state::idle, 0, 0) | newest_closing;
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

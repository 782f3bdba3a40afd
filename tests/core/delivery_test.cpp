// The words of delivery, exhaustively where they are small, and occurrences against a model that counts one by one.
#include "core/delivery.hpp"

#include "support/support.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <vector>

using namespace sigev::core;

namespace {

constexpr std::uint32_t counts[] = {0, 1, 2, 77, claim_mask - 1, claim_mask};
constexpr std::uint32_t places[] = {0, 1, 2, 77, place_mask - 1, place_mask};
constexpr std::uint32_t generations[] = {0, 1, 2, 0x4000, 0x7ffe, 0x7fff};
constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();

} // namespace

BOOST_AUTO_TEST_SUITE(delivery)

BOOST_AUTO_TEST_CASE(a_claim_word_keeps_its_parts_apart) {
    for (const auto generation : generations)
        for (const auto count : counts)
            for (const auto place : places) {
                const auto word = make_claim(generation, count, place);
                BOOST_TEST(claim_generation(word) == generation);
                BOOST_TEST(claim_count(word) == count);
                BOOST_TEST(claim_place(word) == place);
                BOOST_TEST(!claim_is_closing(word));
                BOOST_TEST(claim_is_closing(word | claim_closing));
                BOOST_TEST(claim_generation(word | claim_closing) == generation);
                BOOST_TEST(claim_is_of(word, generation | 0x8000)); // of a generation only its lowest bits are kept
                BOOST_TEST(!claim_is_of(word, generation + 1));
            }
}

BOOST_AUTO_TEST_CASE(a_claim_counts_and_goes_on_to_the_next_place_round_and_round) {
    for (const auto generation : generations)
        for (const auto count : counts)
            for (const std::uint64_t closing : {std::uint64_t{0}, claim_closing}) {
                const auto word = make_claim(generation, count, 5) | closing;
                const auto taken = claim_take(word, 7);
                BOOST_TEST(claim_place(taken) == 6u);
                BOOST_TEST(claim_count(taken) == ((count + 1) & claim_mask));
                BOOST_TEST(claim_generation(taken) == generation);
                BOOST_TEST(claim_is_closing(taken) == claim_is_closing(word));
                BOOST_TEST(claim_place(claim_take(taken, 7)) == 0u);
            }
    BOOST_TEST(claim_take(make_claim(1, 0, 0), 1) != make_claim(1, 0, 0)); // the only place, and another word
}

// A ring of every small capacity, claimed and given back in every order that a stream of random numbers finds: no record is
// had twice, one is refused exactly when all are out, and the counts agree with a model that knows where each is. The claims
// begin shortly before their count wraps.
BOOST_AUTO_TEST_CASE(records_come_back_in_any_order_and_none_is_had_twice) {
    std::mt19937_64 random(20261125);
    for (std::uint32_t capacity = 1; capacity != 6; ++capacity) {
        constexpr std::uint32_t first = 100;
        const std::uint32_t begun = claim_mask - 50;
        std::uint64_t claim = make_claim(3, begun, 0);
        std::uint64_t returned = std::uint64_t{begun} << place_bits;
        std::vector<std::uint64_t> slots;
        for (std::uint32_t i = 0; i != capacity; ++i)
            slots.push_back(make_slot(begun + i, first + i));
        std::vector<std::uint32_t> out;
        std::uint64_t claims = 0;
        for (int step = 0; step != 1000; ++step) {
            if (random() % 2) {
                const auto slot = slots[claim_place(claim)];
                BOOST_REQUIRE(slot_is_good(slot, claim) == (out.size() != capacity));
                if (!slot_is_good(slot, claim))
                    continue;
                const auto record = slot_record(slot);
                BOOST_REQUIRE((record >= first && record < first + capacity));
                BOOST_REQUIRE(std::count(out.begin(), out.end(), record) == 0);
                out.push_back(record);
                claim = claim_take(claim, capacity);
                ++claims;
            } else if (!out.empty()) {
                const auto which = out.begin() + static_cast<std::ptrdiff_t>(random() % out.size());
                auto& slot = slots[returned_place(returned)];
                BOOST_REQUIRE(slot_is_used_up(slot, returned));
                slot = returned_slot(returned, capacity, *which);
                BOOST_REQUIRE(!slot_is_used_up(slot, returned)); // who comes second sees that it is taken
                returned = returned_next(returned, capacity);
                out.erase(which);
            }
            BOOST_REQUIRE(claims_out(claim, returned) == out.size());
            BOOST_REQUIRE(claims_ever(claim, returned) == begun + claims);
        }
        BOOST_TEST(claims > 100u); // the count has wrapped
    }
}

// The next owner's ring begins at its first place, and the count goes on: nothing that was read of the last owner's is equal.
BOOST_AUTO_TEST_CASE(what_has_come_back_is_never_what_it_was_for_another_owner) {
    const std::uint64_t last = returned_next(returned_next(0, 5), 5);
    BOOST_TEST(returned_place(last) == 2u);
    BOOST_TEST(returned_place(returned_anew(last)) == 0u);
    BOOST_TEST(returned_count(returned_anew(last)) == 3u);
    BOOST_TEST(returned_count(returned_anew(returned_anew(last))) == 4u); // also if nothing was claimed
    const std::uint64_t before_the_wrap = (returned_wraps_after - 1) << place_bits | 4;
    BOOST_TEST(returned_count(before_the_wrap) == returned_wraps_after - 1);
    BOOST_TEST(returned_next(before_the_wrap, 5) == 0u);
    BOOST_TEST(slot_is_used_up(make_slot(claim_mask, 7), before_the_wrap));
    BOOST_TEST(slot_claim(returned_slot(before_the_wrap, 5, 7)) == 4u);
    BOOST_TEST(slot_record(returned_slot(before_the_wrap, 5, (1u << record_bits) - 1)) == (1u << record_bits) - 1);
}

BOOST_AUTO_TEST_CASE(the_place_of_the_newest_keeps_its_parts_apart) {
    for (const auto generation : generations)
        for (const std::int32_t error : {0, 1, 11, -1, std::numeric_limits<std::int32_t>::min()})
            for (const auto state : {newest_state::idle, newest_state::kept, newest_state::leaving})
                for (const std::uint64_t merged : {std::uint64_t{0}, std::uint64_t{1}, newest_most_merged}) {
                    const auto word = make_newest(generation, state, static_cast<std::uint32_t>(error), merged);
                    BOOST_TEST(newest_generation(word) == generation);
                    BOOST_TEST((newest_state_of(word) == state));
                    BOOST_TEST(newest_error(word) == error);
                    BOOST_TEST(newest_merged(word) == merged);
                    BOOST_TEST(!newest_is_closing(word));
                    BOOST_TEST(newest_is_of(word, generation | 0x8000));
                    BOOST_TEST(!newest_is_of(word, generation + 1));
                    const auto closed = newest_close(word);
                    BOOST_TEST(newest_is_closing(closed));
                    BOOST_TEST((newest_state_of(closed) == newest_state::idle));
                    BOOST_TEST(newest_merged(closed) == 0u);
                    BOOST_TEST(newest_generation(closed) == generation);
                }
}

// Every order of what producers, the drain and a canceller do to it: raised = told + merged + discarded + what is in it.
BOOST_AUTO_TEST_CASE(what_is_put_in_the_place_of_the_newest_is_told_or_has_merged_or_was_discarded) {
    std::mt19937_64 random(20261126);
    for (int round = 0; round != 300; ++round) {
        std::uint64_t word = make_newest(9, newest_state::idle, 0, 0);
        std::uint64_t raised = 0, merged = 0, told = 0, discarded = 0;
        std::int32_t last = 0;
        for (int i = 0; i != 200; ++i) {
            switch (random() % 8) {
            default:
                if (!newest_is_closing(word)) {
                    last = static_cast<std::int32_t>(random());
                    const auto step = newest_put(word, last);
                    word = step.next;
                    ++raised;
                    merged += step.settle;
                    BOOST_REQUIRE(newest_error(word) == last);
                }
                break;
            case 0:
                if (newest_state_of(word) == newest_state::kept) {
                    BOOST_REQUIRE(newest_error(word) == last); // the newest, and no other
                    merged += newest_merged(word);
                    ++told;
                    word = newest_take(word);
                    BOOST_REQUIRE((newest_state_of(word) == newest_state::leaving));
                }
                break;
            case 1:
                if (newest_may_rest(word))
                    word = newest_rest(word);
                break;
            case 2:
                if (random() % 100 == 0) {
                    merged += newest_merged(word);
                    discarded += newest_state_of(word) == newest_state::kept;
                    word = newest_close(word);
                }
                break;
            }
            const std::uint64_t kept = newest_state_of(word) == newest_state::kept;
            BOOST_REQUIRE(raised == told + merged + discarded + newest_merged(word) + kept);
            BOOST_REQUIRE(newest_generation(word) == 9u);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_count_of_merged_ones_that_is_full_is_settled_and_starts_over) {
    std::uint64_t word = make_newest(1, newest_state::kept, 0, newest_most_merged);
    const auto step = newest_put(word, 5);
    BOOST_TEST(step.settle == newest_most_merged + 1);
    BOOST_TEST(newest_merged(step.next) == 0u);
    BOOST_TEST((newest_state_of(step.next) == newest_state::kept));
    word = make_newest(1, newest_state::leaving, 0, newest_most_merged); // nothing is replaced, so nothing merges
    BOOST_TEST(newest_put(word, 5).settle == 0u);
    BOOST_TEST(newest_merged(newest_put(word, 5).next) == newest_most_merged);
}

BOOST_AUTO_TEST_CASE(the_first_occurrence_starts_a_delivery_and_later_ones_join_it) {
    auto step = occurrences_raise(0, 1);
    BOOST_TEST(step.start);
    BOOST_TEST(occurrences_count(step.next) == 1u);
    step = occurrences_raise(step.next, 4);
    BOOST_TEST(!step.start);
    BOOST_TEST(occurrences_count(step.next) == 5u);
}

BOOST_AUTO_TEST_CASE(a_count_that_is_full_stays_full_and_busy) {
    for (const std::uint64_t n : {std::uint64_t{1}, most, std::numeric_limits<std::uint64_t>::max()}) {
        const auto step = occurrences_raise(most | occurrences_busy, n);
        BOOST_TEST(occurrences_count(step.next) == most);
        BOOST_TEST((step.next & occurrences_busy) != 0u);
        BOOST_TEST(!step.start);
    }
    const auto step = occurrences_raise(0, std::numeric_limits<std::uint64_t>::max());
    BOOST_TEST(occurrences_count(step.next) == most);
    BOOST_TEST(step.start);
}

// Raises, deliveries, retries and discards in random order: what was raised has been told, or is still there to tell, and
// there is a delivery under way exactly while something is not told.
BOOST_AUTO_TEST_CASE(occurrences_agree_with_a_model_that_counts_one_by_one) {
    std::mt19937_64 random(20261122);
    for (int round = 0; round != 2000; ++round) {
        std::uint64_t word = 0, raised = 0, told = 0, latched = 0, in_word = 0;
        bool on_the_way = false, delivering = false;
        for (int i = 0; i != 100; ++i) {
            switch (random() % 4) {
            case 0: {
                const auto n = random() % 3 + 1;
                const auto step = occurrences_raise(word, n);
                BOOST_REQUIRE(step.start == !on_the_way);
                word = step.next;
                raised += n;
                in_word += n;
                on_the_way = true;
                break;
            }
            case 1: // starts
                if (on_the_way && !delivering) {
                    latched = occurrences_count(word);
                    BOOST_REQUIRE(latched == in_word);
                    word = occurrences_latch(word);
                    in_word = 0;
                    delivering = true;
                }
                break;
            case 2: // refused
                if (delivering) {
                    word = occurrences_unlatch(word, latched);
                    in_word += latched;
                    delivering = false;
                }
                break;
            case 3: // over
                if (delivering) {
                    told += latched;
                    const auto step = occurrences_end(word);
                    word = step.next;
                    on_the_way = step.start;
                    BOOST_REQUIRE(step.start == (in_word != 0));
                    delivering = false;
                }
                break;
            }
            BOOST_REQUIRE(occurrences_count(word) == in_word);
            BOOST_REQUIRE(((word & occurrences_busy) != 0) == on_the_way);
            BOOST_REQUIRE(raised == told + in_word + (delivering ? latched : 0));
        }
    }
}

// [3.4.1, 3.4.2] the expirations beyond the first, at most DELAYTIMER_MAX
BOOST_AUTO_TEST_CASE(the_overrun_is_what_exceeds_the_first_and_is_clamped) {
    BOOST_TEST(overrun_of(0) == 0);
    BOOST_TEST(overrun_of(1) == 0);
    BOOST_TEST(overrun_of(2) == 1);
    BOOST_TEST(overrun_of(33, 32) == 32);
    BOOST_TEST(overrun_of(34, 32) == 32);
    constexpr auto limit = std::numeric_limits<std::int32_t>::max();
    BOOST_TEST(overrun_of(std::uint64_t{limit}) == limit - 1);
    BOOST_TEST(overrun_of(std::uint64_t{limit} + 1) == limit);
    BOOST_TEST(overrun_of(std::uint64_t{limit} + 2) == limit);
    BOOST_TEST(overrun_of(most) == limit);
}

BOOST_AUTO_TEST_CASE(a_gate_may_be_freed_when_it_is_closed_empty_and_not_freed_yet) {
    for (unsigned flags = 0; flags != 32; ++flags)
        for (const std::uint32_t running : {0u, 1u, 2u, 1000u}) {
            const std::uint32_t word = flags << 27 | running;
            const bool expected = (word & gate_closing) && !(word & gate_freed) && !(word & gate_delivering) &&
                                  !(word & gate_held) && running == 0;
            BOOST_TEST(gate_may_free(word) == expected);
            BOOST_TEST(gate_running(word) == running);
        }
}

BOOST_AUTO_TEST_CASE(one_thread_drains_and_who_comes_meanwhile_sends_it_round_again) {
    BOOST_TEST((drain_enter(drain::idle).next == drain::running && drain_enter(drain::idle).mine));
    for (const auto busy : {drain::running, drain::again})
        BOOST_TEST((drain_enter(busy).next == drain::again && !drain_enter(busy).mine));
    BOOST_TEST((drain_leave(drain::running).next == drain::idle && !drain_leave(drain::running).mine));
    BOOST_TEST((drain_leave(drain::again).next == drain::running && drain_leave(drain::again).mine));
}

// All orders of three threads that each enter, work if it is theirs, and leave until they are out: at most one is inside at a
// time, everybody's arrival is followed by a round that started after it, and the word comes to rest.
BOOST_AUTO_TEST_CASE(in_every_order_of_three_threads_each_arrival_is_followed_by_a_round) {
    struct thread {
        int at = 0; // 0 outside, 1 inside and working, 2 worked, 3 out
        bool served = false;
    };
    struct state {
        drain word = drain::idle;
        std::array<thread, 3> threads{};
    };
    long orders = 0;
    const auto explore = [&](const auto& self, const state& now) -> void {
        bool moved = false;
        for (std::size_t i = 0; i != 3; ++i) {
            state next = now;
            thread& t = next.threads[i];
            if (t.at == 3)
                continue;
            moved = true;
            if (t.at == 0) {
                const auto step = drain_enter(next.word);
                next.word = step.next;
                t.at = step.mine ? 1 : 3;
            } else if (t.at == 1) {
                for (thread& other : next.threads)
                    other.served |= other.at != 0;
                t.at = 2;
            } else {
                const auto step = drain_leave(next.word);
                next.word = step.next;
                t.at = step.mine ? 1 : 3;
            }
            int inside = 0;
            for (const thread& other : next.threads)
                inside += other.at == 1 || other.at == 2;
            BOOST_REQUIRE(inside <= 1);
            self(self, next);
        }
        if (!moved) {
            ++orders;
            BOOST_REQUIRE(now.word == drain::idle);
            for (const thread& t : now.threads)
                BOOST_REQUIRE(t.served);
        }
    };
    explore(explore, {});
    BOOST_TEST(orders > 6);
}

BOOST_AUTO_TEST_CASE(the_back_off_doubles_from_the_first_to_the_longest) {
    std::uint64_t backoff = 0;
    std::uint64_t last = 0;
    for (int i = 0; i != 20; ++i) {
        backoff = next_backoff(backoff);
        BOOST_TEST((i == 0 ? backoff == first_backoff : backoff == last * 2 || backoff == longest_backoff));
        last = backoff;
    }
    BOOST_TEST(backoff == longest_backoff);
}

BOOST_AUTO_TEST_SUITE_END()

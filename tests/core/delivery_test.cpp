// The words of delivery, exhaustively where they are small, and occurrences against a model that counts one by one.
#include "core/delivery.hpp"

#include "support/support.hpp"

#include <array>
#include <random>

using namespace sigev::core;

namespace {

constexpr std::uint32_t counts[] = {0, 1, 2, 77, (1u << 24) - 2, (1u << 24) - 1};
constexpr std::uint32_t generations[] = {0, 1, 2, 0x4000, 0x7ffe, 0x7fff};
constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();

} // namespace

BOOST_AUTO_TEST_SUITE(delivery)

BOOST_AUTO_TEST_CASE(a_claim_word_keeps_its_parts_apart) {
    for (const auto generation : generations)
        for (const auto count : counts)
            for (const auto head : counts) {
                const auto word = make_claim(generation, count, head);
                BOOST_TEST(claim_generation(word) == generation);
                BOOST_TEST(claim_count(word) == count);
                BOOST_TEST(claim_head(word) == head);
                BOOST_TEST(!claim_is_closing(word));
                BOOST_TEST(claim_is_closing(word | claim_closing));
                BOOST_TEST(claim_generation(word | claim_closing) == generation);
            }
}

BOOST_AUTO_TEST_CASE(taking_a_record_counts_and_putting_one_back_does_not) {
    for (const auto generation : generations)
        for (const auto count : counts)
            for (const std::uint64_t closing : {std::uint64_t{0}, claim_closing}) {
                const auto word = make_claim(generation, count, 5) | closing;
                const auto taken = claim_take(word, 9);
                BOOST_TEST(claim_head(taken) == 9u);
                BOOST_TEST(claim_count(taken) == ((count + 1) & 0xffffff));
                BOOST_TEST(claim_generation(taken) == generation);
                BOOST_TEST(claim_is_closing(taken) == claim_is_closing(word));
                // the same head with another count: what tells a list that came round again from the one that was seen
                const auto back = claim_put(taken, 5);
                BOOST_TEST(claim_head(back) == 5u);
                BOOST_TEST(back != word);
                BOOST_TEST(claim_count(back) == claim_count(taken));
                BOOST_TEST(claim_generation(back) == generation);
            }
    BOOST_TEST(claim_head(claim_take(make_claim(1, 0, 3), no_record)) == no_record);
}

BOOST_AUTO_TEST_CASE(claims_are_told_apart_by_their_count_also_when_it_wraps) {
    for (const std::uint32_t seen : {0u, 5u, (1u << 24) - 1, 1u << 23}) {
        BOOST_TEST(claimed_after(seen, seen)); // the first one after the look finds the count that was seen
        for (const std::uint32_t apart : {1u, 2u, 1u << 20}) {
            BOOST_TEST(claimed_after((seen + apart) & 0xffffff, seen));
            BOOST_TEST(!claimed_after((seen - apart) & 0xffffff, seen));
        }
    }
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

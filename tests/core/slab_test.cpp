// The table whose slots never move: every index has a place of its own, the longest free is handed out first, and an index
// that was never made is null, wherever it lies.
#include "core/slab.hpp"

#include "support/support.hpp"

#include <random>
#include <set>
#include <thread>
#include <vector>

namespace {

struct slot {
    std::uint32_t index = ~0u;
    std::atomic<int> owners{0};
};
using table = sigev::core::slab<slot>;

std::uint32_t take(table& t) {
    std::uint32_t index = ~0u;
    BOOST_REQUIRE(t.acquire(index));
    return index;
}

} // namespace

BOOST_AUTO_TEST_SUITE(slab)

BOOST_AUTO_TEST_CASE(an_index_that_was_never_made_is_null) {
    table t;
    // also the last ones that 24 bits can name: a handle may say anything
    for (std::uint64_t index = 0; index < (1ull << 24) + 100; index += index < 300 ? 1 : 4093)
        BOOST_REQUIRE(t.at(static_cast<std::uint32_t>(index)) == nullptr);
    for (std::uint32_t index = (1u << 24) - 200; index != (1u << 24) + 200; ++index)
        BOOST_REQUIRE(t.at(index) == nullptr);
    take(t);
    for (std::uint32_t index = (1u << 24) - 200; index != (1u << 24) + 200; ++index)
        BOOST_REQUIRE(t.at(index) == nullptr);
    BOOST_TEST(t.at(~0u) == nullptr);
}

BOOST_AUTO_TEST_CASE(every_index_has_a_slot_of_its_own_that_knows_it_and_stays) {
    table t;
    std::vector<slot*> places;
    std::set<slot*> distinct;
    for (std::uint32_t i = 0; i != 20000; ++i) {
        const auto index = take(t);
        BOOST_REQUIRE(index == i);
        places.push_back(t.at(index));
        BOOST_REQUIRE(places.back());
        BOOST_REQUIRE(places.back()->index == index);
        BOOST_REQUIRE(distinct.insert(places.back()).second);
    }
    for (std::uint32_t i = 0; i != 20000; ++i)
        BOOST_REQUIRE(t.at(i) == places[i]);
}

BOOST_AUTO_TEST_CASE(the_slot_that_has_been_free_longest_comes_first) {
    table t;
    for (std::uint32_t i = 0; i != table::first_chunk; ++i)
        take(t);
    for (const auto index : {7u, 3u, 40u})
        t.release(index);
    BOOST_TEST(take(t) == 7u);
    t.release(7);
    BOOST_TEST(take(t) == 3u);
    BOOST_TEST(take(t) == 40u);
    BOOST_TEST(take(t) == 7u);
    BOOST_TEST(take(t) == table::first_chunk);
}

BOOST_AUTO_TEST_CASE(each_is_visited_once) {
    table t;
    unsigned visited = 0;
    t.for_each([&](const slot&) { ++visited; });
    BOOST_TEST(visited == 0u);
    take(t);
    take(t);
    std::set<std::uint32_t> seen;
    t.for_each([&](const slot& s) { seen.insert(s.index); });
    BOOST_TEST(seen.size() == 2u); // of those that there is room for, the others have not been made
    BOOST_TEST(t.at(2) == nullptr);
}

BOOST_AUTO_TEST_CASE(what_was_promised_is_there_when_all_else_has_been_taken) {
    table t;
    constexpr unsigned promised = 3 * table::first_chunk;
    BOOST_REQUIRE(t.promise(promised));
    std::set<std::uint32_t> seen;
    for (unsigned i = 0; i != 10 * table::first_chunk; ++i)
        seen.insert(take(t));
    for (unsigned i = 0; i != promised; ++i)
        seen.insert(t.acquire_promised());
    BOOST_TEST(seen.size() == 13 * table::first_chunk);
}

BOOST_AUTO_TEST_CASE(threads_that_take_and_give_back_never_share_a_slot_and_readers_may_look) {
    table t;
    std::atomic<bool> shared{false}, stop{false};
    std::thread reader([&] {
        for (std::uint32_t i = 0; !stop; i = (i + 1) & 0xffff)
            if (const slot* s = t.at(i); s && s->index != i)
                shared = true;
    });
    std::vector<std::thread> takers;
    for (int n = 0; n != 3; ++n)
        takers.emplace_back([&] {
            std::vector<std::uint32_t> mine;
            for (int round = 0; round != 20000; ++round) {
                std::uint32_t index = 0;
                if (mine.size() < 50 && t.acquire(index)) {
                    if (t.at(index)->owners.fetch_add(1) != 0)
                        shared = true;
                    mine.push_back(index);
                } else if (!mine.empty()) {
                    t.at(mine.back())->owners.fetch_sub(1);
                    t.release(mine.back());
                    mine.pop_back();
                }
            }
        });
    for (auto& taker : takers)
        taker.join();
    stop = true;
    reader.join();
    BOOST_TEST(!shared);
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

using runs_table = sigev::core::runs<slot>;

std::uint32_t take_run(runs_table& t, std::uint32_t n) {
    std::uint32_t first = ~0u;
    BOOST_REQUIRE(t.acquire(n, first));
    return first;
}

} // namespace

BOOST_AUTO_TEST_SUITE(runs)

BOOST_AUTO_TEST_CASE(slots_of_a_run_follow_each_other_across_the_chunks) {
    runs_table t;
    const auto first = take_run(t, 1000);
    for (std::uint32_t i = 0; i != 1000; ++i) {
        BOOST_REQUIRE(t.at(first + i));
        BOOST_REQUIRE(t.at(first + i)->index == first + i);
    }
}

BOOST_AUTO_TEST_CASE(what_is_given_back_joins_its_neighbours_and_serves_again) {
    runs_table t;
    const auto a = take_run(t, 100), b = take_run(t, 200), c = take_run(t, 50);
    std::uint32_t made = 0;
    t.for_each([&](const slot&) { ++made; });
    t.release(100, a);
    t.release(50, c);
    t.release(200, b); // between the two
    BOOST_TEST(take_run(t, 350) == a);
    std::uint32_t now = 0;
    t.for_each([&](const slot&) { ++now; });
    BOOST_TEST(now == made);
}

BOOST_AUTO_TEST_CASE(a_request_that_cannot_be_served_takes_nothing) {
    runs_table t;
    std::uint32_t first = 0;
    BOOST_TEST(!t.acquire(runs_table::limit + 1, first));
}

// Runs of all lengths, taken and given back at random, against a map of who has what.
BOOST_AUTO_TEST_CASE(no_slot_is_had_twice) {
    runs_table t;
    std::minstd_rand random(20261125);
    struct run {
        std::uint32_t first, n;
    };
    std::vector<run> mine;
    for (int step = 0; step != 20000; ++step) {
        if (mine.size() < 60 && random() % 2) {
            const auto n = static_cast<std::uint32_t>(random() % 4 ? 1 : random() % 300 + 1);
            mine.push_back({take_run(t, n), n});
            for (std::uint32_t i = 0; i != n; ++i)
                BOOST_REQUIRE(t.at(mine.back().first + i)->owners.fetch_add(1) == 0);
        } else if (!mine.empty()) {
            std::swap(mine[random() % mine.size()], mine.back());
            for (std::uint32_t i = 0; i != mine.back().n; ++i)
                t.at(mine.back().first + i)->owners.fetch_sub(1);
            t.release(mine.back().n, mine.back().first);
            mine.pop_back();
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

#include "sys/ready_bitmap.hpp"

#include "support/stepping.hpp"
#include "support/support.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <vector>

using sigev::sys::ready_bitmap;
using namespace sigev_tests;

namespace {

std::vector<std::size_t> take(ready_bitmap& bitmap)
{
    std::vector<std::size_t> all;
    bitmap.take_all([&](std::size_t index) { all.push_back(index); });
    std::sort(all.begin(), all.end());
    return all;
}

using indices = std::vector<std::size_t>;

} // namespace

BOOST_AUTO_TEST_SUITE(ready_bitmap_set)

BOOST_AUTO_TEST_CASE(an_empty_one_has_nothing)
{
    ready_bitmap bitmap;
    BOOST_TEST(!bitmap.any());
    BOOST_TEST(take(bitmap).empty());
    BOOST_TEST(bitmap.grow(1));
    BOOST_TEST(!bitmap.any());
    BOOST_TEST(take(bitmap).empty());
}

BOOST_AUTO_TEST_CASE(what_is_set_is_taken_once)
{
    ready_bitmap bitmap;
    BOOST_TEST(bitmap.grow(100));
    bitmap.set(7);
    bitmap.set(99);
    bitmap.set(7);
    BOOST_TEST(bitmap.any());
    BOOST_TEST(take(bitmap) == (indices{7, 99}), boost::test_tools::per_element());
    BOOST_TEST(!bitmap.any());
    BOOST_TEST(take(bitmap).empty());
}

BOOST_AUTO_TEST_CASE(one_alone_is_found_on_every_level_and_edge)
{
    ready_bitmap bitmap;
    BOOST_TEST(bitmap.grow(64 * ready_bitmap::group_size + 1)); // two root words
    for (std::size_t i :
         {std::size_t{0}, std::size_t{63}, std::size_t{64}, ready_bitmap::group_size - 1, ready_bitmap::group_size,
          5 * ready_bitmap::group_size + 1, 64 * ready_bitmap::group_size - 1, 64 * ready_bitmap::group_size}) {
        bitmap.set(i);
        BOOST_TEST(bitmap.any());
        BOOST_TEST(take(bitmap) == indices{i}, boost::test_tools::per_element());
        BOOST_TEST(!bitmap.any());
    }
}

BOOST_AUTO_TEST_CASE(what_stands_is_what_was_set_and_not_taken)
{
    ready_bitmap bitmap;
    constexpr std::size_t group = ready_bitmap::group_size;
    BOOST_TEST(bitmap.grow(64 * group + 65));
    for (const std::size_t i : {std::size_t{0}, std::size_t{64}, group, 63 * group + 70, 64 * group}) {
        BOOST_TEST(!bitmap.stands(i));
        bitmap.set(i);
        BOOST_TEST(bitmap.stands(i) == 1u);
        BOOST_TEST(!bitmap.stands(i + 1));  // of the same word
        BOOST_TEST(!bitmap.stands(i + 64)); // of the same group
        BOOST_TEST(take(bitmap) == indices{i}, boost::test_tools::per_element());
        BOOST_TEST(!bitmap.stands(i));
    }
}

// Or the setter that comes next would find that there is nothing to do, and whoever takes nothing to take.
BOOST_AUTO_TEST_CASE(what_stands_is_found_wherever_its_setter_has_stopped)
{
    stepping steps;
    ready_bitmap bitmap;
    BOOST_TEST(bitmap.grow(10 * ready_bitmap::group_size));
    for (const std::size_t i : {std::size_t{70}, 9 * ready_bitmap::group_size + 70}) {
        const unsigned places = steps.each([&](unsigned k) {
            bool found = true;
            const bool more = steps.interrupted(
                k, [&] { bitmap.set(i); }, [&] { found = !bitmap.stands(i) || bitmap.any(); });
            BOOST_REQUIRE(found);
            BOOST_REQUIRE(take(bitmap) == indices{i});
            return more;
        });
        BOOST_TEST(places > 3u);
    }
}

BOOST_AUTO_TEST_CASE(growing_keeps_what_is_set)
{
    ready_bitmap bitmap;
    std::set<std::size_t> expected;
    for (std::size_t size = 1; size < 2'000'000; size = size * 3 + 1) {
        BOOST_REQUIRE(bitmap.grow(size));
        bitmap.set(size - 1);
        expected.insert(size - 1);
    }
    BOOST_TEST(take(bitmap) == indices(expected.begin(), expected.end()), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(there_is_an_end_to_growing)
{
    ready_bitmap bitmap;
    BOOST_TEST(!bitmap.grow(ready_bitmap::max_size + 1));
    BOOST_TEST(ready_bitmap::max_size >= 64'000'000u);
}

BOOST_AUTO_TEST_CASE(random_sets_are_taken_whole)
{
    ready_bitmap bitmap;
    BOOST_TEST(bitmap.grow(600'000));
    std::mt19937 random(1);
    std::uniform_int_distribution<std::size_t> any_index(0, 599'999);
    for (int round = 0; round < 50; ++round) {
        std::set<std::size_t> expected;
        for (int i = 0; i < 1000; ++i) {
            const std::size_t index = any_index(random);
            expected.insert(index);
            bitmap.set(index);
        }
        BOOST_REQUIRE(take(bitmap) == indices(expected.begin(), expected.end()));
        BOOST_REQUIRE(!bitmap.any());
    }
}

// Each setter counts up a number per index and then sets its bit; once they are through, whoever takes must have seen
// the last number of each index, or the bit must still be there.
BOOST_AUTO_TEST_CASE(what_setters_wrote_before_is_seen_by_who_takes)
{
    constexpr std::size_t many = 2 * ready_bitmap::group_size;
    constexpr int setters = 3, rounds = 40;
    ready_bitmap bitmap;
    BOOST_TEST(bitmap.grow(many));
    const auto written = std::make_unique<std::atomic<unsigned>[]>(many);
    std::vector<unsigned> seen(many, 0);
    std::atomic<int> working{setters};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < setters; ++t)
        threads.emplace_back([&, t] {
            std::mt19937 random(t);
            for (std::size_t i = 0; i < rounds * many; ++i) {
                // few indices at a time, so that setters and taker meet on the same words
                const std::size_t index = (i / 512 * 64 + random() % 64) % many;
                written[index].fetch_add(1, std::memory_order_relaxed);
                bitmap.set(index);
            }
            working.fetch_sub(1);
        });
    const auto look = [&](std::size_t index) { seen[index] = written[index].load(std::memory_order_relaxed); };
    while (working != 0)
        bitmap.take_all(look);
    for (auto& t : threads)
        t.join();
    while (bitmap.any())
        bitmap.take_all(look);
    std::size_t missed = 0;
    for (std::size_t i = 0; i < many; ++i)
        missed += seen[i] != written[i];
    BOOST_TEST(missed == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

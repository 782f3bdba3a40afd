// Buckets, quantiles, and adding from several threads at once.
#include "tool/histogram.hpp"

#include "support/support.hpp"

#include <limits>
#include <thread>
#include <vector>

using namespace sigev::tool;

namespace {

constexpr auto largest = std::numeric_limits<std::uint64_t>::max();

// The buckets lie side by side, and the last one ends where the numbers do.
constexpr bool without_gaps() {
    for (std::size_t b = 0; b + 1 != buckets::count; ++b)
        if (buckets::lowest(b) + buckets::width(b) != buckets::lowest(b + 1))
            return false;
    return true;
}
static_assert(without_gaps());
static_assert(buckets::of(largest) == buckets::count - 1);

} // namespace

BOOST_AUTO_TEST_SUITE(histogram_)

BOOST_AUTO_TEST_CASE(a_value_lies_in_its_bucket) {
    for (unsigned bit = 0; bit != 64; ++bit)
        for (const std::uint64_t offset : {-1, 0, 1}) {
            const std::uint64_t value = (std::uint64_t(1) << bit) + offset;
            const auto bucket = buckets::of(value);
            BOOST_TEST(bucket < buckets::count);
            BOOST_TEST(value - buckets::lowest(bucket) < buckets::width(bucket));
        }
}

BOOST_AUTO_TEST_CASE(without_a_sample_there_is_no_latency) {
    BOOST_TEST(histogram().take().quantile(0.5) == 0u);
    BOOST_TEST(histogram().take().total() == 0u);
}

BOOST_AUTO_TEST_CASE(quantiles_are_off_by_a_sixteenth_at_most) {
    histogram h;
    for (int i = 1; i <= 100'000; ++i)
        h.add(i);
    const auto taken = h.take();
    for (const double q : {0.01, 0.5, 0.99, 1.0}) {
        const double exact = q * 100'000;
        BOOST_TEST(std::abs(double(taken.quantile(q)) - exact) <= exact / 16);
    }
    BOOST_TEST(taken.quantile(0) == 1u); // the least sample
}

BOOST_AUTO_TEST_CASE(few_samples_are_ranked_by_their_number) {
    histogram h;
    for (const int sample : {1, 2, 3, 4})
        h.add(sample);
    BOOST_TEST(h.take().quantile(0.5) == 2u);
    BOOST_TEST(h.take().quantile(0.51) == 3u);
    BOOST_TEST(h.take().quantile(0.99) == 4u);
}

BOOST_AUTO_TEST_CASE(negative_latency_counts_as_none) {
    histogram h;
    h.add(-5);
    BOOST_TEST(h.take().counts[0] == 1u);
}

BOOST_AUTO_TEST_CASE(octaves_hold_each_sample_once) {
    histogram h;
    for (const std::int64_t sample : {1023, 1024, 2047, 2048})
        h.add(sample);
    const auto taken = h.take();
    BOOST_TEST(taken.between(3, 10) == 1u);
    BOOST_TEST(taken.between(10, 11) == 2u);
    BOOST_TEST(taken.between(11, 64) == 1u);
}

BOOST_AUTO_TEST_CASE(no_sample_is_lost_when_threads_add_at_once) {
    histogram h;
    constexpr int each = 100'000;
    std::vector<std::thread> threads;
    for (int t = 0; t != 4; ++t)
        threads.emplace_back([&h, t] {
            for (int i = 0; i != each; ++i)
                h.add(t);
        });
    for (auto& thread : threads)
        thread.join();
    const auto taken = h.take();
    for (std::size_t t = 0; t != 4; ++t)
        BOOST_TEST(taken.counts[t] == std::uint64_t(each));
}

BOOST_AUTO_TEST_SUITE_END()

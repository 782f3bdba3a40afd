// Handles as numbers: every part survives, and numbers that others give to timers are not taken for ours.
#include "core/handle.hpp"

#include "support/support.hpp"

#include <random>

#include <signal.h>
#include <time.h>

using namespace sigev::core;

namespace {

constexpr handle_kind kinds[] = {handle_kind::subscription, handle_kind::reactor, handle_kind::timer};

} // namespace

BOOST_AUTO_TEST_SUITE(handles)

BOOST_AUTO_TEST_CASE(what_is_encoded_is_decoded) {
    std::mt19937 generator(3);
    const auto random = [&](std::uint32_t mask) { return static_cast<std::uint32_t>(generator()) & mask; };
    for (const auto kind : kinds)
        for (int i = 0; i != 10000; ++i) {
            const bool timer = kind == handle_kind::timer;
            const handle h{
                kind, random(epoch_mask), timer ? random(max_engine) : 0,
                random(timer ? timer_generation_mask : generation_mask), random(max_index)};
            BOOST_REQUIRE((decode(encode(h)) == h));
        }
}

BOOST_AUTO_TEST_CASE(the_greatest_of_each_part_touches_no_other) {
    for (const auto kind : kinds) {
        const bool timer = kind == handle_kind::timer;
        const handle parts[] = {
            {kind, epoch_mask, 0, 0, 0},
            {kind, 0, timer ? max_engine : 0, 0, 0},
            {kind, 0, 0, timer ? timer_generation_mask : generation_mask, 0},
            {kind, 0, 0, 0, max_index}};
        for (const auto& h : parts)
            BOOST_TEST((decode(encode(h)) == h));
    }
}

BOOST_AUTO_TEST_CASE(counters_that_outgrow_their_part_wrap_and_stay_in_it) {
    const handle h{handle_kind::subscription, epoch_mask + 1, 0, generation_mask + 1, 7};
    BOOST_TEST((decode(encode(h)) == handle{handle_kind::subscription, 0, 0, 0, 7}));
    const handle t{handle_kind::timer, 0, 0, timer_generation_mask + 2, 7};
    BOOST_TEST((decode(encode(t)) == handle{handle_kind::timer, 0, 0, 1, 7}));
}

BOOST_AUTO_TEST_CASE(no_handle_is_zero_and_none_has_the_top_bit) {
    for (const auto kind : kinds) {
        BOOST_TEST(encode({kind, 0, 0, 0, 0}) != 0u);
        const auto all = encode({kind, ~0u, kind == handle_kind::timer ? ~0u : 0, ~0u, ~0u});
        BOOST_TEST((all >> 63) == 0u);
    }
}

// The kernel's timer ids are small numbers, glibc's SIGEV_THREAD timers have the top bit set and are pointers shifted.
BOOST_AUTO_TEST_CASE(timer_ids_of_the_kernel_and_of_libc_are_not_ours) {
    const auto ours = [](std::uint64_t number) { return decode(number).kind == handle_kind::timer; };
    for (std::uint64_t id = 0; id != 100000; ++id)
        BOOST_REQUIRE(!ours(id));
    BOOST_TEST(!ours(0x7fffffff));
    BOOST_TEST(!ours(static_cast<std::uint64_t>(-1)));
    BOOST_TEST(!ours(static_cast<std::uint64_t>(-1LL << 32)));
    for (const std::uint64_t pointer : {0x00007fffffffffffull, 0x0000555555555550ull, 0x00ffffffffffffffull}) {
        BOOST_TEST(!ours(pointer));
        BOOST_TEST(!ours(pointer >> 1 | std::uint64_t{1} << 63));
    }
    sigevent event{};
    event.sigev_notify = SIGEV_NONE;
    timer_t real{};
    BOOST_REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &real) == 0);
    BOOST_TEST(!ours(reinterpret_cast<std::uint64_t>(real)));
    timer_delete(real);
}

BOOST_AUTO_TEST_SUITE_END()

// Generation and pins in one word: a stale pin holds nothing, a pinned slot does not change hands, and it changes hands once.
#include "core/generation.hpp"

#include "support/support.hpp"

#include <thread>
#include <vector>

using sigev::core::generation_word;

namespace {
constexpr std::uint32_t whole = ~0u;
}

BOOST_AUTO_TEST_SUITE(generation)

BOOST_AUTO_TEST_CASE(a_pin_of_another_generation_fails_and_leaves_none_behind) {
    generation_word word;
    const auto born = word.generation();
    BOOST_TEST(!word.pin(born + 1, whole));
    BOOST_TEST(!word.pin(born - 1, whole));
    BOOST_TEST(word.end(born));
    BOOST_TEST(word.advance_if_unpinned());
}

BOOST_AUTO_TEST_CASE(generations_are_compared_in_the_bits_that_the_handle_has) {
    generation_word word;
    const auto born = word.generation();
    BOOST_TEST(word.pin(born | 0xff000000, 0x00ffffff));
    BOOST_TEST(word.unpin());
    BOOST_TEST(word.pin(0, 0)); // no bits: whoever has it
    BOOST_TEST(word.unpin());
}

BOOST_AUTO_TEST_CASE(a_generation_ends_once_and_waits_for_its_pins) {
    generation_word word;
    const auto born = word.generation();
    BOOST_TEST(word.pin(born, whole));
    BOOST_TEST(word.pin(born, whole));
    BOOST_TEST(word.end(born));
    BOOST_TEST(!word.end(born));
    BOOST_TEST(!word.pin(born, whole));
    BOOST_TEST(!word.advance_if_unpinned());
    BOOST_TEST(!word.unpin());
    BOOST_TEST(!word.advance_if_unpinned());
    BOOST_TEST(word.unpin());
    BOOST_TEST(word.advance_if_unpinned());
    BOOST_TEST(word.generation() == born + 2);
    BOOST_TEST(word.pin(born + 2, whole));
    BOOST_TEST(word.unpin());
}

// An owner that ends and hands on against others who pin: nobody is inside when it changes hands.
BOOST_AUTO_TEST_CASE(nobody_is_inside_when_the_slot_changes_hands) {
    generation_word word;
    std::atomic<std::uint32_t> alive{word.generation()};
    std::atomic<bool> stop{false}, mistaken{false};
    std::atomic<long> entered{0};
    std::vector<std::thread> visitors;
    for (int n = 0; n != 2; ++n)
        visitors.emplace_back([&] {
            while (!stop) {
                const auto generation = alive.load();
                if (!word.pin(generation, whole))
                    continue;
                for (int look = 0; look != 20; ++look) // ended it may be, but not anybody else's
                    if (word.generation() != generation && word.generation() != generation + 1)
                        mistaken = true;
                ++entered;
                word.unpin();
            }
        });
    for (int round = 0; round != 20000; ++round) {
        const auto generation = word.generation();
        BOOST_REQUIRE(word.end(generation));
        while (!word.advance_if_unpinned())
            std::this_thread::yield();
        alive = generation + 2;
    }
    sigev_tests::wait_until([&] { return entered > 0; });
    stop = true;
    for (auto& visitor : visitors)
        visitor.join();
    BOOST_TEST(!mistaken);
}

BOOST_AUTO_TEST_SUITE_END()

// The two stresses of the timer protocol: no expiry is lost, and no generation is mistaken for another. Half a second
// each, SIGEV_STRESS_SECONDS for longer. The variant SIGEV_FORCE=noatomic16 runs them over the lock of sys/atomic16.
#include "stress/timer_arena.hpp"
#include "stress/timer_books.hpp"
#include "support/stress.hpp"
#include "support/support.hpp"
#include "sys/clock.hpp"

#include <thread>
#include <vector>

using namespace sigev_tests;
namespace spi = sigev::spi;

namespace {

void stress(const arena_options& options)
{
    const arena_result result = run_arena(options);
    BOOST_TEST_MESSAGE(to_string(result));
    BOOST_TEST(result.good(), to_string(result));
    BOOST_TEST(result.rounds > 0u);
    BOOST_TEST(result.fired > 0u);
}

// Values whose interval has no room in the slot's word, and says which deadline it came with.
spi::timer_value wide_value(std::uint64_t n)
{
    const std::uint64_t deadline = sigev::sys::now(CLOCK_MONOTONIC) + arena_far + n;
    return {deadline, arena_wide + (deadline << 8 >> 2), spi::timer_base::steady};
}

struct deaf final : spi::timer_sink {
    void expired(std::uint32_t, std::uint32_t, std::uint64_t, std::uint64_t, spi::timer_base) noexcept override {}
    void wake() noexcept override {}
    void retired(std::uint32_t, std::uint32_t) noexcept override {}
};

} // namespace

BOOST_AUTO_TEST_SUITE(timer_stress)

BOOST_AUTO_TEST_CASE(an_interval_comes_back_with_the_deadline_that_it_was_set_with, *deadline(600))
{
    deaf sink;
    const auto engine = spi::make_heap_engine(CLOCK_MONOTONIC, sink);
    std::uint32_t slot = 0, generation = 0;
    BOOST_REQUIRE(engine->create(false, slot, generation) == 0);
    std::atomic<std::uint64_t> looks{0}, torn{0};
    const auto look_at = [&](const spi::timer_value& v) {
        looks.fetch_add(1);
        torn.fetch_add(v.interval != 0 && v.interval != arena_wide + (v.deadline << 8 >> 2));
    };
    const std::uint64_t end = sigev::sys::now(CLOCK_MONOTONIC) + stress_nanoseconds();
    std::vector<std::thread> threads;
    for (std::uint64_t n = 0; n != 3; ++n)
        threads.emplace_back([&, n] {
            for (std::uint64_t i = 0; i <= 50 || sigev::sys::now(CLOCK_MONOTONIC) < end; ++i) {
                const spi::timer_value narrow{sigev::sys::now(CLOCK_MONOTONIC) + arena_far, 0, spi::timer_base::steady};
                look_at(engine->settime(slot, generation, (i + n) % 4 == 0 ? narrow : wide_value(i)).old);
                look_at(engine->gettime(slot, generation).old);
            }
        });
    for (std::thread& t : threads)
        t.join();
    BOOST_TEST(looks > 100u);
    BOOST_TEST(torn == 0u);
}

BOOST_AUTO_TEST_CASE(two_timers_lose_no_expiry, *deadline(600))
{
    stress({.timers = 2, .storm = true});
}

BOOST_AUTO_TEST_CASE(many_timers_on_two_bases_lose_no_expiry, *deadline(600))
{
    stress({.timers = 32, .wall = true, .periodic = true, .storm = true});
}

BOOST_AUTO_TEST_CASE(with_slack_and_precision_no_expiry_is_lost, *deadline(600))
{
    stress({.timers = 6, .wall = true, .periodic = true, .storm = true, .wishes = true});
}

BOOST_AUTO_TEST_CASE(with_slack_and_precision_generations_are_not_mistaken, *deadline(600))
{
    stress({.timers = 6, .wall = true, .periodic = true, .recreate = true, .quantised = true, .wishes = true});
}

BOOST_AUTO_TEST_CASE(generations_are_not_mistaken, *deadline(600))
{
    stress({.timers = 4, .wall = true, .periodic = true, .recreate = true, .quantised = true});
}

BOOST_AUTO_TEST_CASE(generations_are_not_mistaken_under_signals, *deadline(600))
{
    stress({.timers = 8, .wall = true, .periodic = true, .recreate = true, .quantised = true, .storm = true,
            .steady = CLOCK_BOOTTIME});
}

BOOST_AUTO_TEST_SUITE_END()

// The heap engine behind its contract: what fires, when, how often, and what is said of it afterwards.
#include "backends/timer_fixture.hpp"

using namespace sigev_tests;

namespace {

struct boottime_fixture : timer_fixture {
    boottime_fixture() : timer_fixture(CLOCK_BOOTTIME) {}
};

/// A clock that stands still, at an hour.
struct still_fixture : timer_fixture {
    still_fixture() : timer_fixture(CLOCK_MONOTONIC, &manual) { manual.set_steady(hour); }

    sigev::sys::manual_time manual;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(timer_heap, timer_fixture)

BOOST_AUTO_TEST_CASE(a_one_shot_fires_once_and_never_early)
{
    const timer t = make();
    for (int i = 1; i <= 20; ++i) {
        const std::uint64_t deadline = now() + 300 * us;
        set(t, deadline);
        BOOST_REQUIRE(run_until_fired(static_cast<std::size_t>(i)));
        BOOST_TEST(fired.back().at >= deadline);
        BOOST_TEST(fired.back().scheduled == deadline);
        BOOST_TEST(fired.back().missed == 0u);
        BOOST_TEST(get(t).old.deadline == 0u);
        BOOST_TEST(!readable());
    }
    reap();
    BOOST_TEST(fired.size() == 20u);
}

BOOST_AUTO_TEST_CASE(deadlines_come_in_their_order)
{
    with_time_enough([this](std::uint64_t unit) {
        const std::uint64_t start = now() + unit;
        for (std::uint64_t i : {3u, 1u, 4u, 0u, 2u})
            set(make(), start + i * 100 * us);
        reap();
        if (now() >= start)
            return false; // all that has come by then is found at once
        BOOST_REQUIRE(run_until_fired(5));
        for (std::uint64_t i = 0; i < 5; ++i)
            BOOST_TEST(fired[i].scheduled == start + i * 100 * us);
        return true;
    });
}

BOOST_FIXTURE_TEST_CASE(many_that_are_due_together_come_in_their_order, still_fixture)
{
    constexpr std::uint64_t many = 1'000;
    for (std::uint64_t i = 0; i != many; ++i)
        set(make(), hour + s - (i * 7 % many) * us, i % 3 == 0 ? s : 0);
    const timer later = make();
    set(later, hour + 2 * s + us);
    reap();
    BOOST_TEST(fired.empty());
    manual.set_steady(hour + s);
    reap();
    BOOST_REQUIRE(fired.size() == many);
    for (std::uint64_t i = 0; i != many; ++i)
        BOOST_REQUIRE(fired[i].scheduled == hour + s - (many - 1 - i) * us);
    fired.clear();
    manual.set_steady(hour + 2 * s + us);
    reap();
    BOOST_TEST(fired.size() == many / 3 + 2); // the periodic ones, and the one that was not due
    BOOST_TEST((fired.back().what == later));
}

// Each that comes changes some that are due with it, and have been taken out of the heap like itself.
BOOST_FIXTURE_TEST_CASE(who_is_due_can_still_be_changed_by_who_comes_before, still_fixture)
{
    constexpr std::size_t many = 600;
    std::vector<timer> all;
    for (std::size_t i = 0; i != many; ++i)
        set(all.emplace_back(make(true)), hour + s + i * us);
    reap();
    manual.set_steady(hour + s + s);
    std::vector<std::size_t> due;
    for (std::size_t i = 0; i != many; i += 6) { // the first of six: see below
        due.push_back(i);
        due.push_back(i + 5);
    }
    std::size_t came = 0;
    on_expired = [&](const timer& t) {
        if (t == all[came / 2 * 6] && came % 2 == 0) {
            set(all[came / 2 * 6 + 1], 0);
            set(all[came / 2 * 6 + 2], hour + 3 * s);
            set(all[came / 2 * 6 + 3], 2 * hour, 0, timer_base::wall);
            destroy(all[came / 2 * 6 + 4]);
            set(all[came / 2 * 6 + 5], hour); // and due all the same
        }
        ++came;
    };
    reap();
    BOOST_REQUIRE(fired.size() == due.size());
    for (std::size_t i = 0; i != due.size(); ++i)
        BOOST_REQUIRE((fired[i].what == all[due[i]]));
    BOOST_TEST(gone.size() == many / 6);
    on_expired = nullptr;
    fired.clear();
    manual.set_steady(hour + 3 * s);
    reap();
    BOOST_TEST(fired.size() == many / 6);
    manual.set_wall(2 * hour);
    reap();
    BOOST_TEST(fired.size() == many / 3);
}

BOOST_AUTO_TEST_CASE(a_time_that_has_passed_fires_at_once)
{
    const timer t = make();
    reap();
    set(t, 1);
    BOOST_TEST(wakes == 1);
    reap();
    BOOST_REQUIRE(fired.size() == 1u);
    BOOST_TEST(fired[0].scheduled == 1u);
    BOOST_TEST((fired[0].what == t));
    BOOST_TEST(!readable());
}

BOOST_FIXTURE_TEST_CASE(a_periodic_one_in_the_past_catches_up_in_one_notification, still_fixture)
{
    const timer t = make();
    const std::uint64_t first = now() - 10 * s - s / 2;
    set(t, first, s);
    reap();
    BOOST_REQUIRE(fired.size() == 1u);
    BOOST_TEST(fired[0].missed == 10u);
    BOOST_TEST(fired[0].scheduled == first);
    const timer_value left = get(t).old;
    BOOST_TEST(left.deadline == first + 11 * s);
    BOOST_TEST(left.interval == s);
}

BOOST_AUTO_TEST_CASE(a_periodic_one_counts_every_period_and_does_not_drift)
{
    const timer t = make();
    const std::uint64_t first = now() + ms, interval = 200 * us;
    set(t, first, interval);
    BOOST_REQUIRE(run_until_fired(20));
    std::uint64_t expirations = 0;
    for (const expiry& e : fired) {
        BOOST_TEST(e.scheduled == first + expirations * interval);
        expirations += 1 + e.missed;
        BOOST_TEST(e.at >= first + (expirations - 1) * interval);
    }
    BOOST_TEST(get(t).old.deadline == first + expirations * interval);
}

BOOST_AUTO_TEST_CASE(the_shortest_interval_fires_once_a_turn)
{
    const timer t = make();
    set(t, now() - ms, 1);
    reap();
    BOOST_TEST(fired.size() == 1u);
    BOOST_TEST(fired[0].missed >= ms);
}

BOOST_AUTO_TEST_CASE(arming_earlier_moves_it_forward)
{
    const timer t = make();
    set(t, now() + hour);
    reap();
    const std::uint64_t deadline = now() + ms;
    BOOST_TEST(set(t, deadline).valid);
    BOOST_REQUIRE(run_until_fired(1));
    BOOST_TEST(fired[0].scheduled == deadline);
}

BOOST_AUTO_TEST_CASE(arming_later_is_silent_and_settled_when_it_surfaces)
{
    with_time_enough([this](std::uint64_t unit) {
        const timer t = make();
        const std::uint64_t first = now() + unit, deadline = first + 10 * ms;
        set(t, first);
        reap();
        const int before = wakes;
        set(t, deadline);
        const int woken = wakes - before;
        if (now() >= first)
            return false;
        BOOST_TEST(woken == 0);
        BOOST_REQUIRE(run_until_fired(1));
        BOOST_TEST(fired[0].scheduled == deadline);
        BOOST_TEST(fired[0].at >= deadline);
        return true;
    });
}

BOOST_AUTO_TEST_CASE(a_disarmed_one_does_not_fire)
{
    with_time_enough([this](std::uint64_t unit) {
        const timer t = make();
        const std::uint64_t deadline = now() + unit;
        set(t, deadline);
        reap();
        set(t, 0, 5 * s);
        if (now() >= deadline)
            return false;
        BOOST_REQUIRE(readable(static_cast<int>(patience.count()))); // what is left of it surfaces
        reap();
        BOOST_TEST(fired.empty());
        BOOST_TEST(!readable());
        BOOST_TEST(get(t).old.deadline == 0u);
        BOOST_TEST(get(t).old.interval == 0u);
        return true;
    });
}

BOOST_AUTO_TEST_CASE(the_old_value_is_what_was_replaced)
{
    const timer t = make(true);
    const std::uint64_t far = now() + hour;
    BOOST_TEST(set(t, far, 7).old.deadline == 0u);
    reap();
    timer_exchange done = set(t, far + 1, 8, timer_base::wall);
    BOOST_TEST(done.valid);
    BOOST_TEST(done.old.deadline == far);
    BOOST_TEST(done.old.interval == 7u);
    BOOST_TEST((done.old.base == timer_base::steady));
    done = set(t, 0);
    BOOST_TEST(done.old.deadline == far + 1);
    BOOST_TEST(done.old.interval == 8u);
    BOOST_TEST((done.old.base == timer_base::wall));
    set(t, far);
    BOOST_TEST(engine->destroy(t.slot, t.generation).old.deadline == far);
}

BOOST_AUTO_TEST_CASE(values_beyond_63_bits_are_clamped)
{
    const timer t = make();
    set(t, ~0ull, ~0ull);
    reap();
    BOOST_TEST(get(t).old.deadline == (1ull << 63) - 2);
    BOOST_TEST(get(t).old.interval == (1ull << 63) - 2);
    BOOST_TEST(fired.empty());
}

BOOST_AUTO_TEST_CASE(the_wall_base_fires_and_moves)
{
    const timer t = make(true);
    const std::uint64_t deadline = now(timer_base::wall) + ms;
    BOOST_TEST(set(t, deadline, 0, timer_base::wall).valid);
    BOOST_REQUIRE(run_until_fired(1));
    BOOST_TEST(fired[0].scheduled == deadline);
    BOOST_TEST(now(timer_base::wall) >= deadline);
    BOOST_TEST(!readable());

    // to and fro while it stands in a heap, later in numbers each time
    set(t, now() + hour);
    reap();
    set(t, now(timer_base::wall) + ms, 0, timer_base::wall);
    BOOST_REQUIRE(run_until_fired(2));
    set(t, now(timer_base::wall) + hour, 0, timer_base::wall);
    reap();
    set(t, now() + ms);
    BOOST_REQUIRE(run_until_fired(3));
    BOOST_TEST(!readable());
}

BOOST_AUTO_TEST_CASE(the_wall_descriptor_is_opened_by_the_first_who_needs_it)
{
    int fds[2];
    BOOST_TEST(engine->descriptors(fds) == 0u);
    const timer t = make();
    BOOST_TEST(engine->descriptors(fds) == 1u);
    BOOST_TEST(!set(t, hour, 0, timer_base::wall).valid);
    make(true);
    BOOST_TEST(engine->descriptors(fds) == 2u);
    BOOST_TEST(set(t, hour, 0, timer_base::wall).valid);
}

BOOST_FIXTURE_TEST_CASE(boottime_is_another_steady_clock, boottime_fixture)
{
    const timer t = make();
    const std::uint64_t deadline = now() + ms;
    set(t, deadline, 300 * us);
    BOOST_REQUIRE(run_until_fired(3));
    BOOST_TEST(fired[0].scheduled == deadline);
    for (const expiry& e : fired)
        BOOST_TEST(e.at >= e.scheduled);
}

BOOST_AUTO_TEST_CASE(many_timers_fire_each_once)
{
    constexpr std::size_t many = 20'000;
    std::vector<int> count(many + 1);
    on_expired = [&](timer t) { ++count[t.slot]; };
    const std::uint64_t start = now() + 2 * ms;
    for (std::size_t i = 0; i < many; ++i)
        set(make(), start + i * 7919 % (10 * ms));
    BOOST_REQUIRE(run_until_fired(many));
    BOOST_TEST(!readable());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < many; ++i)
        wrong += count[i] != 1;
    BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

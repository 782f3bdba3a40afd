// The steps of the timer protocol one by one: the sink's calls come from inside settime() and reap(), so what must
// happen in the middle of them is done there. What happens by chance is in stress/timer_stress_test.cpp.
#include "backends/timer_fixture.hpp"

#include <csetjmp>
#include <utility>

using namespace sigev_tests;

BOOST_FIXTURE_TEST_SUITE(timer_protocol, timer_fixture)

// ---- who is woken

BOOST_AUTO_TEST_CASE(only_an_earlier_deadline_wakes)
{
    const timer a = make(), b = make(), c = make();
    reap();
    set(a, now() + 1 * hour);
    BOOST_TEST(wakes == 1); // nothing was to be waited for
    reap();
    set(b, now() + 2 * hour);
    BOOST_TEST(wakes == 1);
    set(c, now() + hour / 2);
    BOOST_TEST(wakes == 2);
    set(a, 0);
    BOOST_TEST(wakes == 2);
}

BOOST_AUTO_TEST_CASE(bases_have_horizons_of_their_own)
{
    const timer a = make(true), b = make(true);
    reap();
    set(a, 10 * hour + now());
    reap();
    const int before = wakes;
    set(b, now(timer_base::wall) + 20 * hour, 0, timer_base::wall);
    BOOST_TEST(wakes == before + 1);
    reap();
    set(a, now(timer_base::wall) + 30 * hour, 0, timer_base::wall);
    BOOST_TEST(wakes == before + 1);
}

BOOST_AUTO_TEST_CASE(what_was_set_silently_is_found_at_the_next_turn)
{
    with_time_enough([this](std::uint64_t unit) {
        const timer a = make(), b = make();
        const std::uint64_t first = now() + unit, second = first + unit;
        set(a, first);
        reap();
        const int before = wakes;
        set(b, second);
        const int woken = wakes - before;
        if (now() >= first)
            return false;
        BOOST_TEST(woken == 0);
        BOOST_REQUIRE(run_until_fired(2));
        if (fired[0].at >= second)
            return false; // both were due at one turn, which settles first what is new
        BOOST_TEST((fired[0].what == a));
        BOOST_TEST((fired[1].what == b));
        return true;
    });
}

// ---- intervals that have no room in the slot's word

BOOST_AUTO_TEST_CASE(wide_intervals_come_back_as_they_were_set)
{
    constexpr std::uint64_t wide = (std::uint64_t{1} << 47) + 12'345, wider = (std::uint64_t{1} << 62) + 1;
    const timer t = make();
    set(t, now() + hour, wide);
    BOOST_TEST(get(t).old.interval == wide);
    BOOST_TEST(set(t, now() + hour, wider).old.interval == wide);
    BOOST_TEST(set(t, now() + hour, ms).old.interval == wider);
    BOOST_TEST(set(t, now() + hour, wide).old.interval == ms);
    BOOST_TEST(set(t, 0).old.interval == wide);
    BOOST_TEST(get(t).old.interval == 0u);
    set(t, now() + hour, wider);
    BOOST_TEST(engine->destroy(t.slot, t.generation).old.interval == wider);
    BOOST_TEST(!get(t).valid);
}

BOOST_AUTO_TEST_CASE(a_wide_interval_is_reloaded)
{
    constexpr std::uint64_t wide = (std::uint64_t{1} << 47) + 12'345;
    const timer t = make();
    const std::uint64_t first = now();
    set(t, first, wide);
    BOOST_REQUIRE(run_until_fired(1));
    BOOST_TEST(get(t).old.deadline == first + wide);
    BOOST_TEST(get(t).old.interval == wide);
}

// ---- reap() and what is armed meanwhile

BOOST_AUTO_TEST_CASE(the_value_is_read_again_after_the_heap_key_is_published)
{
    const timer t = make();
    int left = 5;
    on_expired = [&](timer self) {
        if (--left > 0)
            set(self, now() + 200 * us); // silent: later than the key that it still stands under
    };
    set(t, 1);
    BOOST_TEST(run_until_fired(5));
}

BOOST_AUTO_TEST_CASE(a_periodic_one_is_replaced_from_its_own_expiry)
{
    const timer t = make();
    on_expired = [&](timer self) {
        on_expired = nullptr;
        const timer_exchange done = set(self, now() + ms);
        BOOST_TEST(done.old.interval == hour);
    };
    set(t, now() - ms, hour);
    BOOST_REQUIRE(run_until_fired(2));
    BOOST_TEST(get(t).old.deadline == 0u);
}

BOOST_AUTO_TEST_CASE(the_bits_are_looked_at_after_the_horizon_is_published)
{
    with_time_enough([this](std::uint64_t unit) {
        const timer a = make(), b = make();
        const std::uint64_t deadline = now() + unit;
        set(a, deadline);
        reap();
        if (now() >= deadline)
            return false;
        on_expired = [&](timer) {
            on_expired = nullptr;
            const int before = wakes;
            set(b, now() + 500 * us);
            BOOST_TEST(wakes == before); // the reactor is awake
        };
        BOOST_REQUIRE(readable(static_cast<int>(patience.count())));
        BOOST_TEST(engine->reap());
        BOOST_TEST(!engine->reap());
        BOOST_TEST(run_until_fired(2));
        return true;
    });
}

// ---- wake() is called from inside settime()

BOOST_AUTO_TEST_CASE(a_slot_may_be_given_away_while_somebody_is_inside)
{
    const timer t = make();
    reap();
    timer next{};
    on_wake = [&, inside = false]() mutable {
        if (std::exchange(inside, true))
            return;
        BOOST_TEST(engine->destroy(t.slot, t.generation).old.deadline != 0u);
        reap();
        BOOST_TEST(gone.size() == 1u);
        next = make();
        BOOST_TEST(next.slot == t.slot);
    };
    BOOST_TEST(set(t, now() + hour).valid);
    BOOST_TEST(get(next).old.deadline == 0u);
    BOOST_TEST(!set(t, now() + hour).valid);
    BOOST_TEST(!get(t).valid);
    BOOST_TEST(!destroy(t));
    reap();
    BOOST_TEST(gone.size() == 1u);
    set(next, now() + ms);
    BOOST_TEST(run_until_fired(1));
}

BOOST_AUTO_TEST_CASE(an_abandoned_setter_silences_no_other)
{
    static sigjmp_buf way_out;
    const timer a = make(), b = make();
    reap();
    on_wake = [] { siglongjmp(way_out, 0); };
    if (sigsetjmp(way_out, 0) == 0)
        set(a, now() + ms);
    on_wake = nullptr;
    const int before = wakes;
    set(b, now() + 2 * ms);
    BOOST_TEST(wakes == before + 1);
    BOOST_TEST(run_until_fired(2));
}

BOOST_AUTO_TEST_CASE(an_abandoned_setter_is_healed_by_the_next_look)
{
    static sigjmp_buf way_out;
    const timer t = make();
    reap();
    on_wake = [] { siglongjmp(way_out, 0); };
    if (sigsetjmp(way_out, 0) == 0)
        set(t, now() + ms);
    on_wake = nullptr;
    const int before = wakes;
    BOOST_TEST(get(t).valid);
    BOOST_TEST(wakes == before + 1);
    BOOST_TEST(run_until_fired(1));
}

BOOST_AUTO_TEST_SUITE_END()

// What sigev_timer_create_with() takes and refuses.
#include "timer_fixture.hpp"

using namespace sigev_tests;

namespace {

int error_of(const sigev_timer_options* options, clockid_t clock = CLOCK_MONOTONIC) {
    sigevent e = make_event(SIGEV_NONE);
    timer_t id{};
    errno = 4711;
    if (sigev_timer_create_with(options, clock, &e, &id) != 0)
        return errno;
    BOOST_TEST(errno == 4711);
    BOOST_TEST(sigev_timer_delete(id) == 0);
    return 0;
}

sigev_timer_options options_of(int engine = SIGEV_ENGINE_DEFAULT) {
    return make_timer_options(place(place::runtime), engine);
}

} // namespace

BOOST_AUTO_TEST_SUITE(timer_options)

BOOST_AUTO_TEST_CASE(without_options_it_is_sigev_timer_create) {
    BOOST_TEST(error_of(nullptr) == 0);
    BOOST_TEST(error_of(nullptr, 9999) == EINVAL);
    const auto o = options_of();
    BOOST_TEST(error_of(&o) == 0);
    BOOST_TEST(error_of(&o, 9999) == EINVAL);
}

SIGEV_TEST_ON_BOTH(the_timer_is_told_through_the_reactor_that_the_options_name) {
    const auto o = make_timer_options(on, SIGEV_ENGINE_HEAP);
    clock_box box;
    sigevent e = make_event(SIGEV_CALLBACK, clock_box::receive, &box);
    timer_t id{};
    BOOST_REQUIRE(sigev_timer_create_with(&o, CLOCK_MONOTONIC, &e, &id) == 0);
    const auto soon = timer_value(1 * ms);
    BOOST_REQUIRE(sigev_timer_settime(id, 0, &soon, nullptr) == 0);
    BOOST_TEST(on.until([&] { return box.calls == 1; }));
    BOOST_TEST(sigev_timer_delete_wait(id) == 0);
}

// Of slack and precision tests/backends/timer_wishes_test.cpp has more.
SIGEV_TEST_ON_BOTH(with_slack_timers_come_together_within_their_spans) {
    auto o = options_of();
    o.reactor = on.reactor();
    o.slack = 20 * ms;
    clock_box box;
    sigevent e = make_event(SIGEV_CALLBACK, clock_box::receive, &box);
    const std::int64_t start = now_of(CLOCK_MONOTONIC) + 5 * ms;
    std::vector<timer_t> timers;
    for (int i = 0; i != 100; ++i) {
        timers.emplace_back();
        BOOST_REQUIRE(sigev_timer_create_with(&o, CLOCK_MONOTONIC, &e, &timers.back()) == 0);
        const auto at = timer_value(start + i * ms / 2);
        BOOST_REQUIRE(sigev_timer_settime(timers.back(), TIMER_ABSTIME, &at, nullptr) == 0);
    }
    BOOST_TEST(on.until([&] { return box.calls == 100; }));
    for (unsigned i = 0; i != 100; ++i)
        BOOST_TEST(box.seen[i].at >= box.seen[i].n.scheduled);
    for (const auto t : timers)
        BOOST_TEST(sigev_timer_delete_wait(t) == 0);
}

SIGEV_TEST_ON_BOTH(a_precise_timer_is_never_early) {
    for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME}) {
        auto o = options_of(SIGEV_ENGINE_HEAP);
        o.reactor = on.reactor();
        o.flags = SIGEV_TIMER_PRECISE;
        clock_box box;
        box.clock = clock;
        sigevent e = make_event(SIGEV_CALLBACK, clock_box::receive, &box);
        timer_t id{};
        BOOST_REQUIRE(sigev_timer_create_with(&o, clock, &e, &id) == 0);
        for (unsigned i = 0; i != 20; ++i) {
            const std::int64_t when = now_of(clock) + ms;
            const auto at = timer_value(when);
            BOOST_REQUIRE(sigev_timer_settime(id, TIMER_ABSTIME, &at, nullptr) == 0);
            BOOST_REQUIRE(on.until([&] { return box.calls == i + 1; }));
            BOOST_TEST(box.seen[i].at >= when);
            BOOST_TEST(box.seen[i].n.scheduled == when);
        }
        BOOST_TEST(sigev_timer_delete_wait(id) == 0);
    }
}

BOOST_AUTO_TEST_CASE(what_an_option_may_not_say_is_EINVAL) {
    auto o = options_of();
    o.size = sizeof o - 1;
    BOOST_TEST(error_of(&o) == EINVAL);
    o = options_of(3);
    BOOST_TEST(error_of(&o) == EINVAL);
    o = options_of(-1);
    BOOST_TEST(error_of(&o) == EINVAL);
    o = options_of();
    o.flags = 0x80000000;
    BOOST_TEST(error_of(&o) == EINVAL);
    o = options_of();
    o.reserved = 1;
    BOOST_TEST(error_of(&o) == EINVAL);
    o = options_of();
    o.flags = SIGEV_TIMER_PRECISE;
    o.slack = 1; // late and not late
    BOOST_TEST(error_of(&o) == EINVAL);
    o = options_of();
    o.manual_clock = 1;
    BOOST_TEST(error_of(&o) == EINVAL);
    o = options_of();
    o.reactor = 1;
    BOOST_TEST(error_of(&o) == EINVAL);
}

BOOST_AUTO_TEST_SUITE_END()

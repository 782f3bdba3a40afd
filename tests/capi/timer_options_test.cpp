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
    sigev_timer_options o{};
    o.size = sizeof o;
    o.engine = engine;
    return o;
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
    auto o = options_of(SIGEV_ENGINE_HEAP);
    o.reactor = on.reactor();
    clock_box box;
    sigevent e = make_event(SIGEV_CALLBACK, clock_box::receive, &box);
    timer_t id{};
    BOOST_REQUIRE(sigev_timer_create_with(&o, CLOCK_MONOTONIC, &e, &id) == 0);
    const auto soon = timer_value(1 * ms);
    BOOST_REQUIRE(sigev_timer_settime(id, 0, &soon, nullptr) == 0);
    BOOST_TEST(on.until([&] { return box.calls == 1; }));
    BOOST_TEST(sigev_timer_delete_wait(id) == 0);
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
    o.reactor = 1;
    BOOST_TEST(error_of(&o) == EINVAL);
}

BOOST_AUTO_TEST_SUITE_END()

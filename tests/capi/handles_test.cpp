// Handles that are stale, foreign or made up: EINVAL in every call, never a crash.
#include "fixture.hpp"

#include <random>
#include <utility>

using namespace sigev_tests;

namespace {

/// Every call that takes a handle, with this number.
bool all_refuse(std::uint64_t number) {
    const auto timer = reinterpret_cast<timer_t>(number);
    sigev_ledger ledger{};
    itimerspec value{{0, 0}, {1, 0}};
    int fds[4];
    sigev_t s = 0;
    timer_t made{};
    auto e = make_event(SIGEV_NONE);
    sigev_options o{};
    o.size = sizeof o;
    o.reactor = number;
    int results[] = {
        sigev_submit(number, 0, 0),
        sigev_cancel(number),
        sigev_cancel_and_wait(number),
        sigev_close(number),
        sigev_ledger_read(number, &ledger),
        sigev_timer_settime(timer, 0, &value, &value),
        sigev_timer_gettime(timer, &value),
        sigev_timer_getoverrun(timer),
        sigev_timer_delete(timer),
        sigev_timer_delete_wait(timer),
        sigev_timer_ledger(timer, &ledger),
        sigev_reactor_descriptors(number, fds, 4),
        sigev_reactor_ready(number, 0),
        sigev_reactor_close(number),
        sigev_reactor_wake(number),
        sigev_reactor_next_deadline(number, CLOCK_MONOTONIC, &value.it_value),
        sigev_manual_clock_gettime(number, CLOCK_MONOTONIC, &value.it_value),
        sigev_manual_clock_advance(number, &value.it_interval),
        sigev_manual_clock_close(number),
        number != 0 ? sigev_open(&e, 1, &o, &s) : -1,
        number != 0 ? sigev_timer_create_on(number, CLOCK_MONOTONIC, &e, &made) : -1};
    return std::all_of(std::begin(results), std::end(results), [](int r) { return r == -1; }) && errno == EINVAL;
}

} // namespace

BOOST_AUTO_TEST_SUITE(handles)

SIGEV_TEST_ON_BOTH(stale_handles_are_invalid_in_every_call) {
    for (int round = 0; round != 300; ++round) {
        const auto e = make_event(SIGEV_NONE);
        const auto o = make_options(on);
        sigev_t s = 0;
        BOOST_REQUIRE(sigev_open(&e, 1, &o, &s) == 0);
        BOOST_REQUIRE(sigev_close(s) == 0);
        BOOST_REQUIRE(all_refuse(s));
        timer_t timer{};
        auto none = e;
        BOOST_REQUIRE(sigev_timer_create_on(on.reactor(), CLOCK_MONOTONIC, &none, &timer) == 0);
        BOOST_REQUIRE(sigev_timer_delete(timer) == 0);
        BOOST_REQUIRE(all_refuse(reinterpret_cast<std::uint64_t>(timer)));
        sigev_reactor_t reactor = 0;
        BOOST_REQUIRE(sigev_reactor_open(&reactor) == 0);
        BOOST_REQUIRE(sigev_reactor_close(reactor) == 0);
        BOOST_REQUIRE(all_refuse(reactor));
    }
}

BOOST_AUTO_TEST_CASE(random_numbers_are_invalid_in_every_call, *deadline(60)) {
    BOOST_TEST(all_refuse(1)); // before first use
    const place on(place::borrowed);
    const subscription alive(on, make_event(SIGEV_NONE));
    auto e = make_event(SIGEV_NONE);
    timer_t timer{};
    BOOST_REQUIRE(sigev_timer_create_on(on.reactor(), CLOCK_MONOTONIC, &e, &timer) == 0);
    const std::uint64_t real[] = {alive.handle(), on.reactor(), reinterpret_cast<std::uint64_t>(timer)};
    std::mt19937_64 random(5);
    for (int i = 0; i != 100000; ++i) {
        std::uint64_t number = random();
        if (i % 4 != 0) // one that looks like ours: kind and epoch right, the rest at random
            number = (real[i % 3] & 0xfffc000000000000) | (number & 0x0003ffffffffffff);
        if (i % 4 == 2) // and the index at the end of the table
            number |= 0xffff00;
        if (std::find(std::begin(real), std::end(real), number) == std::end(real))
            BOOST_REQUIRE_MESSAGE(all_refuse(number), "accepted: " << std::hex << number);
    }
    for (const auto handle : real) // every index behind a real one
        for (const std::uint64_t index : {0x0ull, 0x3full, 0x40ull, 0xffffbfull, 0xffffc0ull, 0xfffffeull, 0xffffffull})
            if (const auto number = (handle & ~0xffffffull) | index; number != handle)
                BOOST_REQUIRE_MESSAGE(all_refuse(number), "accepted: " << std::hex << number);
    BOOST_TEST(sigev_timer_delete(timer) == 0);
}

// The whole life of a timer's id, in every function that takes one.
BOOST_AUTO_TEST_CASE(a_million_numbers_that_are_no_timers_are_invalid, *deadline(60)) {
    const place on(place::borrowed);
    auto e = make_event(SIGEV_NONE);
    std::vector<std::uint64_t> live, ended;
    for (int i = 0; i != 1000; ++i) {
        timer_t t{};
        BOOST_REQUIRE(sigev_timer_create_on(on.reactor(), i % 2 ? CLOCK_MONOTONIC : CLOCK_BOOTTIME, &e, &t) == 0);
        (i % 3 ? live : ended).push_back(reinterpret_cast<std::uint64_t>(t));
    }
    for (const auto number : ended)
        BOOST_REQUIRE(sigev_timer_delete(reinterpret_cast<timer_t>(number)) == 0);
    const auto refused = [](std::uint64_t number) {
        const auto timer = reinterpret_cast<timer_t>(number);
        itimerspec value{{0, 0}, {1, 0}};
        sigev_ledger ledger{};
        const auto invalid = [](int result) { return result == -1 && std::exchange(errno, 0) == EINVAL; };
        return invalid(sigev_timer_settime(timer, 0, &value, &value)) && invalid(sigev_timer_gettime(timer, &value)) &&
               invalid(sigev_timer_getoverrun(timer)) && invalid(sigev_timer_ledger(timer, &ledger)) &&
               invalid(sigev_timer_delete(timer)) && invalid(sigev_timer_delete_wait(timer));
    };
    for (const auto number : ended)
        BOOST_REQUIRE_MESSAGE(refused(number), "stale, accepted: " << std::hex << number);
    std::mt19937_64 random(6);
    unsigned hits = 0;
    for (int i = 0; i != 1000000; ++i) {
        std::uint64_t number = random();
        const std::uint64_t real = live[number % live.size()];
        if (i % 4 == 1) // ours by its looks
            number = (real & 0xfffc000000000000) | (number & 0x0003ffffffffffff);
        if (i % 4 == 2) // a live one in all but one bit
            number = real ^ (std::uint64_t{1} << (number % 64));
        if (i % 4 == 3) // a small one, as the kernel's and libc's
            number %= 100000;
        if (std::find(live.begin(), live.end(), number) == live.end())
            BOOST_REQUIRE_MESSAGE(refused(number), "accepted: " << std::hex << number);
        else
            ++hits;
    }
    BOOST_TEST(hits < 50000u); // one bit of the index, and it is another live one
    for (const auto number : live) { // and these were not touched
        itimerspec value{};
        BOOST_REQUIRE(sigev_timer_gettime(reinterpret_cast<timer_t>(number), &value) == 0);
        BOOST_REQUIRE(sigev_timer_delete(reinterpret_cast<timer_t>(number)) == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_subscription_that_a_timer_keeps_to_itself_has_no_handle) {
    const auto none = make_event(SIGEV_NONE);
    sigev_t mine{};
    BOOST_REQUIRE(sigev_open(&none, 1, nullptr, &mine) == 0);
    sigevent event = none;
    timer_t timer{};
    BOOST_REQUIRE(sigev_timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    // The timer's subscription stands in one of the next places of the table, in its first generation as `mine` is.
    for (sigev_t guess = mine + 1; guess != mine + 8; ++guess) {
        sigev_ledger ledger{};
        BOOST_TEST((sigev_submit(guess, 1, 0) == -1 && errno == EINVAL));
        BOOST_TEST((sigev_ledger_read(guess, &ledger) == -1 && errno == EINVAL));
        BOOST_TEST((sigev_cancel(guess) == -1 && errno == EINVAL));
        BOOST_TEST((sigev_close(guess) == -1 && errno == EINVAL));
    }
    BOOST_TEST(sigev_timer_delete(timer) == 0);
    BOOST_TEST(sigev_close(mine) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

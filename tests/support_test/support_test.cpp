// The helpers that tests wait, order and fork with.
#include "support/support.hpp"

#include <atomic>
#include <csignal>
#include <stdexcept>
#include <thread>

#include <unistd.h>

using namespace sigev_tests;

BOOST_AUTO_TEST_SUITE(support)

BOOST_AUTO_TEST_CASE(wait_until_ends_when_another_thread_makes_it_true) {
    std::atomic<bool> flag = false;
    std::thread setter([&] { flag = true; });
    BOOST_TEST(wait_until([&] { return flag.load(); }));
    setter.join();
}

BOOST_AUTO_TEST_CASE(wait_until_gives_up_at_its_limit) {
    BOOST_TEST(!wait_until([] { return false; }, milliseconds(1)));
}

BOOST_AUTO_TEST_CASE(wait_until_looks_at_least_once) {
    BOOST_TEST(wait_until([] { return true; }, milliseconds(0)));
}

BOOST_AUTO_TEST_CASE(a_gate_holds_a_thread_until_it_is_opened) {
    gate passed, allowed;
    int value = 0;
    std::thread waiter([&] {
        if (allowed.wait())
            value *= 2;
        passed.open();
    });
    value = 21;
    BOOST_TEST(!passed.is_open());
    allowed.open();
    BOOST_TEST(passed.wait());
    waiter.join();
    BOOST_TEST(value == 42);
}

BOOST_AUTO_TEST_CASE(a_gate_that_stays_closed_is_reported) {
    gate closed;
    BOOST_TEST(!closed.wait(milliseconds(1)));
}

BOOST_AUTO_TEST_CASE(a_child_returns_its_exit_status) {
    BOOST_TEST(child([] {}) == exited_well);
    BOOST_TEST(child([] { return 3; }) == child_end{.code = 3});
    BOOST_TEST(child([] { _exit(7); }) == child_end{.code = 7});
}

BOOST_AUTO_TEST_CASE(a_failed_assertion_in_a_child_is_its_exit_status) {
    const bool wrong = false;
    BOOST_TEST_MESSAGE("the two errors below are meant");
    BOOST_TEST(child([&] { BOOST_TEST(wrong); }) == child_end{.code = 1});
    BOOST_TEST(child([&] { BOOST_REQUIRE(wrong); }) == child_end{.code = 1});
}

BOOST_AUTO_TEST_CASE(an_exception_in_a_child_is_its_exit_status) {
    BOOST_TEST(child([] { throw std::runtime_error("meant"); }) == child_end{.code = 1});
}

BOOST_AUTO_TEST_CASE(a_signal_that_ends_a_child_is_told_from_an_exit) {
    BOOST_TEST(child([] { raise(SIGKILL); }) == child_end{.signal = SIGKILL});
}

BOOST_AUTO_TEST_CASE(a_child_that_hangs_is_ended_at_its_deadline) {
    const auto end = child([] { pause(); }, milliseconds(1));
    BOOST_TEST(end == child_end{.late = true});
}

BOOST_AUTO_TEST_SUITE_END()

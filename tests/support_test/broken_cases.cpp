// Cases that misbehave, each in one way, so that the tests of the harness can see it noticed.
#include "support/support.hpp"

#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

using namespace sigev_tests;

namespace {

struct opens_in_its_fixture {
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ~opens_in_its_fixture() { close(file); }
};

const bool added = at_case_end([] {
    if (std::getenv("SIGEV_TESTS_FAIL_AT_END"))
        BOOST_ERROR("the check at the end fails");
});

} // namespace

BOOST_AUTO_TEST_SUITE(broken)

BOOST_AUTO_TEST_CASE(does_nothing_wrong) { BOOST_TEST(added); }

BOOST_FIXTURE_TEST_CASE(closes_in_its_fixture, opens_in_its_fixture) { BOOST_TEST(file >= 0); }

BOOST_AUTO_TEST_CASE(leaks_a_descriptor) { BOOST_TEST(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0); }

BOOST_AUTO_TEST_CASE(leaks_after_a_failure) {
    BOOST_TEST(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
    BOOST_REQUIRE(false);
}

BOOST_AUTO_TEST_CASE(closes_what_is_not_its_own) { BOOST_TEST(close(STDIN_FILENO) == 0); }

BOOST_AUTO_TEST_CASE(leaves_a_thread) {
    std::thread([] { pause(); }).detach();
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(leaves_a_child) {
    if (fork() == 0)
        _exit(0);
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(crashes) { std::abort(); }

BOOST_AUTO_TEST_CASE(skips) { skip("this machine lacks nothing"); }

BOOST_AUTO_TEST_CASE(skips_and_leaks) {
    BOOST_TEST(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
    skip("a leak is more than a skip");
}

BOOST_AUTO_TEST_CASE(hangs, *deadline(1)) { pause(); }

BOOST_AUTO_TEST_CASE(sees_its_environment) {
    for (const char* name : {"SIGEV_TESTS_ONE", "SIGEV_TESTS_TWO"})
        BOOST_TEST(std::getenv(name) != nullptr, name);
}

BOOST_AUTO_TEST_SUITE(with_a_deadline, *deadline(7))

BOOST_AUTO_TEST_CASE(has_the_suites) { BOOST_TEST(true); }
BOOST_AUTO_TEST_CASE(has_its_own, *deadline(5)) { BOOST_TEST(true); }

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()

// What a case leaves behind fails it. Each case of broken_cases.cpp is run as ctest would run it.
#include "support/support.hpp"

#include <array>
#include <cstdio>

#include <sys/wait.h>

namespace {

struct ending {
    int status = -1;
    std::string output;

    bool says(const std::string& text) const { return output.find(text) != std::string::npos; }
};

ending run(const std::string& arguments, const std::string& environment = "") {
    const auto command = environment + " '" BROKEN_CASES "' " + arguments + " 2>&1";
    FILE* const stream = popen(command.c_str(), "re");
    BOOST_REQUIRE(stream);
    ending result;
    std::array<char, 512> buffer;
    while (const auto size = fread(buffer.data(), 1, buffer.size(), stream))
        result.output.append(buffer.data(), size);
    const int status = pclose(stream);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
}

ending run_case(const std::string& name, const std::string& environment = "") {
    return run("--run_test=broken/" + name, environment);
}

} // namespace

BOOST_AUTO_TEST_SUITE(case_checks)

BOOST_AUTO_TEST_CASE(a_case_that_leaves_nothing_passes) {
    BOOST_TEST(run_case("does_nothing_wrong").status == 0);
    BOOST_TEST(run_case("closes_in_its_fixture").status == 0);
}

BOOST_AUTO_TEST_CASE(a_descriptor_left_open_fails_the_case_and_is_named) {
    const auto end = run_case("leaks_a_descriptor");
    BOOST_TEST(end.status == 201);
    BOOST_TEST(end.says("left open by the case: descriptor"));
    BOOST_TEST(end.says("/dev/null"));
}

BOOST_AUTO_TEST_CASE(a_leak_is_reported_beside_another_failure) {
    const auto end = run_case("leaks_after_a_failure");
    BOOST_TEST(end.status == 201);
    BOOST_TEST(end.says("left open by the case"));
}

BOOST_AUTO_TEST_CASE(closing_a_foreign_descriptor_fails_the_case) {
    const auto end = run_case("closes_what_is_not_its_own");
    BOOST_TEST(end.status == 201);
    BOOST_TEST(end.says("which did not open it: descriptor 0"));
}

BOOST_AUTO_TEST_CASE(a_thread_left_running_fails_the_case) {
    const auto end = run_case("leaves_a_thread");
    BOOST_TEST(end.status == 201);
    BOOST_TEST(end.says("left by the case: thread"));
}

BOOST_AUTO_TEST_CASE(a_child_left_unreaped_fails_the_case) {
    const auto end = run_case("leaves_a_child");
    BOOST_TEST(end.status == 201);
    BOOST_TEST(end.says("left by the case: a child process"));
}

BOOST_AUTO_TEST_CASE(a_check_added_by_a_library_fails_the_case) {
    const auto end = run_case("does_nothing_wrong", "SIGEV_TESTS_FAIL_AT_END=1");
    BOOST_TEST(end.status == 201);
    BOOST_TEST(end.says("the check at the end fails"));
}

BOOST_AUTO_TEST_CASE(a_skip_exits_with_77_and_says_why) {
    const auto end = run_case("skips");
    BOOST_TEST(end.status == 77);
    BOOST_TEST(end.says("SKIPPED: this machine lacks nothing"));
}

BOOST_AUTO_TEST_CASE(a_skip_does_not_hide_a_leak) { BOOST_TEST(run_case("skips_and_leaks").status == 201); }

BOOST_AUTO_TEST_CASE(a_deadline_is_listed_with_its_case) {
    const auto list = run("--list-cases");
    BOOST_TEST(list.status == 0);
    BOOST_TEST(list.says("broken/hangs " + std::to_string(sigev_tests::slowness) + "\n"));
    BOOST_TEST(list.says("broken/skips " + std::to_string(sigev_tests::slowness * 60) + "\n"));
    BOOST_TEST(list.says("broken/with_a_deadline/has_the_suites " + std::to_string(sigev_tests::slowness * 7) + "\n"));
    BOOST_TEST(list.says("broken/with_a_deadline/has_its_own " + std::to_string(sigev_tests::slowness * 5) + "\n"));
}

BOOST_AUTO_TEST_SUITE_END()

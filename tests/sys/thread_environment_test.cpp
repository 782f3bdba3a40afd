// Whether a system call was made is told from the time alone: it must never be missed.
#include "sys/thread_environment.hpp"

#include "support/support.hpp"

#include <thread>

#include <csignal>

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sigev;

BOOST_AUTO_TEST_SUITE(thread_environment)

BOOST_AUTO_TEST_CASE(a_system_call_is_never_taken_for_none)
{
    unsigned missed = 0;
    for (int i = 0; i != 200'000; ++i) {
        const sys::ticks before = sys::ticks::now();
        ::syscall(SYS_getppid);
        missed += sys::no_system_call_between(before, sys::ticks::now());
    }
    BOOST_TEST(missed == 0u);
}

// Who traces the program makes its system calls slow, and may leave.
BOOST_AUTO_TEST_CASE(a_system_call_is_not_missed_either_after_the_first_were_slow)
{
    const pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0)
            _exit(77);
        raise(SIGSTOP);
        static_cast<void>(sys::no_system_call_between({}, {})); // which measures
        raise(SIGSTOP);
        unsigned missed = 0;
        for (int i = 0; i != 1'000; ++i) {
            const sys::ticks before = sys::ticks::now();
            ::syscall(SYS_getppid);
            missed += sys::no_system_call_between(before, sys::ticks::now());
        }
        _exit(missed != 0);
    }
    int status = 0;
    for (int stops = 0; stops != 2;) {
        BOOST_REQUIRE(waitpid(child, &status, 0) == child);
        if (!WIFSTOPPED(status))
            break;
        stops += WSTOPSIG(status) == SIGSTOP;
        BOOST_REQUIRE(ptrace(stops == 2 ? PTRACE_DETACH : PTRACE_SYSCALL, child, nullptr, nullptr) == 0);
    }
    if (WIFSTOPPED(status))
        BOOST_REQUIRE(waitpid(child, &status, 0) == child);
    BOOST_REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        sigev_tests::skip("nobody may trace here");
    BOOST_TEST(WEXITSTATUS(status) == 0);
}

BOOST_AUTO_TEST_CASE(next_to_nothing_is_taken_for_none_where_there_is_a_counter)
{
    if (sys::ticks::now().count == 0)
        sigev_tests::skip("no counter that can be trusted");
    unsigned seen = 0;
    for (int i = 0; i != 1'000; ++i) {
        const sys::ticks before = sys::ticks::now();
        seen += sys::no_system_call_between(before, sys::ticks::now());
    }
    BOOST_TEST_MESSAGE(seen << " of 1000");
    BOOST_TEST(seen > 0u);
}

BOOST_AUTO_TEST_CASE(readings_of_two_processors_are_not_compared)
{
    const sys::ticks here{1'000, 0}, there{1'001, 1};
    BOOST_TEST(!sys::no_system_call_between(here, there));
    BOOST_TEST(!sys::no_system_call_between(sys::ticks{1'001, 0}, sys::ticks{1'000, 0})); // nor is one that goes back
}

BOOST_AUTO_TEST_SUITE_END()

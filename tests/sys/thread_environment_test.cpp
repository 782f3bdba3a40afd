// Whether a system call was made is told from the time alone: it must never be missed.
#include "sys/thread_environment.hpp"

#include "support/support.hpp"

#include <atomic>
#include <cstddef>
#include <iterator>
#include <thread>

#include <csignal>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sigev;

BOOST_AUTO_TEST_SUITE(thread_environment)

#if defined(__x86_64__)

namespace {

std::atomic<bool> measures{false}, has_forked{false};

// Instead of the system call whose time is taken.
void stand_in_the_middle(int)
{
    measures = true;
    while (!has_forked)
        sched_yield();
}

/// Each system call of this thread whose time is taken becomes a SIGSYS. False where that cannot be had.
bool trap_what_is_measured()
{
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{std::size(program), program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

} // namespace

// First of all, since the first call measures. A fork may come in the middle of that: the child has not got the thread that
// would finish it.
BOOST_AUTO_TEST_CASE(a_child_does_not_wait_for_what_a_thread_of_its_parents_measures)
{
    sigev_tests::need_threads_in_a_child();
    if (!sys::ticks::are_there())
        sigev_tests::skip("without a counter nothing is measured");
    std::signal(SIGSYS, stand_in_the_middle);
    std::atomic<bool> no_filter{false};
    std::thread other([&] {
        no_filter = !trap_what_is_measured();
        if (!no_filter)
            static_cast<void>(sys::is_brief({}, {}));
    });
    const bool in_the_middle = sigev_tests::wait_until([&] { return measures || no_filter; });
    const auto end = sigev_tests::child([] { static_cast<void>(sys::is_brief({}, {})); });
    has_forked = true;
    other.join();
    std::signal(SIGSYS, SIG_DFL);
    if (no_filter)
        sigev_tests::skip("no seccomp filters on this kernel");
    BOOST_TEST(in_the_middle);
    BOOST_TEST(end == sigev_tests::exited_well);
}

#endif

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

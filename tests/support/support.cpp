#include "support.hpp"

#include "harness.hpp"
#include "sanitizers.hpp"

#include <boost/test/execution_monitor.hpp>
#include <boost/test/results_collector.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sigev_tests {

namespace {

using clock = std::chrono::steady_clock;

bool was_skipped = false;

unsigned long failures() {
    namespace bt = boost::unit_test;
    return bt::results_collector.results(bt::framework::current_test_case_id()).p_assertions_failed;
}

[[noreturn]] void be_child(const std::function<int()>& function) {
    const auto before = failures();
    int code = 1;
    try {
        code = function();
    } catch (const boost::execution_aborted&) {
        // a BOOST_REQUIRE: already reported
    } catch (const std::exception& error) {
        std::cerr << "exception in the child: " << error.what() << std::endl;
    }
    if (code == 0 && failures() != before)
        code = 1;
    std::cout.flush();
    _exit(code);
}

/// Waits until the process has ended, without reaping it; false when it lives after `limit`.
bool ended(pid_t pid, milliseconds limit) {
    // glibc 2.36 declares pidfd_open without C linkage
    const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    BOOST_REQUIRE(handle >= 0);
    pollfd watched{handle, POLLIN, 0};
    const auto end = clock::now() + limit;
    int ready = 0;
    do {
        const auto left = std::chrono::ceil<milliseconds>(end - clock::now());
        ready = poll(&watched, 1, std::max(0, static_cast<int>(left.count())));
    } while (ready < 0 && errno == EINTR);
    close(handle);
    return ready == 1;
}

} // namespace

bool skipped() { return was_skipped; }

void skip(const std::string& reason) {
    was_skipped = true;
    std::cout << "SKIPPED: " << reason << std::endl;
    BOOST_TEST(true); // a case without assertions would be warned about
    throw boost::execution_aborted(); // how Boost.Test leaves a case without a further error
}

void deadline::apply(boost::unit_test::test_unit& unit) {
    unit.add_label(deadline_label + std::to_string(seconds_));
}

boost::unit_test::decorator::base_ptr deadline::clone() const {
    return boost::unit_test::decorator::base_ptr(new deadline(seconds_));
}

bool wait_until(const std::function<bool()>& predicate, milliseconds limit) {
    const auto end = clock::now() + limit;
    while (!predicate()) {
        if (clock::now() >= end)
            return predicate(); // the time may have gone by between the look and the clock
        sched_yield();
    }
    return true;
}

bool become_another_user() {
    constexpr uid_t nobody = 65534, others = 1'000'000, fewer = 10'000; // a container may have no more than 65536
    const auto number = static_cast<uid_t>(getpid());
    return setgid(nobody) == 0 &&
           (setuid(others + number) == 0 || setuid(fewer + number % 50'000) == 0 || setuid(nobody) == 0);
}

bool other_threads_sleep() {
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string line;
        std::getline(std::ifstream(task.path() / "stat"), line);
        const auto state = line.rfind(") ");
        if (state != line.npos && line[state + 2] != 'S' && task.path().filename() != std::to_string(gettid()))
            return false;
    }
    return true;
}

void gate::open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all(); // under the lock: the waiter may destroy the gate once it has seen it open
}

bool gate::is_open() const {
    const std::lock_guard lock(mutex_);
    return open_;
}

bool gate::wait(milliseconds limit) {
    std::unique_lock lock(mutex_);
    return opened_.wait_for(lock, limit, [this] { return open_; });
}

std::ostream& operator<<(std::ostream& stream, const child_end& end) {
    if (end.late)
        return stream << "killed, still running at its deadline";
    if (end.signal)
        return stream << "ended by signal " << end.signal;
    return stream << "exited with " << end.code;
}

child_end run_child(const std::function<int()>& function, milliseconds limit) {
    std::cout.flush(); // else both processes would write what is buffered
    settle_before_fork();
    const pid_t pid = fork();
    BOOST_REQUIRE(pid >= 0);
    if (pid == 0)
        be_child(function);

    const bool late = !ended(pid, limit);
    if (late)
        kill(pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        BOOST_REQUIRE(errno == EINTR);
    if (late)
        return {.late = true};
    if (WIFSIGNALED(status))
        return {.signal = WTERMSIG(status)};
    return {.code = WEXITSTATUS(status)};
}

} // namespace sigev_tests

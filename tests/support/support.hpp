// What every test folder has: skipping by name, deadlines, and waiting without sleeping.
// The checks that run around each case stand in case_checks.cpp and library_check.cpp.
#pragma once

#include "support/sanitizers.hpp"

#define BOOST_TEST_ALTERNATIVE_INIT_API
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <iosfwd>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>

namespace sigev_tests {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// What a step may take on a loaded machine before the test gives up on it; below the deadline of a case.
inline constexpr milliseconds patience = slowness * seconds(10);

/// Ends the case as skipped: the process exits with 77, which ctest names and counts.
[[noreturn]] void skip(const std::string& reason);

/// Decorates a case that needs another deadline than the usual minute, or a suite whose cases do:
/// BOOST_AUTO_TEST_CASE(name, *sigev_tests::deadline(120))
/// A sanitizer gets `slowness` times as long.
class deadline : public boost::unit_test::decorator::base {
public:
    explicit deadline(unsigned limit) : seconds_(limit) {}

private:
    void apply(boost::unit_test::test_unit& unit) override;
    boost::unit_test::decorator::base_ptr clone() const override;

    unsigned seconds_;
};

/// True as soon as the predicate is; false when it still is not after `limit`. Yields between the looks.
bool wait_until(const std::function<bool()>& predicate, milliseconds limit = patience);

/// Of a child: a user whom no other process is, where there are so many, since threads and queued signals are counted by user, and
/// two cases that run at once would have each other's. False: it is not permitted.
[[nodiscard]] bool become_another_user();

/// All other threads of the process wait for something.
bool other_threads_sleep();

/// Orders threads: those that wait pass once it has been opened.
class gate {
public:
    void open();
    bool is_open() const;
    /// False when the gate is still closed after `limit`.
    [[nodiscard]] bool wait(milliseconds limit = patience);

private:
    mutable std::mutex mutex_;
    std::condition_variable opened_;
    bool open_ = false;
};

/// How a child process ended: by exit(code), by a signal, or killed because its time was over.
struct child_end {
    int code = -1;
    int signal = 0;
    bool late = false;

    friend bool operator==(const child_end&, const child_end&) = default;
    friend std::ostream& operator<<(std::ostream&, const child_end&);
};

inline constexpr child_end exited_well{.code = 0};

child_end run_child(const std::function<int()>& function, milliseconds limit);

/// Forks, runs the function in the child and waits for its end. The child exits with the int that the function
/// returns, else with 0, and with 1 when a BOOST_TEST in it failed or an exception left it; the rest of the case,
/// the checks after it and atexit handlers do not run in the child.
template <class Function>
child_end child(Function&& function, milliseconds limit = patience) {
    if constexpr (std::is_void_v<std::invoke_result_t<Function&>>)
        return run_child([&] { return function(), 0; }, limit);
    else
        return run_child(std::ref(function), limit);
}

/// Adds a check that runs at the end of every case, before descriptors and threads are counted. Call it while
/// the program starts: `static const bool added = at_case_end(...)`.
bool at_case_end(std::function<void()> check);

} // namespace sigev_tests

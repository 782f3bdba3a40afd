// The built `sigev`, run by a test: with pipes as a script runs it, or on a terminal of its own as a user
// does.
#pragma once

#include "support/support.hpp"

#include <string>
#include <vector>

#include <sys/types.h>

namespace sigev_tests {

/// How it ended: the exit status, or minus the signal.
struct outcome {
    int status = -1;
    bool dumped = false; ///< a core file
    std::string out;
    std::string err;
};

class tool_process {
public:
    enum class on { pipes, terminal };

    /// `environment`: NAME=value, in place of or beside what the test has; NO_COLOR and SIGEV_FORCE are not
    /// inherited.
    explicit tool_process(
        std::vector<std::string> arguments, on where = on::pipes, std::vector<std::string> environment = {});
    /// Another program, found as the shell finds it, the same way.
    tool_process(const std::string& program, std::vector<std::string> arguments, on where = on::pipes);
    ~tool_process();
    tool_process(const tool_process&) = delete;
    tool_process& operator=(const tool_process&) = delete;

    /// True once this has been written to standard output.
    bool says(const std::string& text, milliseconds limit = patience);

    void signal(int number);

    pid_t pid() const noexcept { return pid_; }
    /// What has been written to standard output so far; and whether there is nobody left who could write more.
    const std::string& said() const noexcept { return seen_.out; }
    bool has_said_all() const noexcept { return out_ < 0; }
    /// waitpid() with these options, until there is something to tell; the status.
    int next_change(int options);

    /// The terminal goes away.
    void hang_up();

    /// Types on the terminal.
    void type(const std::string& keys);

    /// Waits for the end; kills it where it does not come.
    outcome end(milliseconds limit = patience);

private:
    void start(const std::string& program, std::vector<std::string> arguments, on where, const std::vector<std::string>& environment);
    bool read_some(std::chrono::steady_clock::time_point until);

    pid_t pid_ = -1;
    int out_ = -1;
    int err_ = -1;
    outcome seen_;
};

/// From start to end.
outcome run_tool(std::vector<std::string> arguments, std::vector<std::string> environment = {});

} // namespace sigev_tests

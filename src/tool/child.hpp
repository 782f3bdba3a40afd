// A program as this command's child that behaves, to whoever waits for this command, as if it were this command.
//
// What is done for that, and where it ends:
//   - Exit status and death by a signal are repeated, the latter without a second core file.
//   - When the program stops, so does the command, by the same signal; when the command is continued, so is the program.
//   - The child stays in the process group, so what the terminal sends reaches both, and is not sent twice. Any other signal
//     that the command gets it passes on, but for those that the program itself has sent (to its whole group). What somebody
//     else sends to the whole group the program gets twice: nobody is told to whom a signal was sent.
//   - The command waits with all signals blocked, and has no handlers; the child has the mask and the dispositions that the
//     command was started with.
//   - The command keeps nothing open that it was given but standard error, so that a pipe ends when the program closes it.
//   - SIGKILL for the command is SIGKILL for the program (PR_SET_PDEATHSIG); SIGSTOP for the command alone stops it alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace sigev::tool {

struct program_end {
    pid_t pid = 0;
    int status = 0;          ///< as waitpid() has it
    std::int64_t when = 0;   ///< CLOCK_MONOTONIC
    std::int64_t cpu_ns = 0; ///< of the process, over all programs that it has been
};

/// Runs it to its end. `keep`: descriptors of this command's own.
program_end run_as_child(const std::string& path, const std::vector<std::string>& command, std::vector<int> keep);

/// Ends this process as that one has.
[[noreturn]] void end_like(const program_end& end);

/// execv(), and what to say and how to exit when it comes back.
[[noreturn]] void execute(const std::string& path, const std::vector<std::string>& command);

} // namespace sigev::tool

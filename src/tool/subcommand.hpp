// The subcommands of `sigev`, one file each: their options are added to the application, and their work is
// done while it parses.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace sigev::tool {

/// Exit statuses of every subcommand.
inline constexpr int exit_well = 0;
inline constexpr int exit_failed = 1; ///< it ran, and something was wrong
inline constexpr int exit_usage = 2;  ///< it could not run as asked

/// What was asked for cannot be done: said on stderr, exit_usage.
class usage_error : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// "0.1.0": of the library that runs.
std::string library_version();

void add_demo(CLI::App&, int& status);
void add_probe(CLI::App&, int& status);
/// `behind`: the arguments from the first "--" on, which the parser has not seen.
void add_run(CLI::App&, std::vector<std::string> behind);

} // namespace sigev::tool

// The bench's side of a contestant (contestant.hpp): starts its program, asks it, and gives up on one that does not answer.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace sigev_bench {

/// Why there is no value.
class no_value : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A whole answer has to come in this time: a repetition takes some tenths of a second.
inline constexpr auto patience = std::chrono::seconds(10);

class contestant_process {
public:
    /// Starts nothing yet.
    explicit contestant_process(std::string program, std::chrono::seconds patience = sigev_bench::patience)
        : program_(std::move(program)), patience_(patience)
    {
    }
    contestant_process(contestant_process&&) noexcept;
    contestant_process& operator=(contestant_process&&) = delete;
    /// Its input ends, and so does it.
    ~contestant_process();

    /// Throws no_value: the program is not there (the library that it needs was not there when it should have been built),
    /// says that it could not measure, has ended, or does not answer; then it has been ended, and is started anew next time.
    double ask(const std::string& measure, std::uint64_t n);

private:
    void start();
    std::string read_line();
    void end() noexcept;

    std::string program_;
    std::chrono::seconds patience_;
    pid_t child_ = -1;
    int to_ = -1;
    int from_ = -1;
};

/// System calls of `program measure n`, all threads, as strace counts them. Throws no_value.
std::uint64_t count_calls(const std::string& program, const std::string& measure, std::uint64_t n);

} // namespace sigev_bench

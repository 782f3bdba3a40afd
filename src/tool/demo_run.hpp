// The demo at work: twelve rows, six targets, from the first timer to the last account.
#pragma once

#include "tool/demo_reader.hpp"
#include "tool/demo_targets.hpp"
#include "tool/demo_timer.hpp"
#include "tool/row.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sigev::tool {

class demo_run {
public:
    /// How often tick() is to be called.
    static constexpr std::int64_t tick_ns = 2'000'000;

    explicit demo_run(int file);
    ~demo_run();
    demo_run(const demo_run&) = delete;
    demo_run& operator=(const demo_run&) = delete;

    /// Arms and submits everything. Throws std::system_error.
    void start();

    /// Polls the rows of SIGEV_NONE, collects reads and submits the next ones.
    void tick() { look(true); }

    /// The twelve rows: first the timers, then the reads, each in the order of all_methods.
    std::vector<row> rows();

    /// Starts nothing new, waits (for a limited time) until everything has arrived, ends it all and gives it
    /// back. What was wrong, one sentence for each fault.
    std::vector<std::string> finish();

    std::uint64_t blocks() const noexcept;
    std::uint64_t bytes() const noexcept;

private:
    void look(bool go_on);
    bool quiet();
    void wait_until_quiet();
    void close() noexcept;

    std::array<std::optional<demo_timer>, all_methods.size()> timers_;
    std::array<std::optional<demo_reader>, all_methods.size()> readers_;
    std::optional<targets> targets_; // last: their threads find complete rows, whatever way the address takes
    bool open_ = true;
};

} // namespace sigev::tool

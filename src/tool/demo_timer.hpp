// The timer of one row: periodic, from an instant that is known, so that every lateness can be told.
#pragma once

#include "tool/demo_inbox.hpp"
#include "tool/row.hpp"

#include <optional>

#include <time.h>

namespace sigev::tool {

class demo_timer final : public inbox {
public:
    demo_timer(method m, std::int64_t period)
        : method_(m)
        , period_(period) {}
    ~demo_timer() { remove(); }

    void arm(sigevent event);
    void take(std::int64_t now, std::uint64_t occurrences) noexcept override;

    /// SIGEV_NONE: looks whether it has expired.
    void poll() noexcept;

    void disarm() noexcept;

    /// After that the row tells what the ledger said last.
    void remove() noexcept;

    row view() noexcept;

private:
    void read_ledger() noexcept;

    const method method_;
    const std::int64_t period_;
    std::atomic<std::int64_t> start_ = 0; // atomic: it reaches the target by way of the kernel
    std::optional<timer_t> timer_;
    sigev_ledger ledger_{};
};

} // namespace sigev::tool

// How the demo shows itself: a live table on a terminal, plain lines elsewhere, or JSON for programs.
#pragma once

#include "tool/row.hpp"
#include "tool/screen.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sigev::tool {

class demo_view {
public:
    demo_view(bool json, std::string title, double seconds);

    /// To be called about ten times a second.
    void progress(std::span<const row>, double elapsed);

    /// The last one: the table as it stays, and what is to be said below it.
    void end(std::span<const row>, const std::vector<std::string>& summary);

private:
    enum class form { live, plain, json };

    std::vector<std::string> whole(std::span<const row>) const;

    const std::string title_;
    const double seconds_;
    const form form_;
    std::optional<screen> screen_;
    long second_ = 0; // the last one that a plain line was written for
};

} // namespace sigev::tool

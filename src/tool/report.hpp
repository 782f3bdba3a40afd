// What `sigev run --stats` says. Pure.
#pragma once

#include "tool/histogram.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sigev::tool {

/// Of one source and one kind of method.
struct source_account {
    std::string source;
    std::string method;
    std::uint64_t created = 0;
    std::uint64_t raised = 0;
    std::uint64_t delivered = 0;
    std::uint64_t merged = 0;
    std::uint64_t discarded = 0;
    std::uint64_t kernel_raised = 0;
    distribution late; ///< from when it was due, or over, to the delivery
    distribution took; ///< of a request, from the call until it was over

    /// Raised, and come to no end. What was raised while the others were read may show.
    std::int64_t pending() const noexcept { return static_cast<std::int64_t>(raised - delivered - merged - discarded); }
};

enum class ending { exit, signal, exec, running, unknown };

/// A program in a process, from exec to exec or to its end; or a forked child that has used the library.
struct program_image {
    std::int32_t pid = 0;
    std::int32_t parent = 0;
    std::string name;
    bool forked = false;
    ending how = ending::unknown;
    int status = 0;       ///< of exit, or the signal
    std::string executed; ///< of exec
    std::vector<source_account> accounts;
};

struct statistics {
    std::vector<program_image> images;
    std::vector<std::string> missing; ///< why it is not all of it
};

/// A section for each image, with a table; columns of zeros are left out.
std::string text(const statistics&);

/// One JSON object, with a line for each image.
std::string json(const statistics&);

} // namespace sigev::tool

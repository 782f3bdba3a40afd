// One line of the demo: a method, a source, and what has come of them. Pure.
#pragma once

#include "tool/histogram.hpp"

#include <sigev.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sigev::tool {

enum class method { none, signal, thread, kevent, thread_id, user };
enum class source { timer, aio };

inline constexpr std::array all_methods{method::none,   method::signal,    method::thread,
                                        method::kevent, method::thread_id, method::user};

const char* name(method) noexcept;
const char* name(source) noexcept;

struct row {
    tool::method method{};
    tool::source source{};
    sigev_ledger ledger{};
    std::uint64_t arrived = 0; ///< occurrences that the target itself has counted
    distribution latency{};
};

/// "5 delivered + 0 merged + 0 pending + 0 discarded"
std::string parts(const sigev_ledger&);

bool adds_up(const sigev_ledger&) noexcept;

/// Nothing is on the way any more, and the target has counted what the ledger says it was given.
bool settled(const row&) noexcept;

sigev_ledger sum(std::span<const row>) noexcept;

/// What is wrong with the rows at the end, one sentence for each fault; nothing when all ledgers add up.
/// `total` is the library's own account of the whole process, which must not know of more or of less than the
/// rows do.
std::vector<std::string> faults(std::span<const row>, const sigev_ledger& total);

/// One JSON array, an object a line: for programs, and still readable.
std::string json(std::span<const row>);

} // namespace sigev::tool

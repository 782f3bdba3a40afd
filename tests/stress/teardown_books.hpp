// What the library says of a round of teardown_arena.cpp, against what its threads have counted.
#pragma once

#include "stress/teardown_ground.hpp"

#include <array>
#include <string>

namespace sigev_tests::teardown {

/// The sums of all that there has been, by source and method.
struct totals {
    std::array<std::array<sigev_ledger, 6>, 2> of{};
    static constexpr std::array<int, 6> methods{SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_THREAD_ID, SIGEV_KEVENT, SIGEV_CALLBACK};

    static totals read(int user_method);
    std::array<sigev_ledger, 2> users{}, all{};
};

/// The first sum that does not hold.
std::string balance(const arena&, const totals& before, const totals& after);

} // namespace sigev_tests::teardown

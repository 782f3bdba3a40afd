// After every case of a folder that links the library: it shuts down, and no notification has been lost. A fallback that
// ctest forces by a name which does not exist would be no fallback: no such case passes.
#include "support.hpp"

#include <sigev.h>

#include <cerrno>
#include <cstring>

namespace {

void ledgers_add_up() {
    constexpr int any = -1;
    BOOST_CHECK_MESSAGE(sigev_probe("SIGEV_FORCE") == 1, "SIGEV_FORCE has a name that means nothing");
    BOOST_CHECK_MESSAGE(sigev_shutdown() == 0, "sigev_shutdown: " << std::strerror(errno));
    struct sigev_ledger total = {};
    BOOST_CHECK_MESSAGE(sigev_ledger_total(any, any, &total) == 0, "sigev_ledger_total: " << std::strerror(errno));
    BOOST_CHECK_MESSAGE(
        total.raised == total.delivered + total.merged + total.pending + total.discarded,
        "the ledgers do not add up: raised " << total.raised << ", delivered " << total.delivered << ", merged "
                                             << total.merged << ", pending " << total.pending << ", discarded "
                                             << total.discarded);
}

const bool added = sigev_tests::at_case_end(ledgers_add_up);

} // namespace

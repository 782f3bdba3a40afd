// What the tests of sigev::event_raw share.
#pragma once

#include <sigev/event_raw.hpp>

#include "include/context.hpp"

namespace sigev_tests {

using sigev::event_raw;
using sigev::event_raw_kind;

inline constexpr event_raw_kind kinds[] = {event_raw_kind::automatic, event_raw_kind::eventfd, event_raw_kind::pipe};

/// A post completes a wait of this context: it is not deaf.
inline void check_hears(asio::io_context& io, event_raw& wake)
{
    ending wait;
    wake.async_wait(wait.handler());
    wake.post();
    BOOST_TEST(run_until(io, [&] { return wait.count == 1; }));
    BOOST_TEST(!wait.ec);
}

} // namespace sigev_tests

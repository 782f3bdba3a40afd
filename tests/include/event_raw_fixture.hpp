// What the tests of sigev::event_raw share.
#pragma once

#include <sigev/event_raw.hpp>

#include "support/support.hpp"

#include <boost/asio/io_context.hpp>

#include <fcntl.h>

namespace sigev_tests {

namespace asio = boost::asio;
using sigev::error_code;
using sigev::event_raw;
using sigev::event_raw_kind;

inline constexpr event_raw_kind kinds[] = {event_raw_kind::automatic, event_raw_kind::eventfd, event_raw_kind::pipe};

/// A wait, and how it ended.
struct ending {
    int count = 0;
    error_code ec;

    auto handler()
    {
        return [this](error_code e) {
            ++count;
            ec = e;
        };
    }
};

/// Runs what is ready, also on a context that has run out of work before.
inline std::size_t poll(asio::io_context& io)
{
    io.restart();
    return io.poll();
}

/// Runs until the predicate holds, at most for a while.
inline bool run_until(asio::io_context& io, const std::function<bool()>& predicate)
{
    return wait_until([&] {
        poll(io);
        return predicate();
    });
}

/// A post completes a wait of this context: it is not deaf.
inline void check_hears(asio::io_context& io, event_raw& wake)
{
    ending wait;
    wake.async_wait(wait.handler());
    wake.post();
    BOOST_TEST(run_until(io, [&] { return wait.count == 1; }));
    BOOST_TEST(!wait.ec);
}

inline bool is_open(int fd) { return fcntl(fd, F_GETFD) != -1; }

} // namespace sigev_tests

// What the tests of the Asio objects share.
#pragma once

#include "support/support.hpp"

#include <sigev/error.hpp>

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>

#include <fcntl.h>

namespace sigev_tests {

namespace asio = boost::asio;
using sigev::error_code;

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

/// run() comes back by itself: nothing keeps the context.
inline bool runs_out(asio::io_context& io)
{
    io.restart();
    io.run_for(patience);
    return io.stopped();
}

inline bool is_open(int fd) { return fcntl(fd, F_GETFD) != -1; }

} // namespace sigev_tests

// The same as Asio objects, on a context of the program's own.
#include <sigev/aio.hpp>
#include <sigev/timer.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iostream>

namespace asio = boost::asio;
using namespace std::chrono_literals;

asio::awaitable<void> work(asio::io_context& io, const char* path)
{
    sigev::timer timer(io, CLOCK_BOOTTIME);
    timer.expires_after(1ms, 1ms);
    for (int i = 1; i <= 3; ++i) {
        co_await timer.async_wait(asio::use_awaitable);
        std::cout << "tick " << i << '\n';
    }
    char text[512];
    sigev::aio file(io);
    const auto n = co_await file.async_read_at(open(path, O_RDONLY), 0, asio::buffer(text), asio::use_awaitable);
    std::cout << "read " << n << " bytes\n";
}

int main(int argc, char** argv)
try {
    asio::io_context io;
    asio::co_spawn(io, work(io, argv[argc - 1]), [](std::exception_ptr e) { if (e) std::rethrow_exception(e); });
    io.run();
} catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
}

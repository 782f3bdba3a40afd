#include <sigev/timer.hpp>

#include <boost/asio.hpp>
#include <iostream>

boost::asio::awaitable<void> tick(sigev::timer timer)
{
    timer.expires_after(std::chrono::milliseconds(1), std::chrono::milliseconds(1));
    for (int i = 1; i <= 3; ++i) {
        co_await timer.async_wait(boost::asio::use_awaitable);
        std::cout << "tick " << i << '\n';
    }
}

int main()
{
    boost::asio::io_context io;
    co_spawn(io, tick(sigev::timer(io, CLOCK_BOOTTIME)), [](std::exception_ptr e) { if (e) std::rethrow_exception(e); });
    io.run();
}

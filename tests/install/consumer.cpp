// A C++ program of somebody's: a timer on an io_context of its own.
#include <sigev/timer.hpp>

#include <boost/asio/io_context.hpp>

#include <cstdio>

int main()
{
    boost::asio::io_context io;
    sigev::timer timer(io, CLOCK_BOOTTIME);
    timer.expires_after(std::chrono::milliseconds(1));
    timer.async_wait([](sigev::error_code ec) { std::puts(ec ? ec.message().c_str() : "three ticks"); });
    io.run();
}

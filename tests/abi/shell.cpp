#include "shell.hpp"

#include <sigev/aio.hpp>
#include <sigev/dispatcher.hpp>
#include <sigev/event_raw.hpp>
#include <sigev/timer.hpp>

#include <boost/asio/io_context.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

#if defined(BOOST_ASIO_DISABLE_THREADS)
constexpr int threads = 1;
#else
constexpr int threads = 2;
#endif

void run(asio::io_context& io)
{
    std::vector<std::jthread> others;
    for (int i = 1; i < threads; ++i)
        others.emplace_back([&] { io.run(); });
    io.run();
}

/// The library, the header and Asio agree on who runs the context.
bool inside(asio::io_context& io)
{
    return io.get_executor().running_in_this_thread();
}

// A post that nobody waits for yet, and one between each completion and the next wait.
bool events()
{
    asio::io_context io;
    sigev::event_raw wake(io);
    int left = 100;
    bool good = true;
    std::function<void(sigev::error_code)> woken = [&](sigev::error_code ec) {
        good = good && !ec && inside(io);
        if (--left == 0)
            return;
        wake.post();
        wake.async_wait(woken);
    };
    wake.post();
    wake.async_wait(woken);
    run(io);
    return good && left == 0;
}

bool timers()
{
    asio::io_context io;
    bool good = true;
    std::atomic<int> left = 9;
    std::array<sigev::timer, 3> all{
        sigev::timer(io, CLOCK_MONOTONIC), sigev::timer(io, CLOCK_REALTIME), sigev::timer(io, CLOCK_BOOTTIME)};
    std::function<void(sigev::timer&, int)> wait = [&](sigev::timer& t, int times) {
        t.async_wait([&, times](sigev::error_code ec) {
            if (ec || !inside(io))
                good = false;
            --left;
            if (times != 1)
                wait(t, times - 1);
        });
    };
    for (auto& t : all) {
        t.expires_after(1ms, 1ms);
        wait(t, 3);
    }
    run(io);
    return good && left == 0;
}

// Submitted by a thread that does not run the context, and by the callback: before the reactor is watched again.
struct relay {
    asio::io_context io;
    sigev::dispatcher here{io};
    sigev::subscription told{here, sigev::target::callback(&relay::on_news, this), 8};
    std::atomic<int> left{200};
    std::atomic<bool> good{true};

    static void on_news(sigval value)
    {
        auto& self = *static_cast<relay*>(value.sival_ptr);
        const auto n = sigev::current();
        if (!n || !inside(self.io) || n->source() != sigev::source::user)
            self.good = false;
        if (--self.left > 0)
            self.told.submit(1);
        else
            self.here.close();
    }
};

bool subscriptions()
{
    relay r;
    std::jthread elsewhere([&] {
        for (int i = 0; i != 50; ++i)
            r.told.submit(2);
    });
    run(r.io);
    elsewhere.join();
    r.told.cancel_and_wait();
    return r.good && r.left <= 0 && r.told.ledger().adds_up();
}

bool files()
{
    asio::io_context io;
    const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    std::array<char, 4> magic{};
    bool good = false;
    sigev::aio(io).async_read_at(file, 0, asio::buffer(magic), [&](sigev::error_code ec, std::size_t n) {
        good = !ec && n == magic.size() && magic[1] == 'E' && inside(io);
    });
    run(io);
    close(file);
    return good;
}

} // namespace

int run_shell()
{
    bool (*const parts[])() = {events, timers, subscriptions, files};
    int number = 0;
    for (const auto part : parts) {
        ++number;
        for (int round = 0; round != 20; ++round)
            if (!part())
                return number;
    }
    return 0;
}

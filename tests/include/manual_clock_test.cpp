// sigev::manual_clock, and what goes with it in C++: options of a timer, a subscription to steps, the next deadline.
#include <sigev/dispatcher.hpp>
#include <sigev/manual_clock.hpp>
#include <sigev/posix_timer.hpp>
#include <sigev/subscription.hpp>
#include <sigev/timer.hpp>

#include "context.hpp"

using namespace sigev_tests;
using namespace std::chrono_literals;

namespace {

struct count {
    int calls = 0;
    std::int64_t data = 0;

    static void receive(sigval v)
    {
        auto& self = *static_cast<count*>(v.sival_ptr);
        self.data = ::sigev_current()->data;
        ++self.calls;
    }
    sigev::target target() { return sigev::target::callback(&receive, this); }
};

} // namespace

BOOST_AUTO_TEST_SUITE(cpp_clocks)

BOOST_AUTO_TEST_CASE(a_timer_on_a_manual_clock_is_told_of_in_the_thread_that_moves_it)
{
    boost::asio::io_context io;
    sigev::dispatcher here(io);
    count ticks;
    sigev::manual_clock clock(std::chrono::system_clock::time_point(24h));
    BOOST_TEST((clock.now(CLOCK_REALTIME) == 24h));
    sigev::posix_timer hourly(here, CLOCK_MONOTONIC, ticks.target(), {.clock = clock.native_handle()});
    hourly.expires_after(1h, 1h);
    clock.advance(24h);
    BOOST_TEST(ticks.calls == 24);
    clock.set(CLOCK_MONOTONIC, 48h);
    BOOST_TEST(ticks.calls == 25);
    BOOST_TEST(ticks.data == 24);
    BOOST_TEST(hourly.getoverrun() == 23);
    BOOST_TEST((clock.now(CLOCK_REALTIME) == 72h));
    BOOST_CHECK_THROW(clock.set(CLOCK_MONOTONIC, 1h), boost::system::system_error);
    BOOST_CHECK_THROW(clock.advance(-1ns), boost::system::system_error);
    sigev::manual_clock moved = std::move(clock);
    moved.advance(1h);
    BOOST_TEST(ticks.calls == 26);
}

BOOST_AUTO_TEST_CASE(waits_complete_when_the_clock_has_been_moved)
{
    boost::asio::io_context io;
    sigev::manual_clock clock;
    const sigev::timer_options how{.clock = clock.native_handle()};
    sigev::timer once(io, CLOCK_MONOTONIC, how), periodic(io, CLOCK_REALTIME, how);
    int completed = 0, ticks = 0;
    clock.advance(1h);
    once.expires_after(1h);
    once.async_wait([&](sigev::error_code ec) { completed += !ec; });
    periodic.expires_after(10min, 10min);
    const auto wait = [&](auto& self) -> void {
        periodic.async_wait([&](sigev::error_code ec) {
            if (!ec && ++ticks < 5)
                self(self);
        });
    };
    wait(wait);
    io.poll();
    BOOST_TEST(completed + ticks == 0);
    for (int i = 0; i != 7; ++i) {
        clock.advance(10min);
        io.poll();
    }
    BOOST_TEST(completed == 1);
    BOOST_TEST(ticks == 5);
}

BOOST_AUTO_TEST_CASE(a_step_is_told)
{
    boost::asio::io_context io;
    sigev::dispatcher here(io);
    count steps;
    sigev::manual_clock clock;
    ::sigev_options on{};
    on.reactor = here.reactor();
    const auto told = sigev::subscription::to_clock_steps(steps.target(), clock.native_handle(), 4, on);
    clock.step(-1h);
    for (int i = 0; i != 100 && steps.calls == 0; ++i)
        io.run_one_for(100ms);
    BOOST_TEST(steps.calls == 1);
    BOOST_TEST((std::chrono::nanoseconds(steps.data) == -1h));
    BOOST_CHECK_THROW(sigev::subscription::to_clock_steps(steps.target(), 1), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(slack_and_precision_are_options_and_the_next_deadline_is_known)
{
    boost::asio::io_context io;
    sigev::dispatcher here(io);
    BOOST_TEST(!here.next_deadline());
    count told;
    const sigev::timer_options late{.slack = 1s}, precise{.precise = true};
    sigev::posix_timer a(here, CLOCK_MONOTONIC, told.target(), late), b(here, CLOCK_MONOTONIC, told.target(), precise);
    a.expires_after(1h);
    io.poll();
    const auto next = here.next_deadline();
    BOOST_REQUIRE(next.has_value());
    ::timespec before{}, after{};
    clock_gettime(CLOCK_MONOTONIC, &before);
    const auto left = sigev::to_duration(a.gettime().it_value);
    clock_gettime(CLOCK_MONOTONIC, &after);
    // Somewhere in its span, whatever time goes by between the looks.
    BOOST_TEST((*next > sigev::to_duration(before) + left - 100ms && *next <= sigev::to_duration(after) + left + 1100ms));
    b.expires_after(1ms);
    for (int i = 0; i != 100 && told.calls == 0; ++i)
        io.run_one_for(100ms);
    BOOST_TEST(told.calls == 1);
    BOOST_CHECK_THROW(sigev::posix_timer(here, CLOCK_MONOTONIC, told.target(), {.slack = 1s, .precise = true}),
                      boost::system::system_error);
}

BOOST_AUTO_TEST_SUITE_END()

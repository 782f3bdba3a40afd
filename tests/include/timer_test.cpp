// sigev::timer, the Asio I/O object: waits.
#if defined(__SANITIZE_ADDRESS__)
#    pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // of use_future, inside Asio, in that build only
#endif

#include <sigev/timer.hpp>

#include "include/context.hpp"
#include "support/many.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace sigev_tests;
using namespace std::chrono_literals;
using sigev::timer;

constexpr clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};

static_assert(std::is_nothrow_move_constructible_v<timer> && std::is_nothrow_move_assignable_v<timer>);
static_assert(!std::is_copy_constructible_v<timer>);
static_assert(std::is_same_v<
              timer::rebind_executor<asio::io_context::executor_type>::other,
              sigev::basic_timer<asio::io_context::executor_type>>);

std::chrono::nanoseconds now(clockid_t clock)
{
    timespec t{};
    clock_gettime(clock, &t);
    return sigev::to_duration(t);
}

} // namespace

BOOST_AUTO_TEST_SUITE(timer_object)

BOOST_AUTO_TEST_CASE(expires_on_each_clock_not_before_its_time)
{
    for (const auto clock : clocks) {
        for (const bool absolute : {false, true}) {
            asio::io_context io;
            timer t(io, clock);
            ending wait;
            const auto due = now(clock) + 3ms;
            if (absolute)
                t.expires_at(due);
            else
                t.expires_after(3ms);
            t.async_wait([&](error_code ec) {
                BOOST_TEST(io.get_executor().running_in_this_thread());
                BOOST_TEST((now(clock) >= due));
                wait.handler()(ec);
            });
            BOOST_TEST(wait.count == 0);
            BOOST_TEST(runs_out(io)); // also: nothing is left outstanding
            BOOST_TEST(wait.count == 1);
            BOOST_TEST(!wait.ec);
            BOOST_TEST(t.overrun() == 0);
        }
    }
}

BOOST_AUTO_TEST_CASE(executors_and_contexts)
{
    asio::io_context io;
    auto strand = asio::make_strand(io);
    timer of_executor(io.get_executor());
    sigev::basic_timer<asio::io_context::executor_type> typed(io, CLOCK_REALTIME);
    sigev::basic_timer<decltype(strand)> of_strand(strand);
    int count = 0;
    of_executor.async_wait([&](error_code) { ++count; });
    typed.expires_after(1ns);
    typed.async_wait([&](error_code) { ++count; });
    of_strand.expires_after(1ns);
    of_strand.async_wait([&](error_code) {
        BOOST_TEST(strand.running_in_this_thread());
        ++count;
    });
    BOOST_TEST(runs_out(io));
    BOOST_TEST(count == 3);

    asio::thread_pool pool(1);
    timer of_pool(pool);
    of_pool.expires_after(1ms);
    of_pool.async_wait(asio::use_future).get();
}

BOOST_AUTO_TEST_CASE(errors_of_the_constructor)
{
    asio::io_context io;
    BOOST_CHECK_EXCEPTION(timer(io, CLOCK_MONOTONIC_RAW), boost::system::system_error, [](const auto& e) {
        return e.code() == boost::system::errc::not_supported;
    });
    BOOST_CHECK_EXCEPTION(timer(io, 4711), boost::system::system_error, [](const auto& e) {
        return e.code() == boost::system::errc::invalid_argument;
    });
    BOOST_TEST(io.run() == 0u);
}

BOOST_AUTO_TEST_CASE(one_shot_completes_all_waits_also_later_ones)
{
    asio::io_context io;
    timer t(io);
    ending never_armed, first, second, later;
    t.async_wait(never_armed.handler());
    BOOST_TEST(never_armed.count == 0); // not from inside async_wait()
    BOOST_TEST(runs_out(io));
    BOOST_TEST(never_armed.count == 1);
    t.expires_after(1ms);
    t.async_wait(first.handler());
    t.async_wait(second.handler());
    BOOST_TEST(runs_out(io));
    t.async_wait(later.handler());
    BOOST_TEST(runs_out(io));
    for (const ending* e : {&first, &second, &later}) {
        BOOST_TEST(e->count == 1);
        BOOST_TEST(!e->ec);
    }
}

BOOST_AUTO_TEST_CASE(expiry_that_nobody_waited_for_completes_the_next_wait)
{
    asio::io_context io;
    timer t(io);
    t.expires_after(1ms);
    BOOST_TEST(io.run() == 0u); // an armed timer alone keeps nothing
    const auto due = now(CLOCK_MONOTONIC) + 2ms;
    BOOST_TEST(wait_until([&] { return now(CLOCK_MONOTONIC) > due; }));
    ending wait;
    t.async_wait(wait.handler());
    BOOST_TEST(runs_out(io));
    BOOST_TEST(wait.count == 1);
}

BOOST_AUTO_TEST_CASE(periodic_completes_a_wait_for_each_expiry_and_counts_the_missed)
{
    asio::io_context io;
    timer t(io);
    const auto start = now(CLOCK_MONOTONIC);
    t.expires_at(start + 1ms, 1ms);
    std::int64_t expiries = 0;
    for (int i = 0; i != 5; ++i) {
        if (i == 3)
            BOOST_TEST(wait_until([&] { return now(CLOCK_MONOTONIC) > start + (expiries + 3) * 1ms; }));
        ending wait;
        t.async_wait(wait.handler());
        BOOST_TEST(runs_out(io));
        BOOST_TEST(!wait.ec);
        if (i == 3)
            BOOST_TEST(t.overrun() >= 1);
        expiries += 1 + t.overrun();
    }
    BOOST_TEST((now(CLOCK_MONOTONIC) >= start + expiries * 1ms));
    t.disarm();
    const auto l = t.ledger();
    BOOST_TEST(l.raised >= unsigned(expiries));
    BOOST_TEST(l.adds_up());
}

BOOST_AUTO_TEST_CASE(setting_and_cancelling_end_waits)
{
    asio::io_context io;
    timer t(io);
    ending set_anew, cancelled, disarmed, good;
    t.expires_after(1h);
    t.async_wait(set_anew.handler());
    t.expires_after(1h);
    t.async_wait(cancelled.handler());
    t.cancel();
    const auto left = t.gettime();
    BOOST_TEST(left.it_value.tv_sec > 3500); // cancel() leaves it armed
    t.async_wait(disarmed.handler());
    t.disarm();
    BOOST_TEST(t.gettime().it_value.tv_sec == 0);
    BOOST_TEST(set_anew.count + cancelled.count + disarmed.count == 0); // not from inside
    BOOST_TEST(runs_out(io));
    for (const ending* e : {&set_anew, &cancelled, &disarmed}) {
        BOOST_TEST(e->count == 1);
        BOOST_TEST(e->ec == asio::error::operation_aborted);
    }
    const auto old = t.settime(0, {{0, 0}, {0, 1}});
    BOOST_TEST(old.it_value.tv_sec == 0);
    t.async_wait(good.handler());
    BOOST_TEST(runs_out(io));
    BOOST_TEST(!good.ec);
    error_code ec;
    t.settime(0, {{0, 0}, {0, -1}}, ec);
    BOOST_TEST(ec == boost::system::errc::invalid_argument);
    BOOST_CHECK_THROW(t.settime(0, {{0, 0}, {-1, 0}}), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(each_wait_can_be_cancelled_alone)
{
    using asio::cancellation_type;
    for (const auto type : {cancellation_type::terminal, cancellation_type::partial, cancellation_type::total}) {
        asio::io_context io;
        timer t(io);
        asio::cancellation_signal signal;
        ending cancelled, other, after;
        t.expires_after(1h);
        t.async_wait(other.handler());
        t.async_wait(asio::bind_cancellation_slot(signal.slot(), cancelled.handler()));
        t.async_wait(after.handler());
        signal.emit(type);
        poll(io);
        BOOST_TEST(cancelled.count == 1);
        BOOST_TEST(cancelled.ec == asio::error::operation_aborted);
        BOOST_TEST(other.count + after.count == 0);
        signal.emit(type); // it is over: nothing happens
        t.settime(0, {});
        BOOST_TEST(runs_out(io));
        BOOST_TEST(other.count + after.count == 2);
    }
    asio::cancellation_signal signal;
    {
        asio::io_context io;
        timer t(io);
        t.async_wait(asio::bind_cancellation_slot(signal.slot(), [](error_code) {}));
        BOOST_TEST(runs_out(io));
    }
    signal.emit(cancellation_type::terminal); // the timer is gone
}

BOOST_AUTO_TEST_CASE(tokens)
{
    asio::io_context io;
    timer t(io);
    int ticks = 0;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            t.expires_after(1ms, 1ms);
            for (; ticks != 3; ++ticks)
                co_await t.async_wait(asio::use_awaitable);
        },
        [](std::exception_ptr failure) { BOOST_TEST(!failure); });
    BOOST_TEST(runs_out(io));
    BOOST_TEST(ticks == 3);

    t.expires_after(1h);
    auto future = t.async_wait(asio::use_future);
    t.cancel();
    BOOST_TEST(runs_out(io));
    BOOST_CHECK_THROW(future.get(), boost::system::system_error);

    t.disarm();
    ending wait;
    t.async_wait(asio::deferred)(wait.handler());
    BOOST_TEST(runs_out(io));
    BOOST_TEST(wait.count == 1);
}

BOOST_AUTO_TEST_CASE(handler_runs_on_its_executor)
{
    asio::io_context io;
    asio::thread_pool elsewhere(1);
    timer t(io);
    t.expires_after(1ms);
    std::atomic<bool> there{false};
    t.async_wait(asio::bind_executor(
        elsewhere, [&](error_code) { there = elsewhere.get_executor().running_in_this_thread(); }));
    io.run();
    elsewhere.join(); // the wait counts as its work
    BOOST_TEST(there);
}

BOOST_AUTO_TEST_CASE(destroyed_by_its_own_handler)
{
    asio::io_context io;
    auto t = std::make_unique<timer>(io);
    ending other;
    t->expires_after(1ms, 1h); // the second wait has nothing to be told, however late the first handler is
    t->async_wait([&](error_code ec) {
        BOOST_TEST(!ec);
        t->async_wait(other.handler());
        t.reset();
    });
    BOOST_TEST(runs_out(io));
    BOOST_TEST(!t);
    BOOST_TEST(other.ec == asio::error::operation_aborted);

    auto shared = std::make_shared<timer>(io); // owned by its handler alone
    auto& raw = *shared;
    raw.expires_after(1ms);
    raw.async_wait([shared = std::move(shared)](error_code) {});
    BOOST_TEST(runs_out(io));
}

BOOST_AUTO_TEST_CASE(destroyed_with_its_context)
{
    for (const bool expired : {false, true}) {
        asio::io_context io;
        auto shared = std::make_shared<timer>(io);
        auto other = std::make_shared<timer>(io); // a handler may own other timers that are waited for
        auto& raw = *shared;
        other->async_wait([](error_code) { BOOST_ERROR("ran"); });
        raw.expires_after(expired ? 1ns : 1h);
        raw.async_wait([shared = std::move(shared), other](error_code) { BOOST_ERROR("ran"); });
    }
}

BOOST_AUTO_TEST_CASE(moves_with_its_waits)
{
    asio::io_context io;
    ending wait, lost;
    timer first(io);
    first.expires_after(1ms);
    first.async_wait(wait.handler());
    timer second(std::move(first));
    timer third(io);
    third.expires_after(1h);
    third.async_wait(lost.handler());
    third = std::move(second);
    BOOST_TEST(runs_out(io));
    BOOST_TEST(!wait.ec);
    BOOST_TEST(lost.ec == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(many_on_a_context_run_by_two_threads)
{
    constexpr int timers = 200, times = 10;
    asio::io_context io;
    std::vector<timer> all;
    std::atomic<int> done{0}, failed{0};
    std::function<void(int, int)> wait = [&](int which, int left) {
        all[std::size_t(which)].async_wait([&, which, left](error_code ec) {
            failed += bool(ec);
            ++done;
            if (left != 1) {
                all[std::size_t(which)].expires_after(std::chrono::microseconds(which));
                wait(which, left - 1);
            }
        });
    };
    for (int i = 0; i != timers; ++i)
        all.emplace_back(io, clocks[i % 3]).expires_after(std::chrono::microseconds(i));
    for (int i = 0; i != timers; ++i)
        wait(i, times);
    {
        std::jthread second([&] { io.run(); });
        io.run();
    }
    BOOST_TEST(done == timers * times);
    BOOST_TEST(failed == 0);
}

// Between an expiry and its callback another thread sets the timer anew: the expiry is not for the new wait.
BOOST_AUTO_TEST_CASE(no_wait_completes_for_what_was_replaced)
{
    for (const std::chrono::nanoseconds period : {0ns, std::chrono::nanoseconds(1h)}) {
        asio::io_context io;
        const auto work = asio::make_work_guard(io);
        std::jthread first([&] { io.run(); }), second([&] { io.run(); });
        timer t(io), keeper(io);
        keeper.expires_after(1h);
        keeper.async_wait([](error_code) {}); // so that the context watches all the time
        int early = 0;
        for (many rounds(2000); rounds.go_on();) {
            const auto raised = t.ledger().raised;
            t.expires_after(std::chrono::microseconds(rounds.number() % 16), period == 0ns ? 0ns : 500ns);
            wait_until([&] { return t.ledger().raised > raised; });
            t.expires_after(1h, period);
            std::atomic<int> ended{0}, reached{0};
            t.async_wait([&](error_code ec) { ended = ec ? 1 : 2; });
            asio::post(io, [&] { reached = 1; }); // time for the callback, if it comes
            BOOST_REQUIRE(wait_until([&] { return reached != 0; }));
            t.cancel();
            BOOST_REQUIRE(wait_until([&] { return ended != 0; }));
            early += ended == 2;
        }
        BOOST_TEST(early == 0);
        io.stop();
    }
}

BOOST_AUTO_TEST_SUITE_END()

// sigev::event_raw, the Asio I/O object.
#include "event_raw_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <array>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

#include <signal.h>

namespace {

using namespace sigev_tests;

static_assert(std::is_nothrow_move_constructible_v<event_raw>);
static_assert(std::is_nothrow_move_assignable_v<event_raw>);
static_assert(!std::is_copy_constructible_v<event_raw>);
static_assert(std::is_same_v<event_raw::executor_type, asio::any_io_executor>);
static_assert(std::is_same_v<
              event_raw::rebind_executor<asio::io_context::executor_type>::other,
              sigev::basic_event_raw<asio::io_context::executor_type>>);

event_raw* posted_by_handler;

} // namespace

BOOST_AUTO_TEST_SUITE(event_raw_object)

BOOST_AUTO_TEST_CASE(opens_on_executors_and_contexts)
{
    asio::io_context io;
    for (const auto kind : kinds) {
        event_raw of_context(io, kind);
        event_raw of_executor(io.get_executor(), kind);
        sigev::basic_event_raw<asio::io_context::executor_type> of_typed_executor(io, kind);
        auto strand = asio::make_strand(io);
        sigev::basic_event_raw<decltype(strand)> of_strand(strand, kind);
        BOOST_TEST((of_executor.get_executor() == io.get_executor()));
        for (const int fd : {of_context.native_handle(), of_executor.native_handle(),
                             of_typed_executor.native_handle(), of_strand.native_handle()})
            BOOST_TEST(is_open(fd));
        ending typed, on_strand;
        of_typed_executor.async_wait(typed.handler());
        of_strand.async_wait(on_strand.handler());
        of_typed_executor.post();
        of_strand.post();
        BOOST_TEST(run_until(io, [&] { return typed.count + on_strand.count == 2; }));
    }
    asio::thread_pool pool(1);
    event_raw of_pool(pool);
    of_pool.post();
    of_pool.async_wait(asio::use_future).get();
}

BOOST_AUTO_TEST_CASE(open_fails_as_an_exception_or_as_a_value)
{
    constexpr auto no_such_kind = static_cast<event_raw_kind>(99);
    asio::io_context io;
    BOOST_CHECK_THROW(event_raw(io, no_such_kind), boost::system::system_error);
    error_code ec;
    event_raw closed(io, no_such_kind, ec);
    BOOST_TEST(ec == boost::system::errc::invalid_argument);
    BOOST_TEST(!closed.is_open());
    closed.post();
    closed.cancel();
    closed.close();
    closed.open(event_raw_kind::automatic, ec);
    BOOST_TEST(!ec);
    check_hears(io, closed);
}

BOOST_AUTO_TEST_CASE(posts_before_a_wait_complete_it_once)
{
    for (const auto kind : kinds) {
        asio::io_context io;
        event_raw wake(io, kind);
        ending first, second;
        for (int i = 0; i != 100; ++i)
            wake.post();
        wake.async_wait(first.handler());
        BOOST_TEST(first.count == 0); // never from inside async_wait
        poll(io);
        BOOST_TEST(first.count == 1);
        BOOST_TEST(!first.ec);
        wake.async_wait(second.handler());
        poll(io);
        BOOST_TEST(second.count == 0);
        wake.post();
        poll(io);
        BOOST_TEST(second.count == 1);
    }
}

BOOST_AUTO_TEST_CASE(post_in_a_handler_completes_the_next_wait)
{
    for (const auto kind : kinds) {
        asio::io_context io;
        event_raw wake(io, kind);
        int handled = 0;
        std::function<void(error_code)> handler = [&](error_code ec) {
            BOOST_TEST(!ec);
            if (++handled == 100)
                return;
            wake.post();
            wake.async_wait(handler);
        };
        wake.async_wait(handler);
        wake.post();
        BOOST_TEST(run_until(io, [&] { return handled == 100; }));
    }
}

BOOST_AUTO_TEST_CASE(post_completes_one_of_several_waits_at_least)
{
    for (const auto kind : kinds) {
        asio::io_context io;
        event_raw wake(io, kind);
        ending wait;
        for (int i = 0; i != 3; ++i)
            wake.async_wait(wait.handler());
        for (int posts = 1; posts <= 3; ++posts) {
            wake.post();
            poll(io);
            BOOST_TEST(wait.count == posts); // the others found nothing, and wait on
        }
        BOOST_TEST(!wait.ec);
    }
}

BOOST_AUTO_TEST_CASE(tokens)
{
    asio::io_context io;
    event_raw wake(io);
    int resumed = 0;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            for (; resumed != 3; ++resumed)
                co_await wake.async_wait(asio::use_awaitable);
            wake.cancel();
            auto wait = wake.async_wait(asio::use_awaitable); // begins when it is awaited
            wake.post();
            co_await std::move(wait);
            ++resumed;
        },
        [](std::exception_ptr failure) { BOOST_TEST(!failure); });
    for (int i = 0; i != 3; ++i) {
        poll(io);
        BOOST_TEST(resumed == i);
        wake.post();
    }
    poll(io);
    BOOST_TEST(resumed == 4);

    auto future = wake.async_wait(asio::use_future);
    wake.post();
    poll(io);
    future.get();
    future = wake.async_wait(asio::use_future);
    wake.close();
    poll(io);
    BOOST_CHECK_THROW(future.get(), boost::system::system_error);
    wake.open();

    ending wait;
    auto operation = wake.async_wait(asio::deferred);
    wake.post();
    poll(io);
    std::move(operation)(wait.handler());
    poll(io);
    BOOST_TEST(wait.count == 1);
}

BOOST_AUTO_TEST_CASE(handler_runs_on_its_executor)
{
    asio::io_context io;
    asio::thread_pool elsewhere(1);
    event_raw wake(io);
    std::atomic<bool> there{false}, refused{false};
    const auto handler = [&](std::atomic<bool>& flag) {
        return asio::bind_executor(
            elsewhere, [&](error_code) { flag = elsewhere.get_executor().running_in_this_thread(); });
    };
    wake.async_wait(handler(there));
    wake.post();
    BOOST_TEST(run_until(io, [&] { return there.load(); }));
    wake.close();
    wake.async_wait(handler(refused));
    BOOST_TEST(run_until(io, [&] { return refused.load(); }));
}

BOOST_AUTO_TEST_CASE(destroyed_by_its_own_handler)
{
    for (const auto kind : kinds) {
        asio::io_context io;
        auto wake = std::make_unique<event_raw>(io, kind);
        const int fd = wake->native_handle();
        ending other;
        wake->async_wait([&](error_code ec) {
            BOOST_TEST(!ec);
            wake.reset();
        });
        wake->async_wait(other.handler());
        wake->post();
        poll(io);
        BOOST_TEST(!wake);
        BOOST_TEST(!is_open(fd));
        BOOST_TEST(other.count == 1);
        BOOST_TEST(other.ec == asio::error::operation_aborted);

        auto shared = std::make_shared<event_raw>(io, kind); // owned by its handler alone
        auto& raw = *shared;
        raw.async_wait([shared = std::move(shared)](error_code) {});
        raw.post();
        BOOST_TEST(poll(io) > 0u);
    }
}

BOOST_AUTO_TEST_CASE(destroyed_with_its_context)
{
    for (const bool posted : {false, true}) {
        asio::io_context io;
        auto shared = std::make_shared<event_raw>(io);
        auto& raw = *shared;
        raw.async_wait([shared = std::move(shared)](error_code) { BOOST_ERROR("ran"); });
        if (posted)
            raw.post();
    }
}

BOOST_AUTO_TEST_CASE(moves_with_its_waits)
{
    asio::io_context io;
    ending wait, lost;
    event_raw first(io);
    first.async_wait(wait.handler());
    event_raw second(std::move(first));
    BOOST_TEST(!first.is_open());
    first.post();
    second.post();
    poll(io);
    BOOST_TEST(wait.count == 1);
    BOOST_TEST(!wait.ec);

    first.open(event_raw_kind::pipe);
    first.async_wait(lost.handler());
    first = std::move(second);
    poll(io);
    BOOST_TEST(lost.count == 1);
    BOOST_TEST(lost.ec == asio::error::operation_aborted);
    check_hears(io, first);
}

BOOST_AUTO_TEST_CASE(cancel_and_close_end_waits_and_lose_no_post)
{
    for (const auto kind : kinds) {
        asio::io_context io;
        event_raw wake(io, kind);
        ending cancelled, closed, refused;
        wake.async_wait(cancelled.handler());
        poll(io);
        wake.post();
        wake.cancel();
        poll(io);
        BOOST_TEST(cancelled.count == 1);
        BOOST_TEST(cancelled.ec == asio::error::operation_aborted);
        ending next;
        wake.async_wait(next.handler());
        poll(io);
        BOOST_TEST(next.count == 1);
        BOOST_TEST(!next.ec);

        wake.async_wait(closed.handler());
        wake.close();
        wake.close();
        BOOST_TEST(wake.native_handle() == -1);
        wake.post();
        wake.async_wait(refused.handler());
        BOOST_TEST(refused.count == 0);
        poll(io);
        BOOST_TEST(closed.ec == asio::error::operation_aborted);
        BOOST_TEST(refused.count == 1);
        BOOST_TEST(refused.ec == asio::error::bad_descriptor);
        wake.open(kind);
        BOOST_CHECK_THROW(wake.open(kind), boost::system::system_error);
        check_hears(io, wake);
    }
}

BOOST_AUTO_TEST_CASE(cancel_and_close_reach_a_wait_that_is_ready_already)
{
    // Both waits are reported at once; the second stands in the context's queue while the first one's handler runs.
    for (const bool close : {false, true}) {
        asio::io_context io;
        event_raw wake(io);
        ending first, second, next;
        wake.async_wait([&](error_code ec) {
            first.handler()(ec);
            wake.post();
            wake.cancel();
            if (close) {
                wake.close();
                wake.open();
                wake.post();
            }
        });
        wake.async_wait(second.handler());
        poll(io);
        wake.post();
        poll(io);
        BOOST_TEST(first.count == 1);
        BOOST_TEST(!first.ec);
        BOOST_TEST(second.count == 1);
        BOOST_TEST(second.ec == asio::error::operation_aborted);
        wake.async_wait(next.handler());
        poll(io);
        BOOST_TEST(next.count == 1); // the post was not taken by the wait that ended
        BOOST_TEST(!next.ec);
    }
}

BOOST_AUTO_TEST_CASE(each_wait_can_be_cancelled_alone)
{
    using asio::cancellation_type;
    for (const auto type : {cancellation_type::terminal, cancellation_type::partial, cancellation_type::total}) {
        asio::io_context io;
        event_raw wake(io);
        asio::cancellation_signal signal;
        ending cancelled, other;
        wake.async_wait(asio::bind_cancellation_slot(signal.slot(), cancelled.handler()));
        wake.async_wait(other.handler());
        poll(io);
        signal.emit(type);
        poll(io);
        BOOST_TEST(cancelled.count == 1);
        BOOST_TEST(cancelled.ec == asio::error::operation_aborted);
        BOOST_TEST(other.count == 0);
        wake.post();
        poll(io);
        BOOST_TEST(other.count == 1);
        BOOST_TEST(!other.ec);

        // ready already, but for a post that the first one takes
        ending ready;
        wake.async_wait([&](error_code) { signal.emit(type); });
        wake.async_wait(asio::bind_cancellation_slot(signal.slot(), ready.handler()));
        wake.post();
        poll(io);
        BOOST_TEST(ready.count == 1);
        BOOST_TEST(ready.ec == asio::error::operation_aborted);
    }
}

BOOST_AUTO_TEST_CASE(posts_from_a_signal_handler)
{
    asio::io_context io;
    event_raw wake(io);
    posted_by_handler = &wake;
    struct sigaction action = {}, before;
    action.sa_handler = [](int) { posted_by_handler->post(); };
    sigaction(SIGUSR1, &action, &before);
    ending wait;
    wake.async_wait(wait.handler());
    errno = 4711;
    raise(SIGUSR1);
    BOOST_TEST(errno == 4711);
    poll(io);
    BOOST_TEST(wait.count == 1);
    sigaction(SIGUSR1, &before, nullptr);
}

BOOST_AUTO_TEST_CASE(context_run_by_two_threads)
{
    // Handlers of one object never run at once, and once the posters are quiet a handler has seen their last value.
    for (const auto kind : {event_raw_kind::automatic, event_raw_kind::pipe}) {
        constexpr int rounds = 300, posters = 2;
        asio::io_context io;
        event_raw wake(io, kind);
        std::array<std::atomic<int>, posters> published{}, seen{};
        std::atomic<int> running{0}, overlaps{0};
        std::function<void(error_code)> handler = [&](error_code ec) {
            if (ec)
                return;
            overlaps += running.fetch_add(1) != 0;
            for (int i = 0; i != posters; ++i)
                seen[static_cast<std::size_t>(i)] = published[static_cast<std::size_t>(i)].load(std::memory_order_relaxed);
            running.fetch_sub(1);
            wake.async_wait(handler);
        };
        wake.async_wait(handler);
        std::vector<std::jthread> threads;
        for (int i = 0; i != 2; ++i)
            threads.emplace_back([&] { io.run(); });
        std::atomic<bool> lost{false};
        {
            std::vector<std::jthread> posting;
            for (std::size_t i = 0; i != posters; ++i)
                posting.emplace_back([&, i] {
                    for (int round = 1; round <= rounds && !lost; ++round) {
                        for (int n = 0; n <= round % 3; ++n) {
                            published[i].fetch_add(1, std::memory_order_relaxed);
                            wake.post();
                        }
                        if (!wait_until([&] { return seen[i] == published[i]; }))
                            lost = true;
                    }
                });
        }
        BOOST_TEST(!lost);
        BOOST_TEST(overlaps == 0);
        asio::post(io, [&] { wake.cancel(); });
        io.stop();
    }
}

BOOST_AUTO_TEST_SUITE_END()

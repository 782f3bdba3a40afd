// sigev::subscription, sigev::ledger.
#include <sigev/dispatcher.hpp>
#include <sigev/subscription.hpp>

#include "include/context.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include <signal.h>

namespace {

using namespace sigev_tests;
using sigev::dispatcher;
using sigev::subscription;
using sigev::target;

static_assert(std::is_nothrow_move_constructible_v<subscription> && !std::is_copy_constructible_v<subscription>);

void count(sigval v) { ++*static_cast<std::atomic<int>*>(v.sival_ptr); }

} // namespace

BOOST_AUTO_TEST_SUITE(subscription_object)

BOOST_AUTO_TEST_CASE(errors_are_values_or_exceptions)
{
    subscription none;
    BOOST_TEST(!none.is_open());
    errno = 4711;
    BOOST_TEST(none.submit() == boost::system::errc::invalid_argument);
    BOOST_TEST(errno == 4711);
    BOOST_CHECK_THROW(none.ledger(), boost::system::system_error);
    none.cancel_and_wait();
    none.close();

    BOOST_CHECK_THROW(subscription(target::signal(12345)), boost::system::system_error);
    BOOST_CHECK_THROW(subscription(target::none(), 0), boost::system::system_error);

    subscription told(target::none());
    told.cancel();
    BOOST_TEST(told.submit() == boost::system::errc::operation_canceled);
}

BOOST_AUTO_TEST_CASE(runtime_and_ledger)
{
    const auto before = sigev::total(sigev::source::user, SIGEV_NONE);
    {
        subscription told(target::none(), 16);
        for (int i = 0; i != 5; ++i)
            BOOST_TEST(!told.submit(i));
        BOOST_TEST(wait_until([&] { return told.ledger().delivered == 5; }));
        subscription moved(std::move(told));
        BOOST_TEST(!told.is_open());
        BOOST_TEST(moved.ledger().raised == 5u);
        BOOST_TEST(moved.ledger().adds_up());
    }
    const auto after = sigev::total(sigev::source::user, SIGEV_NONE);
    BOOST_TEST(after.delivered == before.delivered + 5);
    BOOST_TEST(sigev::total().adds_up());
    auto sum = before;
    sum += sigev::ledger(sigev_ledger{5, 5, 0, 0, 0, 0, 0});
    BOOST_TEST((sum == after));
    BOOST_TEST(!sigev::ledger(sigev_ledger{1, 0, 0, 0, 0, 0, 0}).adds_up());
}

BOOST_AUTO_TEST_CASE(submit_from_a_signal_handler)
{
    static subscription* told_by_handler;
    asio::io_context io;
    dispatcher here(io);
    std::atomic<int> calls{0};
    subscription told(here, target::callback(count, &calls), 4);
    told_by_handler = &told;
    struct sigaction action = {}, before;
    action.sa_handler = [](int) { told_by_handler->submit(1); };
    sigaction(SIGUSR1, &action, &before);
    raise(SIGUSR1);
    sigaction(SIGUSR1, &before, nullptr);
    BOOST_TEST(run_until(io, [&] { return calls == 1; }));
}

BOOST_AUTO_TEST_CASE(may_end_inside_its_own_callback)
{
    struct state {
        asio::io_context io;
        dispatcher here{io};
        std::unique_ptr<subscription> told;
        int calls = 0;
    } s;
    s.told = std::make_unique<subscription>(
        s.here,
        target::callback(
            [](sigval v) {
                auto& in = *static_cast<state*>(v.sival_ptr);
                ++in.calls;
                in.told.reset();
            },
            &s),
        8);
    s.told->submit();
    s.told->submit();
    BOOST_TEST(run_until(s.io, [&] { return s.calls == 1; }));
    s.here.close();
    BOOST_TEST(runs_out(s.io));
    BOOST_TEST(s.calls == 1);
}

BOOST_AUTO_TEST_CASE(destructor_waits_for_a_callback_in_another_thread)
{
    struct state {
        gate entered, leave;
        std::atomic<bool> left{false};
    } s;
    asio::io_context io;
    dispatcher here(io);
    std::optional<subscription> told(
        std::in_place, here,
        target::callback(
            [](sigval v) {
                auto& in = *static_cast<state*>(v.sival_ptr);
                in.entered.open();
                in.left = in.leave.wait();
            },
            &s));
    std::jthread runner([&] { io.run(); });
    told->submit();
    BOOST_TEST(s.entered.wait());
    std::jthread opener([&] { s.leave.open(); });
    told.reset();
    BOOST_TEST(s.left);
    here.close();
}

BOOST_AUTO_TEST_SUITE_END()

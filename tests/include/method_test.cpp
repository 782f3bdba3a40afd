// sigev::method: C++ callables as methods, on the runtime and on a context.
#include <sigev/dispatcher.hpp>
#include <sigev/method.hpp>
#include <sigev/subscription.hpp>

#include "include/context.hpp"

#include <atomic>
#include <memory>
#include <vector>

namespace {

using namespace sigev_tests;
using sigev::method;
using sigev::notification;
using sigev::subscription;
using sigev::target;
using sigev::verdict;

static_assert(std::is_nothrow_move_constructible_v<method> && !std::is_copy_constructible_v<method>);
static_assert(!std::is_constructible_v<method, int (*)(int)>);
static_assert(!std::is_constructible_v<method, std::string (*)(const notification&)>);

} // namespace

BOOST_AUTO_TEST_SUITE(method_object)

BOOST_AUTO_TEST_CASE(is_called_on_the_runtime_with_the_notification)
{
    std::atomic<std::int64_t> sum{0};
    method add([&](const notification& n) { sum += n.number() * n.data(); });
    subscription told(target::method(add, 100), 8);
    BOOST_TEST(!told.submit(1));
    BOOST_TEST(!told.submit(2));
    BOOST_TEST(wait_until([&] { return sum == 300; }));
    told.cancel_and_wait();
    BOOST_TEST(told.ledger().delivered == 2u);
    BOOST_TEST(told.ledger().adds_up());
}

BOOST_AUTO_TEST_CASE(is_called_by_the_thread_that_runs_the_context)
{
    asio::io_context io;
    sigev::dispatcher here(io);
    std::vector<std::int64_t> seen;
    method note([&](const notification& n) {
        BOOST_TEST(io.get_executor().running_in_this_thread());
        BOOST_TEST((n.source() == sigev::source::user));
        BOOST_TEST(n.error_code() == boost::system::errc::no_such_process);
        BOOST_TEST(&n.native() == sigev_current());
        seen.push_back(n.data());
    });
    subscription told(here, target::method(note), 4);
    for (int i = 1; i <= 4; ++i)
        told.submit(i, ESRCH);
    BOOST_TEST(run_until(io, [&] { return seen.size() == 4; }));
    BOOST_TEST(seen == (std::vector<std::int64_t>{1, 2, 3, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(says_delivered_retry_or_gone)
{
    asio::io_context io;
    sigev::dispatcher here(io);
    std::vector<std::int64_t> seen;
    bool full = true;
    method picky([&](const notification& n) -> verdict {
        if (n.data() == 0)
            return verdict::gone;
        if (std::exchange(full, false))
            return verdict::retry;
        seen.push_back(n.data());
        return verdict::delivered;
    });
    subscription told(here, target::method(picky), 4);
    told.submit(0);
    told.submit(1);
    told.submit(2);
    BOOST_TEST(run_until(io, [&] { return seen.size() == 2; }));
    BOOST_TEST(seen == (std::vector<std::int64_t>{1, 2}), boost::test_tools::per_element()); // in order, after the retry
    const auto l = told.ledger();
    BOOST_TEST(l.delivered == 2u);
    BOOST_TEST(l.discarded == 1u);
    BOOST_TEST(l.adds_up());

    method as_c([](const notification&) { return int(SIGEV_GONE); });
    subscription nowhere(here, target::method(as_c), 1);
    nowhere.submit();
    BOOST_TEST(run_until(io, [&] { return nowhere.ledger().discarded == 1; }));
}

BOOST_AUTO_TEST_CASE(callable_lives_until_its_last_subscription_has_ended)
{
    auto life = std::make_shared<int>(0);
    const std::weak_ptr<int> watch = life;
    {
        asio::io_context io;
        sigev::dispatcher here(io);
        subscription told;
        int number = 0;
        {
            method counting([life = std::move(life)](const notification&) { ++*life; });
            method moved(std::move(counting));
            BOOST_TEST(counting.number() == -1);
            number = moved.number();
            told = subscription(here, target::method(moved), 1);
        }
        BOOST_CHECK_THROW(subscription(here, target::method(number)), boost::system::system_error);
        told.submit();
        BOOST_TEST(run_until(io, [&] { return told.ledger().delivered == 1; }));
        BOOST_TEST(!watch.expired());
        told = {};
        BOOST_TEST(run_until(io, [&] { return watch.expired(); }));
    }
    auto unused = std::make_shared<int>(0);
    const std::weak_ptr<int> watch_unused = unused;
    {
        const method never([unused = std::move(unused)](const notification&) {});
    }
    BOOST_TEST(watch_unused.expired());
}

BOOST_AUTO_TEST_CASE(exception_ends_the_process_as_one_that_leaves_a_thread_does)
{
    for (const bool borrowed : {false, true}) {
        const auto end = child([&] {
            method bad([](const notification&) { throw 1; });
            asio::io_context io;
            sigev::dispatcher here(io);
            subscription told(borrowed ? here.reactor() : 0, target::method(bad));
            told.submit();
            run_until(io, [] { return false; });
        });
        BOOST_TEST(end.signal == SIGABRT);
    }
}

BOOST_AUTO_TEST_CASE(child_of_a_fork_inherits_it)
{
    std::atomic<int> calls{0};
    method count([&](const notification&) { ++calls; });
    const auto end = child([&] {
        subscription told(target::method(count));
        told.submit();
        BOOST_TEST(wait_until([&] { return calls == 1; }));
        told = {};
        BOOST_TEST(sigev_shutdown() == 0);
    });
    BOOST_TEST(end == exited_well);
    BOOST_TEST(calls == 0);
}

BOOST_AUTO_TEST_SUITE_END()

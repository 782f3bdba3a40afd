// sigev::dispatcher: delivery on a context of the program's own, in one process and in a forked child.
#include <sigev/dispatcher.hpp>
#include <sigev/fork.hpp>
#include <sigev/subscription.hpp>

#include "include/context.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <sys/resource.h>

namespace {

using namespace sigev_tests;
using sigev::dispatcher;
using sigev::subscription;
using sigev::target;

static_assert(std::is_nothrow_move_constructible_v<dispatcher> && !std::is_copy_constructible_v<dispatcher>);

void count(sigval v) { ++*static_cast<std::atomic<int>*>(v.sival_ptr); }

} // namespace

BOOST_AUTO_TEST_SUITE(dispatcher_object)

BOOST_AUTO_TEST_CASE(opens_on_executors_and_contexts)
{
    asio::io_context io;
    dispatcher of_context(io);
    dispatcher of_executor(io.get_executor());
    sigev::basic_dispatcher<asio::io_context::executor_type> typed(io);
    auto strand = asio::make_strand(io);
    sigev::basic_dispatcher<decltype(strand)> of_strand(strand);
    BOOST_TEST(of_context.reactor() != 0u);
    BOOST_TEST(of_context.reactor() == typed.reactor()); // one reactor for a context
    BOOST_TEST(of_context.reactor() == of_strand.reactor());

    asio::thread_pool pool(1);
    dispatcher of_pool(pool);
    std::atomic<int> calls{0};
    subscription told(of_pool, target::callback(count, &calls));
    told.submit();
    BOOST_TEST(wait_until([&] { return calls == 1; }));
}

BOOST_AUTO_TEST_CASE(keeps_run_from_returning_while_it_is_open)
{
    asio::io_context io;
    BOOST_TEST(io.run() == 0u);
    dispatcher here(io);
    io.restart();
    BOOST_TEST(poll(io) == 0u);
    BOOST_TEST(!io.stopped());
    dispatcher moved(std::move(here));
    BOOST_TEST(!here.is_open());
    here.close();
    poll(io);
    BOOST_TEST(!io.stopped());
    moved.close();
    moved.close();
    BOOST_TEST(runs_out(io));
    moved.open();
    poll(io);
    BOOST_TEST(!io.stopped());
    moved = dispatcher(io);
    moved.close();
    BOOST_TEST(runs_out(io));
}

BOOST_AUTO_TEST_CASE(what_comes_while_it_is_closed_waits_for_the_next)
{
    asio::io_context io;
    dispatcher here(io);
    std::atomic<int> calls{0};
    subscription told(here, target::callback(count, &calls), 4);
    here.close();
    BOOST_TEST(runs_out(io));
    told.submit();
    BOOST_TEST(poll(io) == 0u);
    here.open();
    BOOST_TEST(run_until(io, [&] { return calls == 1; }));
}

BOOST_AUTO_TEST_CASE(is_not_held_up_by_the_strand_of_its_executor)
{
    asio::io_context io;
    auto strand = asio::make_strand(io);
    dispatcher here(strand);
    std::atomic<int> calls{0};
    subscription told(here, target::callback(count, &calls), 4);
    gate leave, entered;
    std::atomic<bool> left{false};
    asio::post(strand, [&] {
        entered.open();
        left = leave.wait();
    });
    std::jthread first([&] { io.run(); }), second([&] { io.run(); });
    BOOST_TEST(entered.wait());
    told.submit();
    BOOST_TEST(wait_until([&] { return calls == 1; }));
    leave.open();
    here.close();
    BOOST_TEST(wait_until([&] { return left.load(); }));
}

BOOST_AUTO_TEST_CASE(context_run_by_two_threads_loses_nothing)
{
    constexpr int posters = 2, each = 5000;
    asio::io_context io;
    dispatcher here(io);
    std::atomic<int> calls{0};
    subscription told(here, target::callback(count, &calls), 64);
    {
        std::jthread first([&] { io.run(); }), second([&] { io.run(); });
        {
            std::vector<std::jthread> threads;
            for (int p = 0; p != posters; ++p)
                threads.emplace_back([&] {
                    for (int i = 0; i != each; ++i)
                        told.submit(i);
                });
        }
        BOOST_TEST(wait_until([&] { return told.ledger().pending == 0; }));
        here.close();
    }
    const auto l = told.ledger();
    BOOST_TEST(l.raised == unsigned(posters * each));
    BOOST_TEST(l.delivered == unsigned(calls));
    BOOST_TEST(l.adds_up());
}

BOOST_AUTO_TEST_CASE(objects_may_end_after_their_context)
{
    std::atomic<int> calls{0};
    subscription told;
    {
        asio::io_context io;
        dispatcher here(io);
        told = subscription(here, target::callback(count, &calls), 2);
        told.submit();
    }
    BOOST_TEST(told.submit() != error_code());
    BOOST_TEST(calls == 0);
}

BOOST_AUTO_TEST_CASE(no_descriptor_to_be_had)
{
    need_no_descriptors();
    const auto end = child([] {
        asio::io_context io;
        const rlimit none{0, 0};
        setrlimit(RLIMIT_NOFILE, &none);
        BOOST_CHECK_THROW(dispatcher{io}, boost::system::system_error);
        BOOST_TEST(io.run() == 0u);
    });
    BOOST_TEST(end == exited_well);
}

BOOST_AUTO_TEST_CASE(nothing_a_child_does_makes_the_parent_deaf)
{
    struct parent {
        asio::io_context io;
        std::optional<dispatcher> here{std::in_place, io};
        std::atomic<int> calls{0};
        std::optional<subscription> told{std::in_place, *here, target::callback(count, &calls), 4u};
    };
    using action = void (*)(std::unique_ptr<parent>&);
    const action actions[] = {
        [](auto& p) { p->here->close(); },
        [](auto& p) { p->told.reset(); },
        [](auto& p) { p.reset(); },
        [](auto& p) { poll(p->io); },
        [](auto& p) {
            BOOST_CHECK_THROW(p->here->reactor(), boost::system::system_error);
            BOOST_CHECK_THROW(dispatcher{p->io}, boost::system::system_error);
            BOOST_TEST(p->told->submit() == boost::system::errc::invalid_argument);
        },
        [](auto&) {
            asio::io_context own;
            dispatcher mine(own);
            std::atomic<int> calls{0};
            subscription told(mine, target::callback(count, &calls));
            told.submit();
            BOOST_TEST(run_until(own, [&] { return calls == 1; }));
        },
    };
    for (const auto act : actions) {
        auto p = std::make_unique<parent>();
        poll(p->io);
        const auto end = child([&] { act(p); });
        BOOST_TEST(end == exited_well);
        p->told->submit();
        BOOST_TEST(run_until(p->io, [&] { return p->calls == 1; }));
    }
}

BOOST_AUTO_TEST_CASE(child_that_notifies_the_context_has_its_own)
{
    const auto epoch = sigev::fork_epoch();
    asio::io_context io;
    dispatcher here(io);
    std::atomic<int> calls{0};
    subscription told(here, target::callback(count, &calls), 4);
    poll(io);
    io.notify_fork(asio::execution_context::fork_prepare);
    const auto end = child([&] {
        BOOST_TEST(sigev::fork_epoch() != epoch);
        io.notify_fork(asio::execution_context::fork_child);
        BOOST_TEST(told.submit() == boost::system::errc::invalid_argument);
        subscription own(here, target::callback(count, &calls), 4);
        for (int i = 1; i <= 3; ++i) {
            own.submit();
            BOOST_TEST(run_until(io, [&] { return calls == i; }));
        }
        here.close();
        BOOST_TEST(runs_out(io));
    });
    BOOST_TEST(end == exited_well);
    io.notify_fork(asio::execution_context::fork_parent);
    BOOST_TEST(calls == 0);
    told.submit();
    BOOST_TEST(run_until(io, [&] { return calls == 1; }));
}

BOOST_AUTO_TEST_SUITE_END()

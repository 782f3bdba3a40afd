// sigev::event_raw in a forked child, with and without notify_fork().
#include "event_raw_fixture.hpp"

#include <cstdlib>
#include <optional>
#include <utility>

using namespace sigev_tests;

BOOST_AUTO_TEST_SUITE(event_raw_fork)

BOOST_AUTO_TEST_CASE(child_of_a_fork_reaches_the_parent)
{
    for (const auto kind : kinds) {
        asio::io_context io;
        event_raw wake(io, kind);
        ending wait;
        wake.async_wait(wait.handler());
        poll(io);
        const auto end = child([&] { wake.post(); });
        BOOST_TEST(end == exited_well);
        poll(io);
        BOOST_TEST(wait.count == 1);
        BOOST_TEST(!wait.ec);
    }
}

BOOST_AUTO_TEST_CASE(nothing_a_child_does_makes_the_parent_deaf)
{
    using context_and_object = std::pair<std::optional<asio::io_context>, std::optional<event_raw>>;
    static context_and_object at; // static: exit() destroys it in the child
    auto& [io, wake] = at;
    const std::pair<const char*, void (*)()> actions[] = {
        {"exit", [] { std::exit(0); }},
        {"close", [] { at.second->close(); }},
        {"cancel", [] { at.second->cancel(); }},
        {"destroy", [] { at.second.reset(); }},
        {"destroy all", [] { at.second.reset(), at.first.reset(); }},
        {"close, open", [] {
             at.second->close();
             error_code ec;
             at.second->open(event_raw_kind::automatic, ec);
             BOOST_TEST(ec == asio::error::bad_descriptor);
         }},
        {"wait", [] {
             ending wait;
             at.second->async_wait(wait.handler());
             poll(*at.first);
             BOOST_TEST(wait.ec == asio::error::bad_descriptor);
         }},
        {"run", [] { poll(*at.first); }},
        {"use another", [] {
             asio::io_context other;
             event_raw own(other);
             check_hears(other, own);
         }},
    };
    for (const auto& [name, action] : actions) {
        BOOST_TEST_CONTEXT(name) {
            io.emplace();
            wake.emplace(*io);
            ending wait;
            wake->async_wait(wait.handler());
            poll(*io);
            const auto end = child([run = action] { run(); });
            BOOST_TEST(end == exited_well);
            wake->post();
            BOOST_TEST(run_until(*io, [&] { return wait.count == 1; }));
            BOOST_TEST(!wait.ec);
            check_hears(*io, *wake);
            wake.reset();
            io.reset();
        }
    }
}

BOOST_AUTO_TEST_CASE(child_that_notifies_the_context_has_its_own)
{
    for (const auto kind : kinds) {
        asio::io_context io;
        event_raw wake(io, kind), closed_in_child(io, kind);
        std::optional<event_raw> destroyed_in_child(std::in_place, io, kind);
        const int destroyed_fd = destroyed_in_child->native_handle();
        ending wait, of_closed, of_destroyed;
        wake.async_wait(wait.handler());
        closed_in_child.async_wait(of_closed.handler());
        destroyed_in_child->async_wait(of_destroyed.handler());
        poll(io);
        io.notify_fork(asio::execution_context::fork_prepare);
        const auto end = child([&] {
            closed_in_child.close();
            destroyed_in_child.reset();
            io.notify_fork(asio::execution_context::fork_child);
            poll(io);
            for (const ending* e : {&wait, &of_closed, &of_destroyed}) {
                BOOST_TEST(e->count == 1);
                BOOST_TEST(e->ec == asio::error::operation_aborted);
            }
            for (int i = 0; i != 3; ++i)
                check_hears(io, wake);
            closed_in_child.open(kind);
            check_hears(io, closed_in_child);
            wake.close();
            closed_in_child.close();
            BOOST_TEST(!is_open(destroyed_fd));
        });
        BOOST_TEST(end == exited_well);
        io.notify_fork(asio::execution_context::fork_parent);
        poll(io);
        BOOST_TEST(wait.count == 0); // the child's posts were its own
        wake.post();
        closed_in_child.post();
        destroyed_in_child->post();
        poll(io);
        for (const ending* e : {&wait, &of_closed, &of_destroyed}) {
            BOOST_TEST(e->count == 1);
            BOOST_TEST(!e->ec);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

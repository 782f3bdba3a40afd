// sigev::timer with a target, sigev::posix_timer, and both in a forked child.
#include <sigev/dispatcher.hpp>
#include <sigev/posix_timer.hpp>
#include <sigev/timer.hpp>

#include "include/context.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <optional>

namespace {

using namespace sigev_tests;
using namespace std::chrono_literals;
using sigev::posix_timer;
using sigev::target;
using sigev::timer;

static_assert(std::is_nothrow_move_constructible_v<posix_timer> && !std::is_copy_constructible_v<posix_timer>);

void count(sigval v) { ++*static_cast<std::atomic<int>*>(v.sival_ptr); }

} // namespace

BOOST_AUTO_TEST_SUITE(timer_with_a_target)

BOOST_AUTO_TEST_CASE(tells_every_method_from_a_borrowed_context)
{
    asio::io_context io;
    std::atomic<int> by_callback{0}, by_thread{0}, by_method{0};
    sigev::kqueue queue;
    sigev::method own([&](const sigev::notification& n) {
        BOOST_TEST((n.source() == sigev::source::timer));
        BOOST_TEST(n.data() == 1 + n.overrun());
        BOOST_TEST((n.scheduled() > 0ns));
        ++by_method;
    });
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);

    std::array<timer, 6> all{
        timer(io, CLOCK_MONOTONIC, target::none()),
        timer(io, CLOCK_MONOTONIC, target::callback(count, &by_callback)),
        timer(io, CLOCK_REALTIME, target::thread(count, &by_thread)),
        timer(io, CLOCK_BOOTTIME, target::method(own)),
        timer(io, CLOCK_MONOTONIC, target::kevent(queue, 5)),
        timer(io, CLOCK_MONOTONIC, target::signal(SIGRTMIN + 1, 6), {sigev::timer_engine::heap})};
    for (auto& t : all)
        t.expires_after(1ms);
    const timespec at_once{};
    siginfo_t told = {};
    std::array<sigev_kev, 1> events{};
    std::size_t queued = 0;
    BOOST_TEST(run_until(io, [&] {
        if (told.si_signo == 0)
            sigtimedwait(&set, &told, &at_once);
        if (queued == 0)
            queued = queue.wait(events, 0ns);
        return by_callback == 1 && by_thread == 1 && by_method == 1 && all[0].ledger().delivered == 1 && queued == 1 &&
               told.si_signo != 0;
    }));
    BOOST_TEST(told.si_value.sival_int == 6);
    BOOST_TEST(told.si_code == SI_TIMER);
    BOOST_TEST(events[0].filter == EVFILT_TIMER);
    BOOST_TEST(wait_until([&] { return all[2].ledger().pending == 0; }));
    for (auto& t : all) {
        BOOST_TEST(t.ledger().raised == 1u);
        BOOST_TEST(t.ledger().adds_up());
        BOOST_TEST(t.getoverrun() == 0);
    }
}

BOOST_AUTO_TEST_CASE(keeps_its_context_as_long_as_it_lives_and_has_no_waits)
{
    asio::io_context io;
    {
        timer t(io, CLOCK_MONOTONIC, target::none());
        ending wait;
        t.async_wait(wait.handler());
        poll(io);
        BOOST_TEST(wait.ec == asio::error::operation_not_supported);
        BOOST_TEST(!io.stopped());
    }
    BOOST_TEST(runs_out(io));
    BOOST_CHECK_THROW(timer(io, CLOCK_MONOTONIC, target::callback(nullptr)), boost::system::system_error);
    BOOST_TEST(runs_out(io));
}

BOOST_AUTO_TEST_CASE(destroyed_inside_its_own_callback)
{
    asio::io_context io;
    std::optional<timer> t;
    t.emplace(io, CLOCK_MONOTONIC, target::callback([](sigval v) { static_cast<std::optional<timer>*>(v.sival_ptr)->reset(); }, &t));
    t->expires_after(1ms, 1ms);
    BOOST_TEST(runs_out(io));
    BOOST_TEST(!t);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(posix_timer_object)

BOOST_AUTO_TEST_CASE(on_the_runtime)
{
    std::atomic<int> calls{0};
    posix_timer t(CLOCK_MONOTONIC, target::thread(count, &calls));
    t.expires_after(1ms, 1ms);
    BOOST_TEST(wait_until([&] { return calls >= 3; }));
    BOOST_TEST(t.gettime().it_interval.tv_nsec == 1'000'000);
    t.disarm();
    posix_timer moved(std::move(t));
    BOOST_TEST(moved.gettime().it_value.tv_nsec == 0);
    BOOST_TEST(moved.getoverrun() >= 0);
    BOOST_TEST(wait_until([&] { return moved.ledger().pending == 0; }));
    const int so_far = calls;
    moved.expires_at(1ns); // long ago
    BOOST_TEST(wait_until([&] { return calls > so_far; }));
    BOOST_TEST(wait_until([&] { return moved.ledger().pending == 0; }));
    BOOST_TEST(moved.ledger().adds_up());
    BOOST_CHECK_THROW(moved.settime(0, {{0, 0}, {0, -1}}), boost::system::system_error);
    BOOST_CHECK_THROW(posix_timer(CLOCK_MONOTONIC, target::signal(-1)), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(on_a_dispatcher)
{
    asio::io_context io;
    sigev::dispatcher here(io);
    std::atomic<int> calls{0};
    posix_timer t(here, CLOCK_MONOTONIC, target::callback(count, &calls));
    t.expires_after(0ns);
    BOOST_TEST(run_until(io, [&] { return calls == 1; }));
}

BOOST_AUTO_TEST_CASE(durations_and_timespecs)
{
    using sigev::to_duration, sigev::to_timespec;
    for (const auto d : {0ns, 1ns, 999'999'999ns, 1'000'000'000ns, 12'345'678'901ns, std::chrono::nanoseconds(-1)}) {
        const auto t = to_timespec(d);
        BOOST_TEST((t.tv_nsec >= 0 && t.tv_nsec < 1'000'000'000));
        BOOST_TEST((to_duration(t) == d));
    }
    BOOST_TEST(posix_timer::due(-1h, -1h).it_value.tv_nsec == 1);
    BOOST_TEST(posix_timer::due(-1h, -1h).it_interval.tv_sec == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(timer_and_fork)

BOOST_AUTO_TEST_CASE(nothing_a_child_does_makes_the_parent_deaf)
{
    struct parent {
        asio::io_context io;
        std::optional<timer> t{std::in_place, io};
        ending wait;
    };
    using action = void (*)(std::unique_ptr<parent>&);
    const action actions[] = {
        [](auto& p) { p->t.reset(); },
        [](auto& p) { p->t->cancel(); },
        [](auto& p) { p.reset(); },
        [](auto& p) { poll(p->io); },
        [](auto& p) {
            BOOST_CHECK_THROW(p->t->expires_after(1s), boost::system::system_error);
            BOOST_CHECK_THROW(timer{p->io}, boost::system::system_error);
            ending refused;
            p->t->async_wait(refused.handler());
            poll(p->io);
            BOOST_TEST(refused.ec == asio::error::bad_descriptor);
        },
        [](auto&) {
            asio::io_context io;
            timer own(io);
            ending wait;
            own.expires_after(1ms);
            own.async_wait(wait.handler());
            BOOST_TEST(runs_out(io));
            BOOST_TEST(wait.count == 1);
        },
    };
    for (const auto act : actions) {
        auto p = std::make_unique<parent>();
        p->t->expires_after(1h);
        p->t->async_wait(p->wait.handler());
        poll(p->io);
        const auto end = child([&] { act(p); });
        BOOST_TEST(end == exited_well);
        poll(p->io);
        BOOST_TEST(p->wait.count == 0);
        ending next;
        p->t->expires_after(1ms);
        p->t->async_wait(next.handler());
        BOOST_TEST(runs_out(p->io));
        BOOST_TEST(p->wait.count == 1);
        BOOST_TEST(!next.ec);
    }
}

BOOST_AUTO_TEST_CASE(child_that_notifies_the_context_has_its_own)
{
    asio::io_context io;
    timer t(io);
    std::optional<timer> destroyed(std::in_place, io);
    ending wait, of_destroyed;
    t.expires_after(2ms);
    t.async_wait(wait.handler());
    destroyed->expires_after(1h);
    destroyed->async_wait(of_destroyed.handler());
    io.notify_fork(asio::execution_context::fork_prepare);
    const auto end = child([&] {
        destroyed.reset();
        io.notify_fork(asio::execution_context::fork_child);
        BOOST_TEST(runs_out(io));
        for (const ending* e : {&wait, &of_destroyed}) {
            BOOST_TEST(e->count == 1);
            BOOST_TEST(e->ec == asio::error::operation_aborted);
        }
        for (int i = 0; i != 3; ++i) {
            ending own;
            t.expires_after(1ms);
            t.async_wait(own.handler());
            BOOST_TEST(runs_out(io));
            BOOST_TEST(own.count == 1);
            BOOST_TEST(!own.ec);
        }
    });
    BOOST_TEST(end == exited_well);
    io.notify_fork(asio::execution_context::fork_parent);
    BOOST_TEST(run_until(io, [&] { return wait.count == 1; }));
    BOOST_TEST(!wait.ec);
    BOOST_TEST(of_destroyed.count == 0);
    destroyed->cancel();
    BOOST_TEST(runs_out(io));
}

BOOST_AUTO_TEST_SUITE_END()

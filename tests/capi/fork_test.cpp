// Fork: the child has nothing of its parent's and a fresh runtime of its own when it asks; the parent keeps everything.
#include "fork_fixture.hpp"
#include "support/stress.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sigev_tests;

BOOST_AUTO_TEST_SUITE(forks)

BOOST_AUTO_TEST_CASE(a_child_has_nothing_of_its_parents_and_a_fresh_runtime_of_its_own) {
    need_threads_in_a_child();
    need_the_allocator_in_a_child();
    busy_parent parent;
    for (int i = 0; i != 5; ++i) {
        BOOST_TEST(child([&] {
                       sigev_ledger l{};
                       BOOST_TEST(sigev_ledger_total(-1, -1, &l) == 0);
                       SIGEV_CHECK_LEDGER(l, 0, 0); // POSIX: no timers are inherited, nor what they have counted
                       refuse_all_of(parent);
                       use_everything();
                       refuse_all_of(parent); // also when the child has a runtime whose tables are as full
                       use_everything();
                   }) == exited_well);
        parent.check();
    }
}

BOOST_AUTO_TEST_CASE(a_childs_handles_do_not_alias_its_parents) {
    need_threads_in_a_child();
    need_the_allocator_in_a_child();
    busy_parent parent;
    BOOST_TEST(child([&] {
                   const place on(place::runtime);
                   std::vector<timer_t> timers(10);
                   for (auto& t : timers) {
                       sigevent e = make_event(SIGEV_NONE);
                       BOOST_REQUIRE(sigev_timer_create(CLOCK_MONOTONIC, &e, &t) == 0);
                   }
                   refuse_all_of(parent);
                   for (const auto t : timers)
                       BOOST_TEST(sigev_timer_delete(t) == 0);
                   sigev_shutdown();
               }) == exited_well);
}

BOOST_AUTO_TEST_CASE(children_may_end_by_exit_with_and_without_having_used_anything) {
    need_threads_in_a_child();
    if (under_address_sanitizer)
        skip("what a thread of the parent's held at the fork looks like a leak of the child's");
    busy_parent parent;
    for (const bool use : {false, true})
        for (const bool by_exit : {false, true})
            BOOST_TEST(child([&] {
                           static clock_box box;
                           if (use) { // and leaves it running
                               const place on(place::runtime);
                               sigevent e = make_event(SIGEV_THREAD, clock_box::receive, &box);
                               timer_t t{};
                               const auto value = timer_value(1, ms / 10);
                               if (sigev_timer_create(CLOCK_MONOTONIC, &e, &t) != 0 ||
                                   sigev_timer_settime(t, 0, &value, nullptr) != 0 ||
                                   !wait_until([&] { return box.calls > 3; }))
                                   _exit(3);
                           }
                           if (by_exit)
                               std::exit(0); // static destructors, atexit
                           _exit(0);
                       }) == exited_well);
    parent.check();
}

BOOST_AUTO_TEST_CASE(many_children_at_once_disturb_nobody) {
    need_threads_in_a_child();
    need_the_allocator_in_a_child();
    busy_parent parent;
    std::vector<pid_t> children;
    for (int i = 0; i != 20; ++i) {
        const pid_t pid = fork();
        BOOST_REQUIRE(pid >= 0);
        if (pid == 0) {
            const auto e = make_event(SIGEV_NONE);
            sigev_t s = 0;
            const bool well = sigev_submit(parent.user.handle(), 1, 0) == -1 && sigev_open(&e, 1, nullptr, &s) == 0 &&
                              sigev_submit(s, 1, 0) == 0 && sigev_shutdown() == 0;
            _exit(well ? 0 : 1);
        }
        children.push_back(pid);
    }
    for (const pid_t pid : children) {
        int status = -1;
        BOOST_REQUIRE(waitpid(pid, &status, 0) == pid);
        BOOST_TEST(status == 0);
    }
    parent.check();
}

BOOST_AUTO_TEST_CASE(a_child_that_is_forked_while_others_are_inside_the_library_is_not_stuck) {
    need_threads_in_a_child();
    need_the_allocator_in_a_child();
    std::atomic<bool> stop{false};
    std::vector<std::thread> users;
    for (int n = 0; n != 2; ++n)
        users.emplace_back([&] {
            while (!stop) {
                const auto e = make_event(
                    SIGEV_THREAD, [](sigval) {}, nullptr);
                sigev_t s = 0;
                if (sigev_open(&e, 2, nullptr, &s) == 0) {
                    sigev_submit(s, 0, 0);
                    sigev_close(s);
                }
            }
        });
    for (int i = 0; i != 20; ++i)
        BOOST_TEST(child([] { use_everything(); }) == exited_well);
    stop = true;
    for (auto& user : users)
        user.join();
}

BOOST_AUTO_TEST_CASE(a_grandchild_is_as_free_as_a_child) {
    need_threads_in_a_child();
    need_the_allocator_in_a_child();
    busy_parent parent;
    BOOST_TEST(child([&] {
                   busy_parent own;
                   const auto end = child([&] {
                       refuse_all_of(parent);
                       refuse_all_of(own);
                       use_everything();
                   });
                   own.check();
                   own.user.close();
                   return end == exited_well ? 0 : 1;
               }) == exited_well);
    parent.check();
}

namespace {

/// A loop of the program's own, whose callbacks fork.
struct forking_loop {
    forking_loop() { BOOST_REQUIRE(sigev_reactor_open(&reactor) == 0); }
    ~forking_loop() { BOOST_TEST(sigev_reactor_close(reactor) == 0); }

    /// One turn. A child does not come back from it.
    void turn(int milliseconds) {
        int all[8];
        const int n = sigev_reactor_descriptors(reactor, all, 8);
        pollfd watched[8];
        for (int i = 0; i != n; ++i)
            watched[i] = {all[i], POLLIN, 0};
        BOOST_REQUIRE(poll(watched, static_cast<nfds_t>(n), milliseconds) >= 0);
        for (int i = 0; i != n; ++i)
            if (watched[i].revents & POLLIN) {
                (void)sigev_reactor_ready(reactor, static_cast<unsigned>(i));
                if (in_child)
                    _exit(calls_in_child);
            }
    }

    sigev_reactor_t reactor = 0;
    std::atomic<int> calls{0};
    int calls_in_child = 0;
    bool in_child = false;
    pid_t forked = -1;
    std::function<void()> first;

    static void called(sigval v) {
        auto& self = *static_cast<forking_loop*>(v.sival_ptr);
        if (self.in_child)
            ++self.calls_in_child;
        else if (self.calls++ == 0 && self.first)
            self.first();
    }
};

int status_of(pid_t child) {
    int status = -1;
    BOOST_REQUIRE(waitpid(child, &status, 0) == child);
    return status;
}

} // namespace

// What waits behind the callback that forks is delivered once: by the parent. The child's copy of the drain goes home.
BOOST_AUTO_TEST_CASE(what_waits_behind_a_callback_that_forks_is_the_parents_alone) {
    for (const std::uint32_t capacity : {10u, 2u}) { // 2: the last of them waits as the newest
        forking_loop loop;
        loop.first = [&] {
            loop.forked = fork();
            loop.in_child = loop.forked == 0;
        };
        sigevent e = make_event(SIGEV_CALLBACK, forking_loop::called, &loop);
        sigev_options options{};
        options.size = sizeof options;
        options.reactor = loop.reactor;
        sigev_t s[2];
        for (auto& one : s)
            BOOST_REQUIRE(sigev_open(&e, capacity, &options, &one) == 0);
        for (int i = 0; i != 3; ++i)
            for (const auto one : s)
                BOOST_REQUIRE(sigev_submit(one, i, 0) == 0);
        BOOST_TEST(wait_until([&] {
            loop.turn(10);
            return loop.calls == 6;
        }));
        BOOST_TEST(status_of(loop.forked) == 0);
        for (const auto one : s)
            BOOST_TEST(sigev_close(one) == 0);
    }
}

// The child comes back from the callback after the parent has armed an earlier timer: its copy of the engine must not set the
// parent's timerfd to what it knows of.
BOOST_AUTO_TEST_CASE(a_child_that_was_forked_in_a_timers_callback_leaves_the_parents_alarm_alone) {
    forking_loop loop;
    int go[2];
    BOOST_REQUIRE(pipe2(go, O_CLOEXEC) == 0);
    loop.first = [&] {
        loop.forked = fork();
        loop.in_child = loop.forked == 0;
        char byte;
        if (loop.in_child && read(go[0], &byte, 1) != 1)
            _exit(100);
    };
    sigevent e = make_event(SIGEV_CALLBACK, forking_loop::called, &loop);
    timer_t timers[3];
    for (auto& t : timers)
        BOOST_REQUIRE(sigev_timer_create_on(loop.reactor, CLOCK_MONOTONIC, &e, &t) == 0);
    const auto arm = [&](timer_t t, std::int64_t delay) {
        const auto value = timer_value(delay);
        BOOST_REQUIRE(sigev_timer_settime(t, 0, &value, nullptr) == 0);
    };
    arm(timers[1], 3600 * 1000 * ms);
    arm(timers[0], ms);
    BOOST_TEST(wait_until([&] {
        loop.turn(10);
        return loop.calls == 1;
    }));
    arm(timers[2], 300 * ms);
    loop.turn(0); // the alarm is set
    BOOST_REQUIRE(write(go[1], "x", 1) == 1);
    BOOST_TEST(status_of(loop.forked) == 0); // it has come back, and was called for nothing else
    BOOST_TEST(wait_until([&] {
        loop.turn(10);
        return loop.calls == 2;
    }));
    for (const auto t : timers)
        BOOST_TEST(sigev_timer_delete(t) == 0);
    close(go[0]);
    close(go[1]);
}

// Several are due at once, and the callback of the first one forks.
BOOST_AUTO_TEST_CASE(timers_due_behind_a_callback_that_forks_are_the_parents_alone) {
    forking_loop loop;
    loop.first = [&] {
        loop.forked = fork();
        loop.in_child = loop.forked == 0;
    };
    sigevent e = make_event(SIGEV_CALLBACK, forking_loop::called, &loop);
    timer_t timers[3];
    const auto soon = timer_value(ms);
    for (auto& t : timers) {
        BOOST_REQUIRE(sigev_timer_create_on(loop.reactor, CLOCK_MONOTONIC, &e, &t) == 0);
        BOOST_REQUIRE(sigev_timer_settime(t, 0, &soon, nullptr) == 0);
    }
    BOOST_TEST(wait_until([&] { // all of them, when the loop looks next
        itimerspec left{};
        return std::all_of(std::begin(timers), std::end(timers), [&](timer_t t) {
            return sigev_timer_gettime(t, &left) == 0 && left.it_value.tv_sec == 0 && left.it_value.tv_nsec <= 1;
        });
    }));
    BOOST_TEST(wait_until([&] {
        loop.turn(10);
        return loop.calls == 3;
    }));
    BOOST_TEST(status_of(loop.forked) == 0);
    for (const auto t : timers)
        BOOST_TEST(sigev_timer_delete(t) == 0);
}

// A signal's handler runs on the loop's own thread, as soon as the drain has sent it, and forks there.
BOOST_AUTO_TEST_CASE(signals_behind_one_whose_handler_forks_are_the_parents_alone) {
    static forking_loop* of = nullptr;
    for (const int sent : {1, 3}) { // of three subscriptions, and of each of them
        forking_loop loop;
        of = &loop;
        loop.first = [&] {
            loop.forked = fork();
            loop.in_child = loop.forked == 0;
        };
        const handled here(SIGUSR1, [](int) { forking_loop::called(sigval{.sival_ptr = of}); });
        sigevent e{};
        e.sigev_notify = SIGEV_SIGNAL;
        e.sigev_signo = SIGUSR1;
        sigev_options options{};
        options.size = sizeof options;
        options.reactor = loop.reactor;
        sigev_t s[3];
        for (auto& one : s)
            BOOST_REQUIRE(sigev_open(&e, 10, &options, &one) == 0);
        for (const auto one : s)
            for (int i = 0; i != sent; ++i)
                BOOST_REQUIRE(sigev_submit(one, i, 0) == 0);
        BOOST_TEST(wait_until([&] {
            loop.turn(10);
            return loop.calls == 3 * sent;
        }));
        BOOST_TEST(status_of(loop.forked) == 0);
        for (const auto one : s)
            BOOST_TEST(sigev_close(one) == 0);
    }
}

BOOST_AUTO_TEST_SUITE_END()

// Fork: the child has nothing of its parent's and a fresh runtime of its own when it asks; the parent keeps everything.
#include "timer_fixture.hpp"

#include <cstdlib>
#include <cstring>
#include <thread>

#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

using namespace sigev_tests;

namespace {

/// A runtime at work: periodic timers by three methods.
struct busy_parent {
    place on{place::runtime};
    clock_box box[2];
    timer thread{on, CLOCK_MONOTONIC, make_event(SIGEV_THREAD, clock_box::receive, &box[0])};
    timer callback{on, CLOCK_REALTIME, make_event(SIGEV_CALLBACK, clock_box::receive, &box[1])};
    timer none{on, CLOCK_BOOTTIME, make_event(SIGEV_NONE)};
    mailbox own;
    subscription user{on, make_event(SIGEV_THREAD, mailbox::receive, &own), 100};
    long submitted = 0;

    busy_parent() {
        for (timer* t : {&thread, &callback, &none})
            t->set(ms / 5, ms / 5);
        BOOST_REQUIRE(wait_until([&] { return box[0].calls > 2 && box[1].calls > 2; }));
    }

    void check() {
        // alive: still called, and all accounts add up
        const unsigned before[] = {box[0].calls, box[1].calls};
        BOOST_TEST(wait_until([&] { return box[0].calls > before[0] + 3 && box[1].calls > before[1] + 3; }));
        user.submit(++submitted);
        BOOST_TEST(wait_until([&] { return user.delivered() == static_cast<std::uint64_t>(submitted); }));
        for (timer* t : {&thread, &callback, &none}) {
            t->set(0);
            BOOST_TEST(wait_until([&] { return t->ledger().pending == 0; }));
            BOOST_TEST(adds_up(t->ledger()));
            t->set(ms / 5, ms / 5);
        }
    }
};

/// What a child may expect: timers, threads and all, from the beginning.
void use_everything() {
    const place on(place::runtime);
    clock_box box;
    mailbox letters;
    {
        timer t(on, CLOCK_MONOTONIC, make_event(SIGEV_THREAD, clock_box::receive, &box));
        const subscription s(on, make_event(SIGEV_THREAD, mailbox::receive, &letters), 10);
        t.set(ms / 10, ms / 10);
        for (int i = 0; i != 10; ++i)
            s.submit(i);
        BOOST_TEST(wait_until([&] { return box.calls >= 10 && s.delivered() == 10; }));
        BOOST_TEST(letters.calls == 10);
    }
    BOOST_TEST(sigev_shutdown() == 0);
}

/// The parent's handles, in a child.
void refuse_all_of(const busy_parent& parent) {
    sigev_ledger l{};
    itimerspec value = timer_value(1);
    BOOST_TEST(sigev_submit(parent.user.handle(), 0, 0) == -1);
    BOOST_TEST(errno == EINVAL);
    BOOST_TEST(sigev_cancel(parent.user.handle()) == -1);
    BOOST_TEST(sigev_cancel_and_wait(parent.user.handle()) == -1);
    BOOST_TEST(sigev_ledger_read(parent.user.handle(), &l) == -1);
    BOOST_TEST(sigev_close(parent.user.handle()) == -1);
    for (const timer* t : {&parent.thread, &parent.callback, &parent.none}) {
        BOOST_TEST(sigev_timer_settime(t->id(), 0, &value, nullptr) == -1);
        BOOST_TEST(sigev_timer_gettime(t->id(), &value) == -1);
        BOOST_TEST(sigev_timer_getoverrun(t->id()) == -1);
        BOOST_TEST(sigev_timer_delete(t->id()) == -1);
        errno = 0;
        BOOST_TEST(sigev_timer_delete_wait(t->id()) == -1);
        BOOST_TEST(errno == EINVAL);
    }
}

/// ThreadSanitizer cannot follow: its own table of threads is its parent's.
void need_threads_in_the_child() {
#ifdef __SANITIZE_THREAD__
    skip("ThreadSanitizer does not support threads after a fork of several");
#endif
}

bool epoch_page_is_forced_off() { return sigev_probe("wipeonfork") != 1; }

} // namespace

BOOST_AUTO_TEST_SUITE(forks)

BOOST_AUTO_TEST_CASE(a_child_has_nothing_of_its_parents_and_a_fresh_runtime_of_its_own) {
    need_threads_in_the_child();
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
    need_threads_in_the_child();
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
    need_threads_in_the_child();
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
                    if (sigev_timer_create(CLOCK_MONOTONIC, &e, &t) != 0 || sigev_timer_settime(t, 0, &value, nullptr) != 0 ||
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
    need_threads_in_the_child();
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
    need_threads_in_the_child();
#ifdef __SANITIZE_ADDRESS__
    skip("AddressSanitizer's allocator may be locked in the child");
#endif
    std::atomic<bool> stop{false};
    std::vector<std::thread> users;
    for (int n = 0; n != 2; ++n)
        users.emplace_back([&] {
            while (!stop) {
                const auto e = make_event(SIGEV_THREAD, [](sigval) {}, nullptr);
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
    need_threads_in_the_child();
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

BOOST_AUTO_TEST_CASE(registered_methods_go_on_in_the_child_under_their_numbers) {
    need_threads_in_the_child();
    static std::atomic<int> calls, released;
    sigev_method m{};
    m.size = sizeof m;
    m.deliver = [](void*, void*, const sigev_notification*) {
        ++calls;
        return static_cast<int>(SIGEV_DELIVERED);
    };
    m.release = [](void*) { ++released; };
    const int number = sigev_method_register(&m);
    BOOST_REQUIRE(number > 0);
    const auto use = [&] {
        const place on(place::runtime);
        const int before = calls;
        const subscription s(on, make_event(number), 1);
        s.submit();
        BOOST_TEST(wait_until([&] { return calls == before + 1; }));
    };
    use();
    BOOST_TEST(child([&] {
        use();
        const int second = sigev_method_register(&m);
        BOOST_TEST(second > number);
        BOOST_TEST(sigev_method_unregister(number) == 0);
        BOOST_TEST(released == 1);
        BOOST_TEST(sigev_shutdown() == 0);
        BOOST_TEST(released == 2);
        BOOST_TEST(open_error(make_event(number)) == EINVAL); // it does not come back
    }) == exited_well);
    use(); // the parent's is untouched
    BOOST_TEST(released == 0);
    BOOST_TEST(sigev_method_unregister(number) == 0);
}

// A borrowed reactor's descriptors are shared with the parent: the child must not take its wakeups.
BOOST_AUTO_TEST_CASE(a_borrowed_reactor_of_the_parents_is_not_the_childs) {
    const place on(place::borrowed);
    mailbox box;
    const subscription s(on, make_event(SIGEV_CALLBACK, mailbox::receive, &box), 4);
    BOOST_TEST(child([&] {
        BOOST_TEST(sigev_reactor_ready(on.reactor(), 0) == -1);
        BOOST_TEST(sigev_reactor_close(on.reactor()) == -1);
        BOOST_TEST(sigev_submit(s.handle(), 0, 0) == -1);
        const place own(place::borrowed);
        mailbox letters;
        const subscription mine(own, make_event(SIGEV_CALLBACK, mailbox::receive, &letters), 4);
        mine.submit();
        BOOST_TEST(own.until([&] { return letters.calls == 1; }));
    }) == exited_well);
    s.submit();
    BOOST_TEST(on.until([&] { return box.calls == 1; }));
}

// No fork handler runs there: only the page that the kernel wipes tells.
BOOST_AUTO_TEST_CASE(after_Fork_and_after_a_raw_clone_stale_handles_are_invalid) {
    if (epoch_page_is_forced_off())
        skip("without a wipe-on-fork page only fork() is seen");
    busy_parent parent;
    const auto stale = [&] { // nothing that allocates
        itimerspec value{};
        return sigev_submit(parent.user.handle(), 0, 0) == -1 && errno == EINVAL &&
               sigev_timer_settime(parent.thread.id(), 0, &value, nullptr) == -1 && errno == EINVAL &&
               sigev_timer_gettime(parent.thread.id(), &value) == -1 && sigev_timer_delete(parent.thread.id()) == -1 &&
               sigev_close(parent.user.handle()) == -1;
    };
    for (const bool raw : {false, true}) {
        const pid_t pid = raw ? static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr)) : _Fork();
        BOOST_REQUIRE(pid >= 0);
        if (pid == 0)
            _exit(stale() ? 0 : 1);
        int status = -1;
        BOOST_REQUIRE(waitpid(pid, &status, 0) == pid);
        BOOST_TEST(status == 0);
    }
    parent.check();
}

BOOST_AUTO_TEST_SUITE_END()

// How a SIGEV_THREAD callback may end: by pthread_exit() and cancellation too, with others waiting for its end.
#include "fixture.hpp"
#include "support/many.hpp"

#include <atomic>
#include <thread>

#include <malloc.h>
#include <sys/resource.h>

using namespace sigev_tests;

namespace {

bool is_gone(pid_t tid)
{
    return syscall(SYS_tgkill, getpid(), tid, 0) != 0;
}

} // namespace

BOOST_AUTO_TEST_SUITE(thread_ends)

// [3.2.7]
SIGEV_TEST_ON_BOTH(pthread_exit_in_a_callback_loses_no_other_and_runs_its_destructors) {
    static std::atomic<int> destroyed;
    destroyed = 0;
    pthread_key_t key;
    BOOST_REQUIRE(pthread_key_create(&key, [](void*) { ++destroyed; }) == 0);
    mailbox box;
    std::atomic<int> started{0};
    box.inside = [&] {
        if (started++ % 2 == 0) {
            pthread_setspecific(key, &box);
            pthread_exit(nullptr);
        }
    };
    const subscription s(on, make_event(SIGEV_THREAD, mailbox::receive, &box), 50);
    for (int i = 0; i != 50; ++i)
        s.submit(i);
    BOOST_TEST(on.until([&] { return s.delivered() == 50; }));
    BOOST_TEST(started == 50);
    BOOST_TEST(box.calls == 25);
    BOOST_TEST(wait_until([] { return destroyed == 25; }));
    BOOST_TEST(sigev_shutdown() == 0);
    pthread_key_delete(key);
}

// The successor of a thread that has ended would be made on the stack that its destructors still run on.
SIGEV_TEST_ON_BOTH(pthread_exit_on_a_stack_of_the_callers_leaves_it_before_the_next_callback_comes) {
    constexpr std::size_t size = 2 << 20;
    void* stack = nullptr;
    BOOST_REQUIRE(posix_memalign(&stack, 4096, size) == 0);
    static std::atomic<int> on_stack, overlapped;
    on_stack = overlapped = 0;
    pthread_key_t key;
    BOOST_REQUIRE(pthread_key_create(&key, [](void*) {
                      for (many turns(200, milliseconds(20)); turns.go_on();)
                          sched_yield();
                      --on_stack;
                  }) == 0);
    mailbox box;
    box.inside = [&] {
        overlapped += on_stack++ != 0;
        pthread_setspecific(key, &box);
        pthread_exit(nullptr);
    };
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, size);
    {
        const subscription s(on, make_event(SIGEV_THREAD, mailbox::receive, &box, &attributes), 10);
        for (int i = 0; i != 10; ++i)
            s.submit(i);
        BOOST_TEST(on.until([&] { return s.delivered() == 10; }));
    }
    BOOST_TEST(sigev_shutdown() == 0);
    BOOST_TEST(overlapped == 0);
    pthread_attr_destroy(&attributes);
    pthread_key_delete(key);
    free(stack);
}

// [3.2.8]
SIGEV_TEST_ON_BOTH(a_callback_can_be_cancelled_and_no_other_is) {
    mailbox box;
    std::atomic<int> started{0};
    std::atomic<pthread_t> thread{};
    std::atomic<bool> usual{true};
    box.inside = [&] {
        int state = -1, type = -1;
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
        pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
        usual = usual && state == PTHREAD_CANCEL_ENABLE && type == PTHREAD_CANCEL_DEFERRED;
        if (started++ == 0) {
            thread = pthread_self();
            for (;;) // until it is cancelled
#ifdef __SANITIZE_THREAD__
                pthread_testcancel(); // out of a call that it intercepts it would lose count of the locks
#else
                pause();
#endif
        }
    };
    const subscription s(on, make_event(SIGEV_THREAD, mailbox::receive, &box), 10);
    for (int i = 0; i != 5; ++i)
        s.submit(i);
    BOOST_REQUIRE(on.until([&] { return thread.load() != pthread_t{}; }));
    BOOST_TEST(pthread_cancel(thread) == 0);
    BOOST_TEST(on.until([&] { return s.delivered() == 5; }));
    BOOST_TEST(started == 5);
    BOOST_TEST(box.calls == 4);
    BOOST_TEST(usual);
}

BOOST_AUTO_TEST_CASE(a_cancellation_that_came_too_late_does_not_hit_the_next_callback) {
    const place on(place::runtime);
    mailbox box;
    std::atomic<int> started{0};
    box.inside = [&] {
        if (started++ == 0)
            pthread_cancel(pthread_self()); // pending: no cancellation point follows
        else
            pthread_testcancel();
    };
    const subscription s(on, make_event(SIGEV_THREAD, mailbox::receive, &box), 10);
    for (int i = 0; i != 5; ++i)
        s.submit(i);
    BOOST_TEST(on.until([&] { return s.delivered() == 5; }));
    BOOST_TEST(started == 5);
    BOOST_TEST(box.calls == 5);
}

SIGEV_TEST_ON_BOTH(cancel_and_wait_returns_when_no_callback_runs_any_more) {
    for (int round = 0; round != 200; ++round) {
        std::atomic<bool> alive{true}, late{false};
        mailbox box;
        box.inside = [&] {
            late = late || !alive;
            std::this_thread::yield();
            late = late || !alive;
        };
        const subscription s(on, make_event(SIGEV_THREAD, mailbox::receive, &box), 8, 2);
        for (int i = 0; i != 8; ++i)
            s.submit(i);
        if (on.is_borrowed())
            on.turn(10);
        if (round % 2 == 0)
            wait_until([&] { return box.calls > 0; });
        BOOST_TEST(sigev_cancel_and_wait(s.handle()) == 0);
        alive = false;
        BOOST_TEST(wait_until([&] { return s.ledger().pending == 0; })); // a worker may be about to discard one
        const auto l = s.ledger();
        BOOST_TEST(l.raised == l.delivered + l.discarded);
        BOOST_REQUIRE(!late);
    }
}

SIGEV_TEST_ON_BOTH(callbacks_that_wait_for_each_others_end_all_return) {
    for (int round = 0; round != 50; ++round) {
        mailbox box[2];
        gate inside[2];
        std::atomic<bool> failed{false};
        std::optional<subscription> s[2];
        for (int i = 0; i != 2; ++i) {
            box[i].inside = [&, i] {
                inside[i].open();
                if (!inside[1 - i].wait() || sigev_cancel_and_wait(s[1 - i]->handle()) != 0 ||
                    sigev_cancel_and_wait(s[i]->handle()) != 0)
                    failed = true;
            };
            s[i].emplace(on, make_event(SIGEV_THREAD, mailbox::receive, &box[i]), 4);
        }
        s[0]->submit();
        s[1]->submit();
        BOOST_REQUIRE(on.until([&] { return box[0].calls == 1 && box[1].calls == 1; }));
        BOOST_REQUIRE(!failed);
    }
}

// What a callback leaves to its thread's destructors may take for ever; the thread that makes workers must not wait for it.
BOOST_AUTO_TEST_CASE(a_destructor_that_blocks_after_pthread_exit_delays_nobody) {
    static sigev_tests::gate in_destructor, go_on;
    static std::atomic<int> started{0}, impatient{0};
    static pthread_key_t key;
    BOOST_REQUIRE(pthread_key_create(&key, [](void*) {
                      in_destructor.open();
                      impatient += !go_on.wait();
                  }) == 0);
    sigevent leaving{};
    leaving.sigev_notify = SIGEV_THREAD;
    leaving.sigev_notify_function = [](sigval) {
        pthread_setspecific(key, &key);
        pthread_exit(nullptr);
    };
    sigevent staying = leaving;
    staying.sigev_notify_function = [](sigval) {
        ++started;
        impatient += !go_on.wait();
    };
    sigev_t first{};
    BOOST_REQUIRE(sigev_open(&leaving, 1, nullptr, &first) == 0);
    std::array<sigev_t, 8> others{};
    for (auto& s : others)
        BOOST_REQUIRE(sigev_open(&staying, 1, nullptr, &s) == 0);
    BOOST_TEST(sigev_submit(first, 0, 0) == 0);
    BOOST_TEST(in_destructor.wait());
    for (const auto s : others)
        BOOST_TEST(sigev_submit(s, 0, 0) == 0);
    BOOST_TEST(sigev_tests::wait_until([] { return started == 8; }));
    go_on.open();
    for (const auto s : others)
        BOOST_TEST(sigev_cancel_and_wait(s) == 0);
    BOOST_TEST(sigev_shutdown() == 0);
    BOOST_TEST(impatient == 0);
    pthread_key_delete(key);
}

BOOST_AUTO_TEST_CASE(who_waits_from_outside_waits_also_for_a_callback_that_waits_itself) {
    static sigev_t waited_for, waiting;
    static std::atomic<bool> entered, about_to_wait, finished;
    static gate release;
    entered = about_to_wait = finished = false;
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = [](sigval) {
        entered = true;
        (void)release.wait();
    };
    BOOST_REQUIRE(sigev_open(&event, 1, nullptr, &waited_for) == 0);
    event.sigev_notify_function = [](sigval) {
        about_to_wait = true;
        sigev_cancel_and_wait(waited_for);
        finished = true;
    };
    BOOST_REQUIRE(sigev_open(&event, 1, nullptr, &waiting) == 0);
    BOOST_REQUIRE(sigev_submit(waited_for, 0, 0) == 0);
    BOOST_REQUIRE(wait_until([] { return entered.load(); }));
    BOOST_REQUIRE(sigev_submit(waiting, 0, 0) == 0);
    BOOST_REQUIRE(wait_until([] { return about_to_wait.load(); }));
    std::atomic<bool> returned{false}, was_finished{false};
    std::thread outside([&] {
        sigev_cancel_and_wait(waiting);
        was_finished = finished.load();
        returned = true;
    });
    BOOST_TEST(!wait_until([&] { return returned.load(); }, milliseconds(50))); // the callback is still in there
    release.open();
    outside.join();
    BOOST_TEST(was_finished);
    BOOST_TEST(sigev_close(waiting) == 0);
    BOOST_TEST(sigev_close(waited_for) == 0);
}

// A worker is missing whose stack is not free yet; then it is, and somebody else makes the worker first. A call waits that this
// worker will take: the one who mends must not make another on the same stack.
BOOST_AUTO_TEST_CASE(a_worker_that_came_meanwhile_is_not_made_twice_on_one_stack)
{
    constexpr std::size_t size = 2 << 20;
    void* stack = nullptr;
    BOOST_REQUIRE(posix_memalign(&stack, 4096, size) == 0);
    static gate end_thread;
    static std::atomic<int> inside, most;
    static std::atomic<bool> leave;
    const place on(place::runtime);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, size);
    pthread_key_t key;
    BOOST_REQUIRE(pthread_key_create(&key, [](void*) { (void)end_thread.wait(); }) == 0);
    mailbox leaving, staying;
    std::atomic<pid_t> thread{0};
    leaving.inside = [&] {
        thread = this_thread();
        pthread_setspecific(key, &leaving);
        pthread_exit(nullptr);
    };
    staying.inside = [&] {
        const int now = ++inside;
        if (now > most)
            most = now;
        while (!leave)
            sched_yield();
        --inside;
    };
    {
        const subscription a(on, make_event(SIGEV_THREAD, mailbox::receive, &leaving, &attributes));
        const subscription b(on, make_event(SIGEV_THREAD, mailbox::receive, &staying, &attributes));
        const subscription c(on, make_event(SIGEV_THREAD, mailbox::receive, &staying, &attributes));
        a.submit();
        BOOST_REQUIRE(wait_until([&] { return a.delivered() == 1; }));
        b.submit();
        // It waits for a worker that cannot be made yet.
        BOOST_TEST(!wait_until([&] { return inside == 1; }, milliseconds(50)));
        end_thread.open();
        BOOST_REQUIRE(wait_until([&] { return is_gone(thread); }));
        c.submit();
        BOOST_REQUIRE(wait_until([&] { return inside == 1; }));
        BOOST_TEST(!wait_until([&] { return inside == 2; }, milliseconds(100)));
        leave = true;
        BOOST_TEST(wait_until([&] { return staying.calls == 2; }));
    }
    BOOST_TEST(most == 1);
    BOOST_TEST(sigev_shutdown() == 0);
    pthread_attr_destroy(&attributes);
    pthread_key_delete(key);
    free(stack);
}

// The callback's own answer stands, whatever befalls its thread.
BOOST_AUTO_TEST_CASE(what_is_to_be_tried_again_is_so_also_when_its_thread_is_cancelled)
{
    static std::atomic<int> calls;
    sigev_method method{};
    method.size = sizeof method;
    method.name = "again";
    method.deliver = [](void*, void*, const sigev_notification*) {
        if (calls++ != 0)
            return static_cast<int>(SIGEV_DELIVERED);
        pthread_cancel(pthread_self()); // pending: no cancellation point follows
        return static_cast<int>(SIGEV_RETRY);
    };
    const int number = sigev_method_register(&method);
    BOOST_REQUIRE(number > 0);
    {
        const place on(place::runtime);
        const subscription s(on, make_event(number));
        s.submit();
        BOOST_TEST(wait_until([&] { return s.delivered() == 1; }));
        BOOST_TEST(calls == 2);
    }
    BOOST_TEST(sigev_method_unregister(number) == 0);
}

// sigev_shutdown() waits for callbacks; until then they may use the library.
BOOST_AUTO_TEST_CASE(a_callback_may_ask_for_threads_while_the_library_ends)
{
    mallopt(M_PERTURB, 0x5a);
    for (int round = 0; round != 20; ++round) {
        static sigev_t own;
        static std::atomic<bool> entered;
        static std::atomic<int> opened;
        entered = false;
        sigevent event{};
        event.sigev_notify = SIGEV_THREAD;
        event.sigev_notify_function = [](sigval) {
            entered = true;
            while (sigev_submit(own, 0, 0) == 0 || errno != ECANCELED)
                sched_yield(); // until the end has begun
            for (int i = 1; i != 64; ++i) {
                pthread_attr_t attributes;
                pthread_attr_init(&attributes);
                pthread_attr_setstacksize(&attributes, static_cast<std::size_t>(1 << 20) + static_cast<std::size_t>(i) * 4096);
                sigevent other{};
                other.sigev_notify = SIGEV_THREAD;
                other.sigev_notify_function = [](sigval) {};
                other.sigev_notify_attributes = &attributes;
                sigev_t s;
                opened += sigev_open(&other, 1, nullptr, &s) == 0;
                pthread_attr_destroy(&attributes);
            }
        };
        BOOST_REQUIRE(sigev_open(&event, 1, nullptr, &own) == 0);
        BOOST_REQUIRE(sigev_submit(own, 0, 0) == 0);
        BOOST_REQUIRE(wait_until([] { return entered.load(); }));
        BOOST_TEST(sigev_shutdown() == 0);
    }
}

// The runtime could not start, and its reactor's slot has another owner: a loop of the program's own, which calls the hooks itself.
BOOST_AUTO_TEST_CASE(a_runtime_that_could_not_start_leaves_nothing_to_the_next_reactor)
{
    const auto end = child([] {
        if (!become_another_user())
            return 77;
        {
            rlimit before{};
            getrlimit(RLIMIT_NPROC, &before);
            const rlimit no_thread{0, before.rlim_max};
            setrlimit(RLIMIT_NPROC, &no_thread);
            mailbox box;
            for (int i = 0; i != 100; ++i) // in each slot that there is
                BOOST_TEST(open_error(make_event(SIGEV_THREAD, mailbox::receive, &box)) == EAGAIN);
            setrlimit(RLIMIT_NPROC, &before);
        }
        static bool closed;
        static sigev_t s;
        sigev_method method{};
        method.size = sizeof method;
        method.name = "closing";
        method.deliver = [](void*, void*, const sigev_notification*) {
            sigev_close(s);
            return static_cast<int>(SIGEV_DELIVERED);
        };
        method.close = [](void*, void*) { closed = true; };
        const int number = sigev_method_register(&method);
        BOOST_TEST(number > 0);
        const place here(place::borrowed);
        const auto options = make_options(here);
        const auto event = make_event(number);
        BOOST_TEST(sigev_open(&event, 1, &options, &s) == 0);
        BOOST_TEST(sigev_submit(s, 0, 0) == 0);
        here.turn(1000);
        BOOST_TEST(closed);
        return 0;
    });
    if (end.code == 77)
        skip("the user cannot be changed here");
    BOOST_TEST(end == exited_well);
}

BOOST_AUTO_TEST_SUITE_END()

// SIGEV_THREAD: as if each call were the start of a new thread with the given attributes.
#include "fixture.hpp"

#include <array>
#include <atomic>
#include <cfenv>
#include <cstring>
#include <thread>

#include <sys/prctl.h>

using namespace sigev_tests;

BOOST_AUTO_TEST_SUITE(threads)

// [B7, B9, 3.2.2]
SIGEV_TEST_ON_BOTH(the_function_runs_in_another_thread_with_the_value_and_in_order) {
    static std::vector<std::int64_t> got;
    mailbox box;
    box.inside = [] { got.push_back(sigev_current()->data); };
    const subscription s(on, make_event(SIGEV_THREAD, mailbox::receive, &box), 100);
    for (int i = 0; i != 100; ++i)
        s.submit(i);
    BOOST_TEST(on.until([&] { return s.delivered() == 100; }));
    BOOST_TEST(box.thread != this_thread());
    BOOST_TEST(got.size() == 100u);
    BOOST_TEST(std::is_sorted(got.begin(), got.end()));
    BOOST_TEST(!sigev_current());
}

SIGEV_TEST_ON_BOTH(with_concurrency_so_many_run_at_once_and_not_more) {
    std::atomic<int> inside{0}, most{0};
    gate go;
    mailbox box;
    box.inside = [&] {
        const int now = ++inside;
        if (now > most)
            most = now;
        (void)go.wait();
        --inside;
    };
    const subscription s(on, make_event(SIGEV_THREAD, mailbox::receive, &box), 10, 3);
    for (int i = 0; i != 10; ++i)
        s.submit(i);
    BOOST_TEST(on.until([&] { return inside == 3; }));
    for (int i = 0; i != 100; ++i)
        std::this_thread::yield();
    BOOST_TEST(inside == 3);
    go.open();
    BOOST_TEST(on.until([&] { return s.delivered() == 10; }));
    BOOST_TEST(most == 3);
}

// [3.2.7]
SIGEV_TEST_ON_BOTH(pthread_exit_in_a_callback_loses_no_other_and_runs_its_destructors) {
    static std::atomic<int> destroyed;
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

// [3.2.7, T14] Everything that a thread start routine may take for granted.
SIGEV_TEST_ON_BOTH(nothing_of_one_callback_leaks_into_the_next) {
    mailbox box;
    std::atomic<int> wrong{0};
    std::string names;
    const locale_t foreign = newlocale(LC_ALL_MASK, "C", nullptr);
    box.inside = [&] {
        sigset_t mask;
        pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        char name[16] = "";
        prctl(PR_GET_NAME, name);
        int state = 0, type = 0;
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
        if (errno != 0 || fegetround() != FE_TONEAREST || !sigismember(&mask, SIGUSR1) || !sigismember(&mask, SIGRTMIN) ||
            std::strcmp(name, "spoiled") == 0 || state != PTHREAD_CANCEL_ENABLE || type != PTHREAD_CANCEL_DEFERRED ||
            uselocale(nullptr) != LC_GLOBAL_LOCALE) {
            ++wrong;
            names = name;
        }
        errno = EIO;
        fesetround(FE_UPWARD);
        sigemptyset(&mask);
        pthread_sigmask(SIG_SETMASK, &mask, nullptr);
        prctl(PR_SET_NAME, "spoiled");
        uselocale(foreign);
    };
    const subscription s(on, make_event(SIGEV_THREAD, mailbox::receive, &box), 20);
    for (int i = 0; i != 20; ++i)
        s.submit(i);
    BOOST_TEST(on.until([&] { return s.delivered() == 20; }));
    BOOST_TEST(wrong == 0);
    BOOST_TEST(sigev_shutdown() == 0);
    freelocale(foreign);
}

// libc's own signals stay open, else setuid() would hang [3.2.5, T15]
BOOST_AUTO_TEST_CASE(every_signal_of_the_application_is_blocked_and_no_fault_and_none_of_libc) {
    const place on(place::runtime);
    static std::uint64_t mask;
    mailbox box;
    box.inside = [] { syscall(SYS_rt_sigprocmask, SIG_SETMASK, nullptr, &mask, sizeof mask); };
    const subscription s(on, make_event(SIGEV_THREAD, mailbox::receive, &box));
    s.submit();
    BOOST_REQUIRE(on.until([&] { return s.delivered() == 1; }));
    const auto blocked = [](int signo) { return (mask >> (signo - 1) & 1) != 0; };
    for (const int signo : {SIGALRM, SIGINT, SIGTERM, SIGUSR1, SIGCHLD, SIGRTMIN, SIGRTMAX})
        BOOST_TEST(blocked(signo));
    for (const int signo : {32, 33})
        BOOST_TEST(!blocked(signo));
    BOOST_TEST(setuid(getuid()) == 0); // every thread takes part
}

// [3.2.3, 3.2.6, B8]
SIGEV_TEST_ON_BOTH(attributes_are_copied_the_stack_size_is_honoured_and_joinable_is_ignored) {
    static std::size_t size, guard;
    static int detached;
    constexpr std::size_t wanted = 3 << 20;
    std::optional<subscription> s;
    mailbox box;
    box.inside = [] {
        pthread_attr_t mine;
        pthread_getattr_np(pthread_self(), &mine);
        pthread_attr_getstacksize(&mine, &size);
        pthread_attr_getguardsize(&mine, &guard);
        pthread_attr_getdetachstate(&mine, &detached);
        pthread_attr_destroy(&mine);
        volatile char deep[wanted / 2]; // and it is really there
        deep[0] = 1;
        deep[sizeof deep - 1] = 1;
    };
    {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, wanted);
        pthread_attr_setguardsize(&attributes, 65536);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_JOINABLE);
        s.emplace(on, make_event(SIGEV_THREAD, mailbox::receive, &box, &attributes), 4);
        pthread_attr_destroy(&attributes);
        std::memset(&attributes, 0x5a, sizeof attributes);
    }
    s->submit();
    BOOST_REQUIRE(on.until([&] { return s->delivered() == 1; }));
    BOOST_TEST(size >= wanted - 65536);
    BOOST_TEST(size <= wanted + 65536);
    BOOST_TEST(guard == 65536u);
}

SIGEV_TEST_ON_BOTH(a_stack_of_the_callers_serves_one_callback_at_a_time) {
    constexpr std::size_t size = 2 << 20;
    void* stack = nullptr;
    BOOST_REQUIRE(posix_memalign(&stack, 4096, size) == 0);
    static std::atomic<bool> elsewhere, overlapped;
    static std::atomic<int> inside;
    static char* low;
    low = static_cast<char*>(stack);
    mailbox box;
    box.inside = [] {
        char here;
        elsewhere = elsewhere || &here < low || &here >= low + size;
        overlapped = overlapped || inside++ != 0;
        std::this_thread::yield();
        --inside;
    };
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, size);
    {
        const subscription a(on, make_event(SIGEV_THREAD, mailbox::receive, &box, &attributes), 20, 8);
        const subscription b(on, make_event(SIGEV_THREAD, mailbox::receive, &box, &attributes), 20, 8);
        for (int i = 0; i != 20; ++i) {
            a.submit(i);
            b.submit(i);
        }
        BOOST_TEST(on.until([&] { return a.delivered() + b.delivered() == 40; }));
    }
    BOOST_TEST(!elsewhere);
    BOOST_TEST(!overlapped);
    pthread_attr_destroy(&attributes);
    BOOST_TEST(sigev_shutdown() == 0); // before the stack goes
    free(stack);
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

BOOST_AUTO_TEST_SUITE_END()

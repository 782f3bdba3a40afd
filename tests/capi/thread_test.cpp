// SIGEV_THREAD: as if each call were the start of a new thread with the given attributes.
#include "fixture.hpp"

#include <array>
#include <atomic>
#include <cfenv>
#include <cstring>
#include <thread>

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

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

// [3.2.7, T14] Everything that a thread start routine may take for granted.
SIGEV_TEST_ON_BOTH(nothing_of_one_callback_leaks_into_the_next) {
    mailbox box;
    std::atomic<int> wrong{0};
    std::string names;
    const locale_t foreign = newlocale(LC_ALL_MASK, "C", nullptr);
    std::vector<char> other_stack(1 << 16);
    cpu_set_t all_processors;
    sched_getaffinity(0, sizeof all_processors, &all_processors);
    box.inside = [&] {
        sigset_t mask;
        pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        char name[16] = "";
        prctl(PR_GET_NAME, name);
        int state = 0, type = 0;
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
        stack_t alternate{};
        sigaltstack(nullptr, &alternate);
        cpu_set_t processors;
        sched_getaffinity(0, sizeof processors, &processors);
        if (errno != 0 || fegetround() != FE_TONEAREST || !sigismember(&mask, SIGUSR1) || !sigismember(&mask, SIGRTMIN) ||
            std::strcmp(name, "spoiled") == 0 || state != PTHREAD_CANCEL_ENABLE || type != PTHREAD_CANCEL_DEFERRED ||
            uselocale(nullptr) != LC_GLOBAL_LOCALE || alternate.ss_sp == other_stack.data() ||
            !CPU_EQUAL(&processors, &all_processors) || sched_getscheduler(0) != SCHED_OTHER ||
            fetestexcept(FE_ALL_EXCEPT) != 0) {
            ++wrong;
            names = name;
        }
        errno = EIO;
        fesetround(FE_UPWARD);
        sigemptyset(&mask);
        pthread_sigmask(SIG_SETMASK, &mask, nullptr);
        prctl(PR_SET_NAME, "spoiled");
        uselocale(foreign);
        feraiseexcept(FE_OVERFLOW);
        alternate = {};
        alternate.ss_sp = other_stack.data();
        alternate.ss_size = other_stack.size();
        sigaltstack(&alternate, nullptr);
        const sched_param none{};
        sched_setscheduler(0, SCHED_BATCH, &none);
        CPU_ZERO(&processors);
        CPU_SET(sched_getcpu(), &processors);
        sched_setaffinity(0, sizeof processors, &processors);
    };
    const subscription s(on, make_event(SIGEV_THREAD, mailbox::receive, &box), 20);
    for (int i = 0; i != 20; ++i)
        s.submit(i);
    BOOST_TEST(on.until([&] { return s.delivered() == 20; }));
    BOOST_TEST(wrong == 0);
    BOOST_TEST(sigev_shutdown() == 0);
    freelocale(foreign);
}

// What cannot be taken back costs the thread, not the next callback.
SIGEV_TEST_ON_BOTH(a_priority_that_was_given_up_for_good_is_not_the_next_callbacks) {
    const auto end = child([&] {
        if (!become_another_user())
            return 77;
        const rlimit none{};
        setrlimit(RLIMIT_NICE, &none);
        const int usual = getpriority(PRIO_PROCESS, 0);
        const place here(on.is_borrowed() ? place::borrowed : place::runtime);
        mailbox box;
        std::atomic<int> wrong{0};
        box.inside = [&] {
            const auto self = static_cast<id_t>(this_thread());
            wrong += getpriority(PRIO_PROCESS, self) != usual;
            setpriority(PRIO_PROCESS, self, usual + 7);
        };
        {
            const subscription s(here, make_event(SIGEV_THREAD, mailbox::receive, &box), 10);
            for (int i = 0; i != 10; ++i)
                s.submit(i);
            BOOST_TEST(here.until([&] { return s.delivered() == 10; }));
            SIGEV_CHECK_LEDGER(s.ledger(), 10, 10);
        }
        BOOST_TEST(box.calls == 10);
        BOOST_TEST(wrong == 0);
        BOOST_TEST(sigev_shutdown() == 0);
        return 0;
    });
    if (end.code == 77)
        skip("the user cannot be changed here");
    BOOST_TEST(end == exited_well);
}

// The thread that was lost cannot be replaced; another one is there, and is told.
SIGEV_TEST_ON_BOTH(a_thread_that_is_lost_while_none_can_be_made_leaves_its_calls_to_the_others) {
    const auto end = child([&] {
        if (!become_another_user())
            return 77;
        const rlimit low{};
        setrlimit(RLIMIT_NICE, &low);
        const place here(on.is_borrowed() ? place::borrowed : place::runtime);
        mailbox box;
        std::atomic<int> started{0};
        box.inside = [&] {
            if (started++ == 0)
                setpriority(PRIO_PROCESS, static_cast<id_t>(this_thread()), getpriority(PRIO_PROCESS, 0) + 7);
        };
        {
            const subscription s(here, make_event(SIGEV_THREAD, mailbox::receive, &box), 3);
            rlimit before{};
            getrlimit(RLIMIT_NPROC, &before);
            const rlimit no_thread{0, before.rlim_max};
            setrlimit(RLIMIT_NPROC, &no_thread);
            for (int i = 0; i != 3; ++i)
                s.submit(i);
            BOOST_TEST(here.until([&] { return s.delivered() == 3; }));
            setrlimit(RLIMIT_NPROC, &before);
        }
        BOOST_TEST(sigev_shutdown() == 0);
        return 0;
    });
    if (end.code == 77)
        skip("the user cannot be changed here");
    BOOST_TEST(end == exited_well);
}

// [3.2.1] Where thread_local and thread-specific data must be new each time.
SIGEV_TEST_ON_BOTH(with_fresh_threads_each_callback_has_thread_local_data_of_its_own) {
    static thread_local int calls_here;
    static std::atomic<int> destroyed, again;
    destroyed = again = 0;
    pthread_key_t key;
    BOOST_REQUIRE(pthread_key_create(&key, [](void*) { ++destroyed; }) == 0);
    mailbox box;
    box.inside = [&] {
        again += calls_here++ != 0;
        again += pthread_getspecific(key) != nullptr;
        pthread_setspecific(key, &box);
    };
    auto options = make_options(on, 2);
    options.flags = SIGEV_FRESH_THREAD;
    sigev_t s = 0;
    const auto event = make_event(SIGEV_THREAD, mailbox::receive, &box);
    BOOST_REQUIRE(sigev_open(&event, 50, &options, &s) == 0);
    for (int i = 0; i != 50; ++i)
        BOOST_TEST(sigev_submit(s, i, 0) == 0);
    BOOST_TEST(on.until([&] { return box.calls == 50; }));
    BOOST_TEST(sigev_close(s) == 0);
    BOOST_TEST(sigev_shutdown() == 0);
    BOOST_TEST(again == 0);
    BOOST_TEST(destroyed == 50);
    pthread_key_delete(key);
}

SIGEV_TEST_ON_BOTH(when_full_a_submit_is_refused_if_that_was_chosen) {
    gate go;
    mailbox box;
    box.inside = [&] { (void)go.wait(); };
    auto options = make_options(on);
    options.flags = SIGEV_REFUSE_WHEN_FULL;
    sigev_t s = 0;
    const auto event = make_event(SIGEV_THREAD, mailbox::receive, &box);
    BOOST_REQUIRE(sigev_open(&event, 3, &options, &s) == 0);
    for (int i = 0; i != 3; ++i)
        BOOST_TEST(sigev_submit(s, i, 0) == 0);
    for (int i = 0; i != 5; ++i) {
        errno = 0;
        BOOST_TEST(sigev_submit(s, 100, 0) == -1);
        BOOST_TEST(errno == EAGAIN);
    }
    sigev_ledger ledger{};
    BOOST_TEST(sigev_ledger_read(s, &ledger) == 0);
    SIGEV_CHECK_LEDGER(ledger, 3, 0, 0, 3);
    go.open();
    BOOST_TEST(on.until([&] { return box.calls == 3; }));
    BOOST_TEST(on.until([&] { return sigev_submit(s, 4, 0) == 0; })); // a record comes back when its callback is over
    BOOST_TEST(on.until([&] { return box.calls == 4; }));
    BOOST_TEST(box.last_data == 4);
    BOOST_TEST(sigev_cancel(s) == 0);
    errno = 0;
    BOOST_TEST(sigev_submit(s, 5, 0) == -1);
    BOOST_TEST(errno == ECANCELED);
    BOOST_TEST(sigev_close(s) == 0);
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
        // With other attributes it would be another thread on the same stack.
        auto options = make_options(on);
        options.flags = SIGEV_FRESH_THREAD;
        BOOST_TEST(open_error(make_event(SIGEV_THREAD, mailbox::receive, &box, &attributes), 1, &options) == EINVAL);
    }
    BOOST_TEST(!elsewhere);
    BOOST_TEST(!overlapped);
    pthread_attr_destroy(&attributes);
    BOOST_TEST(sigev_shutdown() == 0); // before the stack goes
    free(stack);
}

BOOST_AUTO_TEST_SUITE_END()

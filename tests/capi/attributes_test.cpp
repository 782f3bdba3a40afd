// SIGEV_THREAD: which worker runs a callback. Every attribute that pthread_create() reads tells one kind from another, and what
// a new thread would have inherited from the one that subscribes does, too.
#include "fixture.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <string>
#include <thread>

#include <sys/resource.h>

using namespace sigev_tests;

namespace {

/// Attributes of the program's own, which are overwritten as soon as the library has had them.
class attributes {
public:
    attributes() {
        pthread_attr_init(&raw_);
        pthread_attr_setstacksize(&raw_, 1 << 20); // not those of the default threads
    }
    attributes(const attributes&) = delete;
    attributes& operator=(const attributes&) = delete;
    ~attributes() { destroy(); }

    operator pthread_attr_t*() { return &raw_; }
    void destroy() {
        if (!gone_)
            pthread_attr_destroy(&raw_);
        gone_ = true;
        std::memset(&raw_, 0x5a, sizeof raw_);
    }

private:
    pthread_attr_t raw_;
    bool gone_ = false;
};

void one_processor(pthread_attr_t* a) {
    static const int processor = sched_getcpu();
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    BOOST_REQUIRE(pthread_attr_setaffinity_np(a, sizeof set, &set) == 0);
    std::memset(&set, 0x5a, sizeof set);
}

void round_robin(pthread_attr_t* a, int priority) { // inherited all the same: no privilege is asked for
    BOOST_REQUIRE(pthread_attr_setschedpolicy(a, SCHED_RR) == 0);
    const sched_param p{priority};
    BOOST_REQUIRE(pthread_attr_setschedparam(a, &p) == 0);
}

void no_signals(pthread_attr_t* a) {
    sigset_t none;
    sigemptyset(&none);
    BOOST_REQUIRE(pthread_attr_setsigmask_np(a, &none) == 0);
}

struct difference {
    std::string attribute;
    std::function<void(pthread_attr_t*)> one, other;
};

const std::vector<difference> differences{
    {"stack size", [](auto* a) { pthread_attr_setstacksize(a, 2 << 20); }, {}},
    {"guard size", [](auto* a) { pthread_attr_setguardsize(a, 65536); }, {}},
    {"policy", [](auto* a) { round_robin(a, 1); },
     [](auto* a) {
         BOOST_REQUIRE(pthread_attr_setschedpolicy(a, SCHED_FIFO) == 0);
         const sched_param p{1};
         BOOST_REQUIRE(pthread_attr_setschedparam(a, &p) == 0);
     }},
    {"priority", [](auto* a) { round_robin(a, 1); }, [](auto* a) { round_robin(a, 2); }},
    {"inheritance", [](auto* a) { pthread_attr_setinheritsched(a, PTHREAD_EXPLICIT_SCHED); }, {}},
    {"affinity", one_processor, {}},
    {"signal mask", no_signals, {}},
};

struct caller {
    mailbox box;
    std::optional<subscription> s;

    void open(const place& on, pthread_attr_t* with, std::uint32_t concurrency = 1) {
        s.emplace(on, make_event(SIGEV_THREAD, mailbox::receive, &box, with), 4, concurrency);
    }
    /// One call; the thread that ran it.
    pid_t call(const place& on) {
        const auto before = s->delivered();
        s->submit();
        BOOST_REQUIRE(on.until([&] { return s->delivered() == before + 1; }));
        return box.thread;
    }
};

/// Do calls of the two ever run on the same thread?
bool share(const place& on, caller& a, caller& b) {
    std::set<pid_t> of_a, of_b;
    for (int i = 0; i != 20; ++i) {
        of_a.insert(a.call(on));
        if (i % 3 == 0) // two idle threads take turns
            of_a.insert(a.call(on));
        of_b.insert(b.call(on));
    }
    return std::any_of(of_a.begin(), of_a.end(), [&](pid_t t) { return of_b.count(t) != 0; });
}

/// What a callback finds of its thread's scheduling.
struct found {
    std::atomic<int> policy{-1}, priority{-1}, nice{-100};

    void look() {
        sched_param p{};
        sched_getparam(0, &p);
        priority = p.sched_priority;
        nice = getpriority(PRIO_PROCESS, static_cast<id_t>(this_thread()));
        policy = sched_getscheduler(0);
    }
};

/// The suite may be run by somebody who is nice already.
int nicer_by(int more) { return std::min(getpriority(PRIO_PROCESS, 0) + more, 19); }

/// In a thread that is scheduled so; false where that is not allowed.
bool as(int policy, int priority, int nicer, const std::function<void()>& body) {
    bool allowed = false;
    std::thread([&] {
        const sched_param p{priority};
        allowed = sched_setscheduler(0, policy, &p) == 0 &&
                  (nicer == 0 || setpriority(PRIO_PROCESS, static_cast<id_t>(this_thread()), nicer_by(nicer)) == 0);
        if (allowed)
            body();
    }).join();
    return allowed;
}

void keeps(const place& on, int policy, int priority, int nicer) {
    const int usual = getpriority(PRIO_PROCESS, 0);
    if (nicer != 0 && nicer_by(nicer) == usual)
        skip("the suite itself is as nice as can be");
    caller ordinary, special, also_special;
    found of_ordinary, of_special;
    ordinary.box.inside = [&] { of_ordinary.look(); };
    special.box.inside = [&] { of_special.look(); };
    ordinary.open(on, nullptr);
    if (!as(policy, priority, nicer, [&] {
            special.open(on, nullptr);
            also_special.open(on, nullptr);
        }))
        skip("this policy or priority is not allowed here");
    for (int i = 0; i != 10; ++i) {
        ordinary.call(on);
        BOOST_TEST(of_ordinary.policy == SCHED_OTHER);
        BOOST_TEST(of_ordinary.nice == usual);
        special.call(on);
        BOOST_TEST(of_special.policy == policy);
        BOOST_TEST(of_special.priority == priority);
        BOOST_TEST(of_special.nice == nicer_by(nicer));
        if (i == 4) // and so does the thread that takes the place of one that has ended
            special.box.inside = [&] {
                of_special.look();
                pthread_exit(nullptr);
            };
    }
    BOOST_TEST(!share(on, ordinary, also_special));
    special.box.inside = nullptr;
    BOOST_TEST(share(on, special, also_special));
}

} // namespace

BOOST_AUTO_TEST_SUITE(thread_attributes)

SIGEV_TEST_ON_BOTH(two_that_ask_for_the_same_share_a_worker) {
    for (const auto& d : differences)
        BOOST_TEST_CONTEXT(d.attribute) {
            caller a, b;
            for (auto* c : {&a, &b}) {
                attributes same;
                d.one(same);
                c->open(on, same);
                same.destroy();
            }
            BOOST_TEST(share(on, a, b));
        }
    caller plain, none;
    pthread_attr_t initial;
    pthread_attr_init(&initial);
    plain.open(on, &initial);
    pthread_attr_destroy(&initial);
    none.open(on, nullptr);
    BOOST_TEST(share(on, plain, none));
}

SIGEV_TEST_ON_BOTH(two_that_differ_in_one_attribute_do_not) {
    for (const auto& d : differences)
        BOOST_TEST_CONTEXT(d.attribute) {
            caller a, b;
            attributes one, other;
            d.one(one);
            if (d.other)
                d.other(other);
            a.open(on, one);
            b.open(on, other);
            one.destroy();
            other.destroy();
            BOOST_TEST(!share(on, a, b));
        }
    attributes scope; // Linux has one only: there are no two that differ
    BOOST_TEST(pthread_attr_setscope(scope, PTHREAD_SCOPE_PROCESS) == ENOTSUP);
}

SIGEV_TEST_ON_BOTH(what_is_asked_for_is_what_the_callback_has) {
    attributes wanted;
    const std::size_t guard = 65536, stack = 2 << 20;
    pthread_attr_setstacksize(wanted, stack);
    pthread_attr_setguardsize(wanted, guard);
    one_processor(wanted);
    no_signals(wanted);
    cpu_set_t processors;
    BOOST_REQUIRE(pthread_attr_getaffinity_np(wanted, sizeof processors, &processors) == 0);
    caller c;
    std::atomic<int> wrong{0};
    c.box.inside = [&] {
        pthread_attr_t mine;
        pthread_getattr_np(pthread_self(), &mine);
        std::size_t size = 0;
        wrong += pthread_attr_getguardsize(&mine, &size) != 0 || size != guard;
        wrong += pthread_attr_getstacksize(&mine, &size) != 0 || size + guard < stack || size > stack + guard;
        pthread_attr_destroy(&mine);
        cpu_set_t now;
        wrong += sched_getaffinity(0, sizeof now, &now) != 0 || !CPU_EQUAL(&now, &processors);
        sigset_t mask;
        wrong += pthread_sigmask(SIG_SETMASK, nullptr, &mask) != 0 || !sigisemptyset(&mask);
        sigfillset(&mask); // nor does it leak
        pthread_sigmask(SIG_SETMASK, &mask, nullptr);
    };
    c.open(on, wanted);
    wanted.destroy();
    for (int i = 0; i != 20; ++i)
        c.call(on);
    BOOST_TEST(wrong == 0);
}

// The signals that the program has let in reach the callback, and not the thread between two of them.
BOOST_AUTO_TEST_CASE(a_signal_that_the_attributes_let_in_comes_while_a_callback_runs) {
    static std::atomic<pid_t> handled_by;
    handled_by = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { handled_by = this_thread(); };
    struct sigaction before {};
    BOOST_REQUIRE(sigaction(SIGUSR1, &action, &before) == 0);
    const place on(place::runtime);
    const blocked_signals everywhere_else{SIGUSR1};
    attributes open;
    no_signals(open);
    caller c;
    c.open(on, open);
    const pid_t worker = c.call(on);
    syscall(SYS_tgkill, getpid(), worker, SIGUSR1); // nobody runs
    BOOST_TEST(!wait_until([] { return handled_by != 0; }, milliseconds(20)));
    BOOST_TEST(c.call(on) == worker);
    BOOST_TEST(handled_by == worker);
    sigaction(SIGUSR1, &before, nullptr);
}

// [3.2.2, 3.2.3] Whatever the attributes say, which pthread_attr_init() makes joinable.
SIGEV_TEST_ON_BOTH(a_callback_is_in_a_detached_thread_and_may_say_so_again) {
    std::atomic<int> joinable{0}, calls{0};
    attributes usual;
    pthread_attr_setdetachstate(usual, PTHREAD_CREATE_JOINABLE);
    for (pthread_attr_t* const with : {static_cast<pthread_attr_t*>(nullptr), static_cast<pthread_attr_t*>(usual)}) {
        caller c;
        c.box.inside = [&] {
            pthread_attr_t mine;
            pthread_getattr_np(pthread_self(), &mine);
            int state = -1;
            joinable += pthread_attr_getdetachstate(&mine, &state) != 0 || state != PTHREAD_CREATE_DETACHED;
            pthread_attr_destroy(&mine);
            pthread_detach(pthread_self()); // as programs do that have met a library which takes joinable at its word
            if (++calls % 3 == 0)
                pthread_exit(nullptr);
        };
        c.open(on, with);
        for (int i = 0; i != 10; ++i)
            c.call(on);
    }
    BOOST_TEST(sigev_shutdown() == 0);
    BOOST_TEST(joinable == 0);
}

// [T15] libc's own signals and those of faults, whatever the thread that makes the first worker has blocked.
SIGEV_TEST_ON_BOTH(what_a_callback_needs_unblocked_is_so_whoever_subscribes) {
    caller c;
    static std::uint64_t mask;
    c.box.inside = [] { syscall(SYS_rt_sigprocmask, SIG_SETMASK, nullptr, &mask, sizeof mask); };
    std::uint64_t unchanged = 0;
    std::thread([&] {
        const std::uint64_t all = ~std::uint64_t{0};
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
        c.open(on, nullptr);
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, nullptr, &unchanged, sizeof unchanged);
        const std::uint64_t none = 0;
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
    }).join();
    c.call(on);
    const auto blocked = [](std::uint64_t in, int signo) { return (in >> (signo - 1) & 1) != 0; };
    for (const int signo : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, 32, 33})
        BOOST_TEST(!blocked(mask, signo), signo);
    for (const int signo : {SIGALRM, SIGINT, SIGTERM, SIGUSR1, SIGCHLD, SIGPIPE, SIGRTMIN, SIGRTMAX})
        BOOST_TEST(blocked(mask, signo), signo);
    for (const int signo : {SIGSEGV, SIGUSR1, 32, 33}) // the subscriber's own mask is its own
        BOOST_TEST(blocked(unchanged, signo), signo);
}

// [T37]
SIGEV_TEST_ON_BOTH(a_batch_thread_that_subscribes_is_called_by_such_threads) {
    keeps(on, SCHED_BATCH, 0, 0);
}

SIGEV_TEST_ON_BOTH(a_nice_thread_that_subscribes_is_called_by_such_threads) {
    keeps(on, SCHED_OTHER, 0, 3);
}

SIGEV_TEST_ON_BOTH(a_realtime_thread_that_subscribes_is_called_by_such_threads) {
    keeps(on, SCHED_RR, 7, 0);
}

// Its first use of the library makes the runtime.
SIGEV_TEST_ON_BOTH(a_thread_that_is_not_ordinary_may_come_first) {
    caller special, ordinary;
    found of_special, of_ordinary;
    special.box.inside = [&] { of_special.look(); };
    ordinary.box.inside = [&] { of_ordinary.look(); };
    if (!as(SCHED_BATCH, 0, 0, [&] { special.open(on, nullptr); }))
        skip("this policy is not allowed here");
    ordinary.open(on, nullptr);
    for (int i = 0; i != 10; ++i) {
        special.call(on);
        ordinary.call(on);
        BOOST_TEST(of_special.policy == SCHED_BATCH);
        BOOST_TEST(of_ordinary.policy == SCHED_OTHER);
    }
}

// pthread_create() called by such a thread makes an ordinary one.
SIGEV_TEST_ON_BOTH(what_a_thread_keeps_from_those_that_it_makes_is_not_kept) {
    caller c;
    found of_callback;
    c.box.inside = [&] { of_callback.look(); };
    if (!as(SCHED_RR | SCHED_RESET_ON_FORK, 7, 0, [&] { c.open(on, nullptr); }))
        skip("this policy is not allowed here");
    c.call(on);
    BOOST_TEST(of_callback.policy == SCHED_OTHER);
    BOOST_TEST(of_callback.priority == 0);
}

// Also those that come later, made by another thread.
SIGEV_TEST_ON_BOTH(all_that_run_at_once_are_scheduled_alike) {
    caller c;
    std::array<found, 4> all;
    std::atomic<unsigned> entered{0}, have_looked{0};
    gate go;
    c.box.inside = [&] {
        all[entered++].look();
        ++have_looked;
        (void)go.wait();
    };
    if (!as(SCHED_BATCH, 0, 2, [&] { c.open(on, nullptr, 4); }))
        skip("this policy is not allowed here");
    for (int i = 0; i != 4; ++i)
        c.s->submit();
    BOOST_TEST(on.until([&] { return have_looked == 4; }));
    for (const auto& one : all) {
        BOOST_TEST(one.policy == SCHED_BATCH);
        BOOST_TEST(one.nice == nicer_by(2));
    }
    go.open();
    BOOST_TEST(on.until([&] { return c.s->delivered() == 4; }));
}

// What is done to all threads of the program from outside is not put back after the next callback.
SIGEV_TEST_ON_BOTH(a_program_that_is_made_nicer_as_a_whole_stays_so) {
    const bool is_borrowed = on.is_borrowed();
    const auto end = child([&] {
        if (setpgid(0, 0) != 0 || nicer_by(3) == nicer_by(0))
            return 77;
        const place here(is_borrowed ? place::borrowed : place::runtime);
        const int wanted = nicer_by(3);
        caller c;
        found of_callback;
        c.box.inside = [&] { of_callback.look(); };
        c.open(here, nullptr);
        c.call(here);
        if (setpriority(PRIO_PGRP, 0, wanted) != 0)
            return 77;
        for (int i = 0; i != 10; ++i) {
            c.call(here);
            BOOST_TEST(of_callback.nice == wanted);
            if (i == 4) // and so does the thread that takes the place of one that has ended
                c.box.inside = [&] {
                    of_callback.look();
                    pthread_exit(nullptr);
                };
        }
        // What the callback does to its own thread is.
        c.box.inside = [&] {
            of_callback.look();
            setpriority(PRIO_PROCESS, static_cast<id_t>(this_thread()), 19);
        };
        for (int i = 0; i != 4; ++i) {
            c.call(here);
            BOOST_TEST(of_callback.nice == wanted);
        }
        c.s.reset();
        BOOST_TEST(sigev_shutdown() == 0);
        return 0;
    });
    if (end.code == 77)
        skip("a process group of its own, or to be nicer, is not to be had here");
    BOOST_TEST(end == exited_well);
}

BOOST_AUTO_TEST_SUITE_END()

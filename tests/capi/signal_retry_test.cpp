// SIGEV_SIGNAL and SIGEV_THREAD_ID while the kernel's queue is full, and what each source says in siginfo. The queue is counted
// per user, so each case becomes somebody else first, in a child.
#include "timer_fixture.hpp"

#include <ctime>
#include <map>
#include <memory>
#include <thread>

#include <aio.h>
#include <fcntl.h>
#include <sys/resource.h>

using namespace sigev_tests;

namespace {

const int rt = SIGRTMIN + 7;

void room_for(rlim_t signals) {
    rlimit limit{};
    BOOST_REQUIRE(getrlimit(RLIMIT_SIGPENDING, &limit) == 0);
    limit.rlim_cur = signals;
    BOOST_REQUIRE(setrlimit(RLIMIT_SIGPENDING, &limit) == 0);
}

void as_nobody(const place& on, const std::function<void(const place&)>& body) {
    need_threads_in_a_child();
    const auto end = child([&] {
        if (!become_another_user())
            return 77;
        {
            const place here(on.is_borrowed() ? place::borrowed : place::runtime);
            body(here);
        }
        BOOST_TEST(sigev_shutdown() == 0);
        return 0;
    });
    if (end.code == 77)
        skip("the user cannot be changed here");
    BOOST_TEST(end == exited_well);
}

std::int64_t used_by_this_process() {
    return now_of(CLOCK_PROCESS_CPUTIME_ID);
}

/// Runs the place for so long, and for at least so many turns of its loop, if it is a borrowed one: we see it. How many there were.
int run(const place& on, std::int64_t nanoseconds, const blocked_signals& none_comes, int at_least = 0) {
    const auto end = now_of(CLOCK_MONOTONIC) + nanoseconds;
    int turns = 0;
    while (now_of(CLOCK_MONOTONIC) < end || (on.is_borrowed() && turns < at_least)) {
        const auto left_of_it = (end - now_of(CLOCK_MONOTONIC)) / ms + 1;
        const int left = static_cast<int>(left_of_it > 0 ? left_of_it : patience.count()); // beyond it until there is something to do
        if (on.is_borrowed()) {
            on.turn(left);
            ++turns;
        } else {
            BOOST_TEST(!none_comes.take(left).has_value());
        }
    }
    return turns;
}

} // namespace

BOOST_AUTO_TEST_SUITE(signal_retries)

// Signals of one number come in the order in which they were queued, lower numbers first [sigqueue() of POSIX], full queue or not.
SIGEV_TEST_ON_BOTH(each_subscription_keeps_its_order_while_it_is_retried) {
    as_nobody(on, [](const place& here) {
        constexpr int each = 40;
        const blocked_signals blocked{rt, rt + 1, rt + 2, rt + 3};
        std::vector<std::unique_ptr<subscription>> all;
        for (const auto& e :
             {make_event(SIGEV_SIGNAL, rt), make_thread_id_event(this_thread(), rt + 1), make_event(SIGEV_SIGNAL, rt + 2),
              make_thread_id_event(this_thread(), rt + 3)})
            all.push_back(std::make_unique<subscription>(here, e, each));
        room_for(0);
        for (int i = 0; i != each; ++i) {
            for (const auto& s : all)
                s->submit(i, i + 1);
            if (i % 10 == 0 && here.is_borrowed())
                here.turn(0);
        }
        BOOST_TEST(!blocked.take(20).has_value());
        for (const auto& s : all)
            SIGEV_CHECK_LEDGER(s->ledger(), each, 0, 0, each);
        std::map<int, int> last;
        int taken = 0;
        const auto take_one = [&](const siginfo_t& info) {
            BOOST_TEST(info.si_errno == ++last[info.si_signo], "signal " << info.si_signo);
            ++taken;
        };
        room_for(3); // a little at a time, and refused again in between
        while (taken != each / 2) {
            const auto info = blocked.take(here);
            BOOST_REQUIRE(info.has_value());
            take_one(*info);
        }
        room_for(10'000);
        while (taken != 4 * each) {
            const auto info = blocked.take(here);
            BOOST_REQUIRE(info.has_value());
            take_one(*info);
        }
        BOOST_TEST(last.size() == 4u);
        BOOST_TEST(here.until([&] { return std::all_of(all.begin(), all.end(), [](auto& s) { return s->ledger().pending == 0; }); }));
        for (const auto& s : all)
            SIGEV_CHECK_LEDGER(s->ledger(), each, each);
    });
}

// An expiry is dispatched after the loop has looked at what is held: it has to be looked at once more.
SIGEV_TEST_ON_BOTH(a_timer_whose_signal_is_refused_tells_when_there_is_room) {
    as_nobody(on, [](const place& here) {
        const blocked_signals blocked{rt};
        sigevent e = make_event(SIGEV_SIGNAL, rt);
        sigev_timer_options o{};
        o.size = sizeof o;
        o.engine = SIGEV_ENGINE_HEAP; // with the kernel's there is a place for its signal, or no timer
        o.reactor = here.reactor();
        timer_t id{};
        BOOST_REQUIRE(sigev_timer_create_with(&o, CLOCK_MONOTONIC, &e, &id) == 0);
        run(here, 10 * ms, blocked); // the loop sleeps
        room_for(0);
        const auto soon = timer_value(ms);
        BOOST_REQUIRE(sigev_timer_settime(id, 0, &soon, nullptr) == 0);
        sigev_ledger l{};
        BOOST_REQUIRE(here.until([&] { return sigev_timer_ledger(id, &l) == 0 && l.pending == 1; }));
        run(here, 10 * ms, blocked); // it sleeps again
        room_for(10'000);
        BOOST_TEST(blocked.take(here).has_value());
        BOOST_TEST(here.until([&] { return sigev_timer_ledger(id, &l) == 0 && l.delivered == 1; }));
        BOOST_TEST(sigev_timer_delete_wait(id) == 0);
    });
}

// The back-off is 1 ms at first and 64 at most: some sixteen attempts in 640 ms, whatever is held.
SIGEV_TEST_ON_BOTH(what_is_held_is_offered_again_now_and_then_and_costs_next_to_nothing) {
    as_nobody(on, [](const place& here) {
        const blocked_signals blocked{rt, rt + 1};
        std::vector<std::unique_ptr<subscription>> all;
        for (int i = 0; i != 50; ++i)
            all.push_back(std::make_unique<subscription>(
                here, i % 2 ? make_event(SIGEV_SIGNAL, rt) : make_thread_id_event(this_thread(), rt + 1), 4));
        room_for(0);
        for (const auto& s : all)
            for (int i = 0; i != 4; ++i)
                s->submit(i);
        run(here, 20 * ms, blocked); // all have been refused once
        const auto began = now_of(CLOCK_MONOTONIC), before = used_by_this_process();
        const int turns = run(here, 640 * ms, blocked, 5);
        const auto used = used_by_this_process() - before, passed = now_of(CLOCK_MONOTONIC) - began;
        BOOST_TEST_MESSAGE(turns << " turns, " << used / 1000 << " us of CPU time");
        if (here.is_borrowed()) {
            BOOST_TEST(turns >= 5);
            BOOST_TEST(turns <= 40 * passed / (640 * ms));
        }
        BOOST_TEST(used < slowness * passed / 10);
        room_for(10'000);
        BOOST_TEST(here.until([&] {
            while (blocked.take())
                ;
            return std::all_of(all.begin(), all.end(), [](auto& s) { return s->delivered() == 4; });
        }));
    });
}

// A hook that refuses sees how often it is asked.
SIGEV_TEST_ON_BOTH(a_hook_that_refuses_is_not_asked_in_a_loop) {
    static std::atomic<int> asked;
    static std::atomic<bool> willing;
    asked = 0;
    willing = false;
    sigev_method m{};
    m.size = sizeof m;
    m.deliver = [](void*, void*, const sigev_notification*) {
        ++asked;
        return static_cast<int>(willing ? SIGEV_DELIVERED : SIGEV_RETRY);
    };
    const int number = sigev_method_register(&m);
    {
        const blocked_signals none{rt};
        const subscription s(on, make_event(number), 4);
        const auto began = now_of(CLOCK_MONOTONIC);
        for (int i = 0; i != 4; ++i)
            s.submit(i);
        run(on, 640 * ms, none);
        BOOST_TEST(on.until([] { return asked >= 5; }));
        const int times = asked;
        BOOST_TEST(times <= 40 * (now_of(CLOCK_MONOTONIC) - began) / (640 * ms));
        willing = true;
        BOOST_TEST(on.until([&] { return s.delivered() == 4; }));
    }
    BOOST_TEST(sigev_method_unregister(number) == 0);
}

SIGEV_TEST_ON_BOTH(others_are_not_held_up_by_what_is_held) {
    as_nobody(on, [](const place& here) {
        const blocked_signals blocked{rt, rt + 1, SIGUSR1};
        const subscription held(here, make_event(SIGEV_SIGNAL, rt), 10);
        const subscription held_too(here, make_thread_id_event(this_thread(), rt + 1), 10);
        mailbox box;
        const subscription threads(here, make_event(SIGEV_THREAD, mailbox::receive, &box), 4);
        const subscription callbacks(here, make_event(SIGEV_CALLBACK, mailbox::receive, &box), 4);
        const subscription nobody(here, make_event(SIGEV_NONE), 4);
        room_for(0);
        for (int i = 0; i != 10; ++i) {
            held.submit();
            held_too.submit();
        }
        BOOST_TEST(!blocked.take(20).has_value());
        for (int i = 0; i != 20; ++i)
            run(here, 10 * ms, blocked); // the back-off has become long
        for (std::uint64_t i = 1; i <= 50; ++i)
            for (const auto* s : {&threads, &callbacks, &nobody}) {
                s->submit();
                if (here.is_borrowed())
                    here.turn(10'000); // this very turn delivers it, and not one that the back-off brings
                BOOST_TEST((s == &threads || !here.is_borrowed() || s->delivered() == i));
                BOOST_REQUIRE(here.until([&] { return s->delivered() == i; }));
            }
        SIGEV_CHECK_LEDGER(held.ledger(), 10, 0, 0, 10);
        SIGEV_CHECK_LEDGER(held_too.ledger(), 10, 0, 0, 10);
        room_for(10'000);
        for (int i = 0; i != 20; ++i)
            BOOST_TEST(blocked.take(here).has_value());
    });
}

// The kernel queues a classic signal without room for its siginfo, and says nothing: the manual warns of it.
SIGEV_TEST_ON_BOTH(a_classic_signal_comes_without_its_value_when_the_queue_is_full) {
    as_nobody(on, [](const place& here) {
        const blocked_signals blocked{SIGUSR1};
        const subscription s(here, make_event(SIGEV_SIGNAL, SIGUSR1, 4711));
        s.submit();
        auto info = blocked.take(here);
        BOOST_REQUIRE(info.has_value());
        BOOST_TEST(info->si_code == SI_QUEUE);
        BOOST_TEST(info->si_value.sival_int == 4711);
        room_for(0);
        s.submit();
        info = blocked.take(here);
        BOOST_REQUIRE(info.has_value());
        BOOST_TEST(info->si_code == SI_USER);
        BOOST_TEST(here.until([&] { return s.delivered() == 2; }));
    });
}

SIGEV_TEST_ON_BOTH(a_thread_that_ends_while_signals_wait_for_it_takes_them_along) {
    as_nobody(on, [](const place& here) {
        const blocked_signals blocked{rt, rt + 1};
        std::atomic<pid_t> tid{0};
        gate end;
        std::thread short_lived([&] {
            tid = this_thread();
            (void)end.wait();
        });
        BOOST_REQUIRE(wait_until([&] { return tid != 0; }));
        const subscription gone(here, make_thread_id_event(tid, rt), 10);
        const subscription stays(here, make_thread_id_event(this_thread(), rt + 1), 10);
        room_for(0);
        for (int i = 0; i != 5; ++i) {
            gone.submit();
            stays.submit();
        }
        run(here, 5 * ms, blocked);
        SIGEV_CHECK_LEDGER(gone.ledger(), 5, 0, 0, 5);
        end.open();
        short_lived.join();
        BOOST_TEST(here.until([&] { return gone.ledger().pending == 0; }));
        SIGEV_CHECK_LEDGER(gone.ledger(), 5, 0, 0, 0, 5);
        SIGEV_CHECK_LEDGER(stays.ledger(), 5, 0, 0, 5);
        room_for(1000);
        for (int i = 0; i != 5; ++i)
            BOOST_TEST(blocked.take(here).has_value());
    });
}

// E2: glibc's aio_read() says EAGAIN of a read that has been carried out, when its signal cannot be queued.
SIGEV_TEST_ON_BOTH(a_read_is_what_it_was_whatever_becomes_of_its_signal) {
    as_nobody(on, [](const place& here) {
        const blocked_signals blocked{rt};
        const int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        BOOST_REQUIRE(zero >= 0);
        char buffer[64] = "x";
        aiocb request{};
        request.aio_fildes = zero;
        request.aio_buf = buffer;
        request.aio_nbytes = sizeof buffer;
        request.aio_sigevent = make_event(SIGEV_SIGNAL, rt, 99);
        room_for(0);
        BOOST_REQUIRE(sigev_aio_submit_on(here.reactor(), LIO_READ, &request) == 0);
        BOOST_TEST(here.until([&] { return sigev_aio_error(&request) != EINPROGRESS; }));
        BOOST_TEST(!blocked.take(10).has_value());
        BOOST_TEST(sigev_aio_error(&request) == 0);
        BOOST_TEST(sigev_aio_return(&request) == 64);
        room_for(1000);
        const auto info = blocked.take(here);
        BOOST_REQUIRE(info.has_value());
        BOOST_TEST(info->si_code == SI_ASYNCIO);
        BOOST_TEST(info->si_value.sival_int == 99);
        BOOST_TEST(info->si_pid == getpid());
        BOOST_TEST(info->si_uid == getuid());
        BOOST_TEST(info->si_errno == 0);
        close(zero);
    });
}

// [<signal.h>, timer_getoverrun() of POSIX] A timer's: no sender, but which timer, and how often it has expired beyond the first.
SIGEV_TEST_ON_BOTH(a_timers_signal_says_how_many_expirations_it_stands_for) {
    const blocked_signals blocked{rt};
    for (const auto& event : {make_event(SIGEV_SIGNAL, rt, 7), make_thread_id_event(this_thread(), rt, 7)}) {
        timer t(on, CLOCK_MONOTONIC, event, SIGEV_ENGINE_HEAP);
        const auto start = now_of(CLOCK_MONOTONIC) - 100 * ms; // 10 periods ago: they come at once, as one
        t.set(start, 10 * ms, TIMER_ABSTIME);
        const auto info = blocked.take(on);
        BOOST_REQUIRE(info.has_value());
        const int overrun = sigev_timer_getoverrun(t.id());
        t.set(0);
        BOOST_TEST(info->si_code == SI_TIMER);
        BOOST_TEST(info->si_value.sival_int == 7);
        BOOST_TEST(info->si_overrun >= 10);
        BOOST_TEST(info->si_errno == 0);
        BOOST_TEST(overrun >= 0);
        BOOST_TEST(on.until([&] { return !blocked.take(0) && t.ledger().pending == 0; })); // those that came meanwhile
        const auto l = t.ledger();
        BOOST_TEST(l.raised == l.delivered + l.merged);
        BOOST_TEST(l.merged >= static_cast<std::uint64_t>(info->si_overrun));
    }
}

BOOST_AUTO_TEST_SUITE_END()

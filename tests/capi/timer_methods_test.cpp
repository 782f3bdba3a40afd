// Timers with every method, from inside callbacks and signal handlers, and many at once.
#include "support/many.hpp"
#include "timer_fixture.hpp"

#include <memory>
#include <thread>

using namespace sigev_tests;

namespace {

const int rt = SIGRTMIN + 5;

// What a signal handler does to a timer; everything in it is to be async-signal-safe.
timer_t handled = nullptr;
std::atomic<long> armed{0}, returned{0}, failed{0}, errno_changed{0};

void rearm(int) {
    const int before = errno;
    errno = 4711;
    const itimerspec value = timer_value(armed % 4 == 0 ? 1 : 20000); // some fire before the next one comes
    itimerspec old{}, left{};
    if (sigev_timer_settime(handled, 0, &value, &old) != 0 || sigev_timer_gettime(handled, &left) != 0 ||
        sigev_timer_getoverrun(handled) < 0)
        ++failed;
    ++armed;
    if (nanoseconds_of(old.it_value) != 0)
        ++returned;
    if (errno != 4711)
        ++errno_changed;
    errno = before;
}

} // namespace

BOOST_AUTO_TEST_SUITE(timer_methods)

SIGEV_TEST_ON_BOTH(every_method_is_told_of_every_expiration) {
    const blocked_signals blocked{rt, rt + 1};
    const int kqueue = sigev_kqueue();
    mailbox thread_box, callback_box, user_box;
    sigev_method m{};
    m.size = sizeof m;
    m.deliver = [](void*, void*, const sigev_notification* n) {
        mailbox::receive(n->value);
        return static_cast<int>(SIGEV_DELIVERED);
    };
    const int number = sigev_method_register(&m);
    sigevent kevent = make_event(SIGEV_KEVENT);
    kevent.sigev_notify_kqueue = kqueue;
    kevent.sigev_notify_kevent_flags = EV_CLEAR;
    kevent.sigev_value.sival_ptr = &kevent;
    sigevent user = make_event(number);
    user.sigev_value.sival_ptr = &user_box;
    {
        std::vector<std::unique_ptr<timer>> timers;
        for (const auto& e :
             {make_event(SIGEV_NONE), make_event(SIGEV_SIGNAL, rt, 5), make_thread_id_event(this_thread(), rt + 1, 6),
              make_event(SIGEV_THREAD, mailbox::receive, &thread_box),
              make_event(SIGEV_CALLBACK, mailbox::receive, &callback_box), kevent, user})
            timers.push_back(std::make_unique<timer>(on, CLOCK_MONOTONIC, e, SIGEV_ENGINE_HEAP)); // all of them in a ledger
        for (const auto& t : timers)
            t->set(1 * ms);
        const auto to_process = blocked.take(on), to_thread = blocked.take(on);
        BOOST_REQUIRE((to_process.has_value() && to_thread.has_value()));
        const bool first = to_process->si_signo == rt;
        BOOST_TEST((first ? to_process : to_thread)->si_value.sival_int == 5);
        BOOST_TEST((first ? to_thread : to_process)->si_value.sival_int == 6);
        BOOST_TEST(to_process->si_code == SI_TIMER);
        BOOST_TEST(to_thread->si_code == SI_TIMER);
        BOOST_TEST(on.until([&] { return thread_box.calls == 1 && callback_box.calls == 1 && user_box.calls == 1; }));
        pollfd watched{kqueue, POLLIN, 0};
        BOOST_REQUIRE(on.until([&] { return poll(&watched, 1, 0) == 1; }));
        sigev_kev event{};
        const timespec none{};
        BOOST_REQUIRE(sigev_kevent(kqueue, nullptr, 0, &event, 1, &none) == 1);
        BOOST_TEST(event.filter == EVFILT_TIMER);
        BOOST_TEST(event.data == 1);
        BOOST_TEST(event.udata == &kevent);
        BOOST_TEST(event.ident == reinterpret_cast<std::uintptr_t>(timers[5]->id()));
        for (const auto& t : timers) {
            BOOST_TEST(on.until([&] { return t->ledger().delivered == 1; }));
            SIGEV_CHECK_LEDGER(t->ledger(), 1, 1);
        }
    }
    sigev_method_unregister(number);
    sigev_kqueue_close(kqueue);
}

// 3.4.6: what expires while the callback runs is the next one's overrun; callbacks of one timer never overlap
SIGEV_TEST_ON_BOTH(a_callback_that_is_slower_than_its_period_is_told_what_it_missed) {
    clock_box box;
    std::atomic<bool> overlapped{false};
    std::atomic<int> inside{0};
    timer_t id{};
    box.inside = [&] {
        overlapped = overlapped || inside++ != 0;
        const auto end = now_of(CLOCK_MONOTONIC) + 3 * ms;
        wait_until([&] { return now_of(CLOCK_MONOTONIC) >= end; });
        if (box.begun >= 10) { // here, since who waits for the tenth may come late
            const itimerspec never{};
            sigev_timer_settime(id, 0, &never, nullptr);
        }
        --inside;
    };
    timer t(on, CLOCK_MONOTONIC, make_event(SIGEV_THREAD, clock_box::receive, &box));
    id = t.id();
    t.set(1 * ms, ms / 2);
    BOOST_REQUIRE(on.until([&] { return box.calls >= 10; }));
    BOOST_TEST(on.until([&] { return t.ledger().pending == 0; }));
    BOOST_TEST(!overlapped);
    std::int64_t told = 0;
    for (unsigned i = 0; i != box.calls; ++i)
        told += box.seen[i].n.data;
    BOOST_TEST(told >= 6 * (box.calls - 2)); // 3 ms each, and none is forgotten
    const auto l = t.ledger();
    BOOST_TEST(l.raised == static_cast<std::uint64_t>(told));
    BOOST_TEST(l.delivered == box.calls);
    BOOST_TEST(l.merged == l.raised - l.delivered);
    BOOST_TEST(sigev_timer_getoverrun(t.id()) == box.seen[box.calls - 1].n.overrun);
}

SIGEV_TEST_ON_BOTH(a_timer_may_be_set_and_deleted_by_its_own_callback) {
    for (const int notify : std::initializer_list<int>{SIGEV_THREAD, SIGEV_CALLBACK})
        for (const bool wait : {false, true}) {
            clock_box box;
            sigevent e = make_event(notify, clock_box::receive, &box);
            timer_t id{};
            std::atomic<int> result{-2};
            box.inside = [&] {
                const auto soon = timer_value(ms / 10);
                if (box.calls < 3)
                    sigev_timer_settime(id, 0, &soon, nullptr);
                else
                    result = wait ? sigev_timer_delete_wait(id) : sigev_timer_delete(id);
            };
            BOOST_REQUIRE(sigev_timer_create_on(on.reactor(), CLOCK_MONOTONIC, &e, &id) == 0);
            const auto soon = timer_value(ms / 10);
            BOOST_REQUIRE(sigev_timer_settime(id, 0, &soon, nullptr) == 0);
            BOOST_TEST(on.until([&] { return box.calls == 4; }));
            BOOST_TEST(result == 0);
            BOOST_TEST(sigev_timer_gettime(id, nullptr) == -1);
        }
}

// The sum that proves that no arming was lost: each is fired, or returned as an old value, or still there.
BOOST_AUTO_TEST_CASE(set_read_and_asked_in_a_signal_handler_that_interrupts_everything, *deadline(60)) {
    for (const auto kind : {place::runtime, place::borrowed}) {
        const place on(kind);
        clock_box box;
        timer t(on, CLOCK_MONOTONIC, make_event(SIGEV_CALLBACK, clock_box::receive, &box));
        handled = t.id();
        armed = returned = failed = errno_changed = 0;
        struct sigaction action {};
        action.sa_handler = rearm;
        action.sa_flags = SA_RESTART;
        sigaction(SIGUSR2, &action, nullptr);
        const pid_t here = this_thread();
        std::atomic<bool> stop{false};
        std::thread storm([&] {
            while (!stop) {
                syscall(SYS_tgkill, getpid(), here, SIGUSR2);
                std::this_thread::yield();
            }
        });
        const auto is_interrupted = [&](long wanted, unsigned calls) {
            return on.until([&] { // this thread works, too: what is interrupted is the library
                itimerspec left{};
                sigev_timer_gettime(handled, &left);
                return armed > wanted && box.calls > calls;
            });
        };
        if (!is_interrupted(5000, 20)) // on a slow machine as often as it was
            BOOST_TEST(is_interrupted(50, 0));
        stop = true;
        storm.join();
        std::signal(SIGUSR2, SIG_IGN);
        BOOST_TEST(on.until([&] {
            const auto l = t.ledger();
            return l.pending == 0 &&
                   l.raised + static_cast<std::uint64_t>(returned.load()) == static_cast<std::uint64_t>(armed.load());
        }));
        BOOST_TEST(failed == 0);
        BOOST_TEST(errno_changed == 0);
        const auto l = t.ledger();
        BOOST_TEST(l.raised + static_cast<std::uint64_t>(returned.load()) == static_cast<std::uint64_t>(armed.load()));
        BOOST_TEST(l.delivered + l.merged == l.raised);
        std::signal(SIGUSR2, SIG_DFL);
    }
}

SIGEV_TEST_ON_BOTH(ten_thousand_at_once_all_fire_exactly_once) {
    constexpr int many = 10000;
    for (const int notify : std::initializer_list<int>{SIGEV_THREAD, SIGEV_CALLBACK}) {
        std::vector<std::atomic<int>> calls(many);
        std::vector<timer_t> timers(many);
        sigev_ledger before{}, after{};
        sigev_ledger_total(SIGEV_SOURCE_TIMER, notify, &before);
        for (int i = 0; i != many; ++i) {
            sigevent e = make_event(
                notify, [](sigval v) { ++*static_cast<std::atomic<int>*>(v.sival_ptr); }, &calls[static_cast<std::size_t>(i)]);
            BOOST_REQUIRE(sigev_timer_create_on(on.reactor(), CLOCK_MONOTONIC, &e, &timers[static_cast<std::size_t>(i)]) == 0);
        }
        const auto at = timer_value(now_of(CLOCK_MONOTONIC) + 20 * ms);
        for (const auto t : timers)
            BOOST_REQUIRE(sigev_timer_settime(t, TIMER_ABSTIME, &at, nullptr) == 0);
        BOOST_TEST(on.until([&] {
            sigev_ledger_total(SIGEV_SOURCE_TIMER, notify, &after);
            // A delivery is counted before it is over: the account is whole when nothing is in motion.
            return after.delivered - before.delivered == many && after.pending == before.pending;
        }));
        SIGEV_CHECK_LEDGER(after, before.raised + many, before.delivered + many);
        for (const auto t : timers)
            BOOST_REQUIRE(sigev_timer_delete_wait(t) == 0);
        BOOST_TEST(std::all_of(calls.begin(), calls.end(), [](const auto& n) { return n == 1; }));
    }
}

SIGEV_TEST_ON_BOTH(created_armed_and_deleted_by_many_threads_nothing_comes_after_the_end) {
    struct life {
        std::atomic<bool> alive{true};
        std::atomic<bool>* late;
    };
    std::atomic<bool> late{false}, over{false};
    std::vector<std::thread> threads;
    std::atomic<int> running{3};
    for (int n = 0; n != 3; ++n)
        threads.emplace_back([&, n] {
            for (many lives(300); lives.go_on();) {
                const int i = lives.number();
                auto l = std::make_unique<life>();
                l->late = &late;
                sigevent e = make_event(
                    i % 2 ? SIGEV_THREAD : SIGEV_CALLBACK,
                    [](sigval v) {
                        auto& self = *static_cast<life*>(v.sival_ptr);
                        if (!self.alive)
                            *self.late = true;
                    },
                    l.get());
                timer_t t{};
                if (sigev_timer_create_on(on.reactor(), CLOCK_MONOTONIC, &e, &t) != 0)
                    late = true;
                const auto value = timer_value(1 + (i * 7919 + n * 104729) % 200000, i % 3 ? 0 : 30000);
                if (sigev_timer_settime(t, 0, &value, nullptr) != 0)
                    late = true;
                for (int spin = 0; spin != i % 50; ++spin)
                    std::this_thread::yield();
                if (sigev_timer_delete_wait(t) != 0)
                    late = true;
                l->alive = false;
            }
            --running;
        });
    on.until([&] { return running == 0; }, 3 * patience);
    for (auto& t : threads)
        t.join();
    BOOST_TEST(!late);
}

BOOST_AUTO_TEST_SUITE_END()

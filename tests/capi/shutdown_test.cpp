// Nothing before the first use, nothing after shutdown, and everything again after that.
#include "support/many.hpp"
#include "timer_fixture.hpp"

#include <memory>
#include <thread>

#include <dirent.h>

using namespace sigev_tests;

namespace {

std::size_t entries(const char* folder) {
    std::size_t n = 0;
    DIR* const d = opendir(folder);
    while (readdir(d))
        ++n;
    closedir(d);
    return n;
}

struct census {
    std::size_t threads = entries("/proc/self/task"), descriptors = entries("/proc/self/fd");
};

bool same_as(const census& before) {
    return wait_until(
        [&] {
            const census now;
            return now.threads == before.threads && now.descriptors == before.descriptors;
        },
        seconds(2));
}

} // namespace

BOOST_AUTO_TEST_SUITE(shutdowns)

BOOST_AUTO_TEST_CASE(before_first_use_there_is_no_thread_and_no_descriptor) {
    const census before;
    sigev_ledger l{};
    BOOST_TEST(sigev_ledger_total(-1, -1, &l) == 0);
    SIGEV_CHECK_LEDGER(l, 0, 0);
    BOOST_TEST(sigev_version() == 100);
    BOOST_TEST(sigev_epoch() != 0u);
    BOOST_TEST(sigev_submit(1, 0, 0) == -1);
    BOOST_TEST(sigev_shutdown() == 0); // nothing to do
    sigev_method m{};
    m.size = sizeof m;
    m.deliver = [](void*, void*, const sigev_notification*) { return 0; };
    BOOST_TEST(sigev_method_register(&m) > 0);
    BOOST_TEST(same_as(before));
}

BOOST_AUTO_TEST_CASE(a_borrowed_reactor_starts_no_thread_for_what_needs_none) {
    const census before;
    const blocked_signals blocked{SIGRTMIN};
    const place on(place::borrowed);
    mailbox box;
    const subscription none(on, make_event(SIGEV_NONE)), signal(on, make_event(SIGEV_SIGNAL, SIGRTMIN)),
        callback(on, make_event(SIGEV_CALLBACK, mailbox::receive, &box));
    const timer t(on, CLOCK_MONOTONIC, make_event(SIGEV_NONE));
    t.set(1);
    for (const auto* s : {&none, &signal, &callback})
        s->submit();
    BOOST_TEST(
        on.until([&] { return none.delivered() + signal.delivered() + callback.delivered() + t.ledger().delivered == 4; }));
    BOOST_TEST(census().threads == before.threads);
    const subscription thread(on, make_event(SIGEV_THREAD, mailbox::receive, &box)); // this one does
    BOOST_TEST(census().threads > before.threads);
}

BOOST_AUTO_TEST_CASE(shutdown_ends_everything_and_later_calls_start_afresh) {
    const census before;
    for (int round = 0; round != 20; ++round) {
        mailbox box;
        const auto e = make_event(SIGEV_THREAD, mailbox::receive, &box);
        sigev_t s = 0;
        timer_t t{};
        sigev_reactor_t r = 0;
        auto none = make_event(SIGEV_NONE);
        BOOST_REQUIRE(sigev_open(&e, 10, nullptr, &s) == 0);
        BOOST_REQUIRE(sigev_timer_create(CLOCK_REALTIME, &none, &t) == 0);
        BOOST_REQUIRE(sigev_reactor_open(&r) == 0);
        BOOST_REQUIRE(sigev_kqueue() >= 0);
        for (int i = 0; i != 10; ++i)
            BOOST_TEST(sigev_submit(s, i, 0) == 0);
        if (round % 2)
            wait_until([&] { return box.calls == 10; });
        BOOST_TEST(sigev_shutdown() == 0);
        BOOST_TEST(same_as(before));
        const int calls = box.calls;
        for (int twice = 0; twice != 2; ++twice) {
            itimerspec value{};
            sigev_ledger l{};
            errno = 0;
            BOOST_TEST((sigev_submit(s, 0, 0) == -1 && errno == EINVAL));
            errno = 0;
            BOOST_TEST((sigev_timer_gettime(t, &value) == -1 && errno == EINVAL));
            errno = 0;
            BOOST_TEST((sigev_reactor_ready(r, 0) == -1 && errno == EINVAL));
            BOOST_TEST(sigev_ledger_read(s, &l) == -1);
            BOOST_TEST(sigev_close(s) == -1);
            if (twice == 0) { // in the next life's tables, where the same places are taken
                sigev_t other = 0;
                timer_t other_timer{};
                sigev_reactor_t other_reactor = 0;
                BOOST_REQUIRE(sigev_open(&none, 1, nullptr, &other) == 0);
                BOOST_REQUIRE(sigev_timer_create(CLOCK_REALTIME, &none, &other_timer) == 0);
                BOOST_REQUIRE(sigev_reactor_open(&other_reactor) == 0);
                BOOST_TEST(other != s);
            }
        }
        BOOST_TEST(sigev_shutdown() == 0);
        BOOST_TEST(box.calls == calls);
    }
    sigev_ledger total{};
    BOOST_TEST(sigev_ledger_total(-1, SIGEV_THREAD, &total) == 0);
    BOOST_TEST(total.raised == 200u);
    BOOST_TEST(total.pending == 0u);
    BOOST_TEST(adds_up(total));
}

BOOST_AUTO_TEST_CASE(from_inside_a_callback_it_is_EDEADLK_and_nothing_happens) {
    for (const auto kind : {place::runtime, place::borrowed})
        for (const int notify : std::initializer_list<int>{SIGEV_THREAD, SIGEV_CALLBACK}) {
            const place on(kind);
            std::atomic<int> result{0}, error{0};
            mailbox box;
            box.inside = [&] {
                errno = 0;
                result = sigev_shutdown();
                error = errno;
            };
            const subscription s(on, make_event(notify, mailbox::receive, &box), 2);
            s.submit();
            s.submit();
            BOOST_TEST(on.until([&] { return box.calls == 2; }));
            BOOST_TEST(result == -1);
            BOOST_TEST(error == EDEADLK);
            BOOST_TEST(on.until([&] { return s.delivered() == 2; }));
        }
}

BOOST_AUTO_TEST_CASE(callbacks_that_run_are_waited_for_and_armed_timers_end) {
    std::uint64_t calls = 0;
    for (many rounds(30); rounds.go_on();) {
        struct {
            std::atomic<bool> alive{true};
            std::atomic<int> inside{0}, late{0};
        } life;
        std::vector<timer_t> timers(20);
        const place on(place::borrowed); // one half there, where nobody runs it
        for (std::size_t i = 0; i != timers.size(); ++i) {
            sigevent e = make_event(
                i % 3 ? SIGEV_THREAD : SIGEV_CALLBACK,
                [](sigval v) {
                    auto& self = *static_cast<decltype(life)*>(v.sival_ptr);
                    ++self.inside;
                    for (int n = 0; n != 20; ++n)
                        std::this_thread::yield();
                    if (!self.alive)
                        ++self.late;
                },
                &life);
            BOOST_REQUIRE(
                sigev_timer_create_on(i % 2 ? on.reactor() : 0, i % 5 ? CLOCK_MONOTONIC : CLOCK_REALTIME, &e, &timers[i]) == 0);
            const auto value = timer_value(1, 20000);
            BOOST_REQUIRE(sigev_timer_settime(timers[i], 0, &value, nullptr) == 0);
        }
        if (rounds.number() % 2)
            on.until([&] { return life.inside > rounds.number(); });
        BOOST_TEST(sigev_shutdown() == 0);
        life.alive = false;
        sigev_ledger total{};
        sigev_ledger_total(SIGEV_SOURCE_TIMER, -1, &total);
        BOOST_TEST(total.pending == 0u);
        BOOST_TEST(adds_up(total));
        calls += static_cast<std::uint64_t>(life.inside);
        BOOST_TEST(total.delivered == calls); // of a subscription that was not freed the account would be missing
        BOOST_TEST(life.late == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_program_that_ends_with_everything_running_ends_well) {
    for (int i = 0; i != 10; ++i)
        BOOST_TEST(child([] {
                       static mailbox box;
                       sigevent e = make_event(SIGEV_THREAD, mailbox::receive, &box);
                       for (int n = 0; n != 10; ++n) {
                           timer_t t{};
                           const auto value = timer_value(1, 10000);
                           if (sigev_timer_create(CLOCK_MONOTONIC, &e, &t) != 0 ||
                               sigev_timer_settime(t, 0, &value, nullptr) != 0)
                               _exit(3);
                       }
                       wait_until([] { return box.calls > 10; });
                       std::exit(0);
                   }) == exited_well);
}

BOOST_AUTO_TEST_CASE(a_reactor_that_is_closed_takes_its_subscriptions_and_timers_along) {
    const census before;
    for (int round = 0; round != 50; ++round) {
        sigev_reactor_t r = 0;
        BOOST_REQUIRE(sigev_reactor_open(&r) == 0);
        sigev_options o{};
        o.size = sizeof o;
        o.reactor = r;
        const auto e = make_event(SIGEV_SIGNAL, SIGURG); // ignored by default
        auto none = make_event(SIGEV_NONE);
        sigev_t s = 0;
        timer_t t{};
        BOOST_REQUIRE(sigev_open(&e, 3, &o, &s) == 0);
        BOOST_REQUIRE(sigev_timer_create_on(r, CLOCK_MONOTONIC, &none, &t) == 0);
        const auto value = timer_value(1, 1000);
        BOOST_TEST(sigev_timer_settime(t, 0, &value, nullptr) == 0);
        for (int i = 0; i != 5; ++i)
            BOOST_TEST(sigev_submit(s, i, 0) == 0);
        BOOST_TEST(sigev_reactor_close(r) == 0);
        errno = 0;
        BOOST_TEST((sigev_submit(s, 0, 0) == -1 && errno == ECANCELED));
        sigev_ledger l{};
        BOOST_TEST(sigev_ledger_read(s, &l) == 0);
        SIGEV_CHECK_LEDGER(l, 5, 0, 1, 0, 4);
        BOOST_TEST((sigev_timer_settime(t, 0, &value, nullptr) == -1 && errno == EINVAL));
        BOOST_TEST(sigev_close(s) == 0);
        BOOST_TEST(same_as(before));
    }
}

BOOST_AUTO_TEST_SUITE_END()

// A parent whose runtime is at work, and what a child may expect.
#pragma once

#include "timer_fixture.hpp"

namespace sigev_tests {

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
inline void use_everything() {
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
inline void refuse_all_of(const busy_parent& parent) {
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

inline bool epoch_page_is_forced_off() {
    return sigev_probe("wipeonfork") != 1;
}

} // namespace sigev_tests

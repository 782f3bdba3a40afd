// The ends of a subscription and of a timer, step by step; tests/stress has them under attack.
#include "timer_fixture.hpp"

#include <memory>
#include <thread>

using namespace sigev_tests;

namespace {

const int rt = SIGRTMIN + 8;

/// Does something over and over in a thread of its own, for as long as it stands.
class meanwhile {
public:
    explicit meanwhile(std::function<void()> what) : thread_([this, what = std::move(what)] {
        while (!over_)
            what();
    }) {}
    meanwhile(const meanwhile&) = delete;
    meanwhile& operator=(const meanwhile&) = delete;
    ~meanwhile() {
        over_ = true;
        thread_.join();
    }

private:
    std::atomic<bool> over_{false};
    std::thread thread_;
};

/// One event for each method that a subscription can have.
class each_method {
public:
    each_method() : queue_(sigev_kqueue()) {
        BOOST_REQUIRE(queue_ >= 0);
        sigev_method m{};
        m.size = sizeof m;
        m.deliver = [](void*, void*, const sigev_notification* n) {
            mailbox::receive(n->value);
            return static_cast<int>(SIGEV_DELIVERED);
        };
        number_ = sigev_method_register(&m);
        BOOST_REQUIRE(number_ > 0);
    }
    each_method(const each_method&) = delete;
    each_method& operator=(const each_method&) = delete;
    ~each_method() {
        sigev_method_unregister(number_);
        sigev_kqueue_close(queue_);
    }

    std::vector<sigevent> events(mailbox& box) const {
        sigevent kevent = make_event(SIGEV_KEVENT);
        kevent.sigev_notify_kqueue = queue_;
        kevent.sigev_notify_kevent_flags = EV_CLEAR;
        sigevent user = make_event(number_);
        user.sigev_value = value_of(&box);
        return {make_event(SIGEV_NONE), make_event(SIGEV_SIGNAL, rt), make_thread_id_event(this_thread(), rt + 1), kevent,
                make_event(SIGEV_THREAD, mailbox::receive, &box), make_event(SIGEV_CALLBACK, mailbox::receive, &box), user};
    }
    /// Those that call something of the program's.
    std::vector<sigevent> calling(mailbox& box) const {
        auto all = events(box);
        return {all.begin() + 4, all.end()};
    }

private:
    int queue_;
    int number_ = 0;
    const blocked_signals blocked_{rt, rt + 1};
};

} // namespace

BOOST_AUTO_TEST_SUITE(teardown)

SIGEV_TEST_ON_BOTH(no_signal_is_queued_after_cancel_has_returned) {
    const blocked_signals blocked{rt, rt + 1};
    const auto end = now_of(CLOCK_MONOTONIC) + 500 * ms;
    for (int round = 0; round < 4 || (round < 60 && now_of(CLOCK_MONOTONIC) < end); ++round) {
        const subscription s(
            on, round % 2 ? make_event(SIGEV_SIGNAL, rt) : make_thread_id_event(this_thread(), rt + 1), 4);
        std::uint64_t taken = 0;
        {
            const meanwhile submits([&] { sigev_submit(s.handle(), 0, 0); });
            const meanwhile loop([&] {
                if (on.is_borrowed())
                    on.turn(1);
                else
                    sched_yield();
            });
            BOOST_REQUIRE(wait_until([&] { return blocked.take().has_value() && ++taken > 2; }));
            BOOST_TEST(sigev_cancel(s.handle()) == 0);
            while (blocked.take())
                ++taken;
            BOOST_REQUIRE(!blocked.take(2).has_value()); // they go on submitting, and are refused
        }
        BOOST_REQUIRE(!blocked.take().has_value());
        BOOST_TEST(on.until([&] { return s.ledger().pending == 0; }));
        const auto l = s.ledger();
        BOOST_TEST(l.delivered == taken);
        BOOST_TEST(adds_up(l));
    }
}

SIGEV_TEST_ON_BOTH(no_call_begins_after_cancel_has_returned) {
    const auto end = now_of(CLOCK_MONOTONIC) + 500 * ms;
    for (int round = 0; round < 4 || (round < 60 && now_of(CLOCK_MONOTONIC) < end); ++round) {
        std::atomic<std::uint64_t> begun{0};
        mailbox box;
        box.inside = [&] {
            ++begun;
            sched_yield();
        };
        const subscription s(on, make_event(round % 2 ? SIGEV_THREAD : SIGEV_CALLBACK, mailbox::receive, &box), 8);
        {
            const meanwhile submits([&] { sigev_submit(s.handle(), 0, 0); });
            const meanwhile loop([&] {
                if (on.is_borrowed())
                    on.turn(1);
                else
                    sched_yield();
            });
            BOOST_REQUIRE(wait_until([&] { return begun > 2; }));
            BOOST_TEST(sigev_cancel(s.handle()) == 0);
            const std::uint64_t then = begun;
            BOOST_TEST(!wait_until([&] { return begun > then + 1; }, milliseconds(2)));
            BOOST_TEST(begun <= then + 1); // one was on its way: it is serial
        }
        BOOST_TEST(on.until([&] { return s.ledger().pending == 0; }));
        BOOST_TEST(s.delivered() == begun);
        BOOST_TEST(adds_up(s.ledger()));
    }
}

SIGEV_TEST_ON_BOTH(a_queued_signal_is_not_recalled) {
    const blocked_signals blocked{rt, rt + 1};
    for (const auto& event : {make_event(SIGEV_SIGNAL, rt, 5), make_thread_id_event(this_thread(), rt + 1, 5)}) {
        {
            const subscription s(on, event, 2);
            s.submit();
            BOOST_REQUIRE(on.until([&] { return s.delivered() == 1; }));
            BOOST_TEST(sigev_cancel_and_wait(s.handle()) == 0);
        }
        const auto info = blocked.take();
        BOOST_REQUIRE(info.has_value());
        BOOST_TEST(info->si_value.sival_int == 5);
    }
    timer_t t{};
    sigevent event = make_event(SIGEV_SIGNAL, rt, 6);
    const auto options = make_timer_options(on, SIGEV_ENGINE_HEAP); // of the kernel's, the kernel takes it back
    BOOST_REQUIRE(sigev_timer_create_with(&options, CLOCK_MONOTONIC, &event, &t) == 0);
    const auto soon = timer_value(1);
    BOOST_REQUIRE(sigev_timer_settime(t, 0, &soon, nullptr) == 0);
    sigev_ledger l{};
    BOOST_REQUIRE(on.until([&] { return sigev_timer_ledger(t, &l) == 0 && l.delivered == 1; }));
    BOOST_TEST(sigev_timer_delete_wait(t) == 0);
    BOOST_TEST(blocked.take().has_value());
}

SIGEV_TEST_ON_BOTH(it_may_be_waited_for_inside_its_own_call) {
    mailbox box;
    const each_method methods;
    for (const auto& event : methods.calling(box)) {
        const auto options = make_options(on, 2);
        sigev_t s = 0;
        std::atomic<int> results{0};
        box.inside = [&] { results += sigev_cancel_and_wait(s) + sigev_cancel(s) + sigev_cancel_and_wait(s); };
        box.calls = 0;
        BOOST_REQUIRE(sigev_open(&event, 4, &options, &s) == 0);
        for (int i = 0; i != 4; ++i)
            BOOST_TEST((sigev_submit(s, i, 0) == 0 || errno == ECANCELED));
        BOOST_TEST(on.until([&] { return box.calls >= 1; }));
        BOOST_TEST(sigev_cancel_and_wait(s) == 0);
        BOOST_TEST(results == 0);
        BOOST_TEST(box.calls <= 2); // as many as were at it at once
        BOOST_TEST(sigev_close(s) == 0);
    }
}

// Nobody runs the loop, and nobody will: what waits there is discarded by the call itself.
BOOST_AUTO_TEST_CASE(on_a_reactor_that_nobody_runs_it_completes_by_itself) {
    mailbox box;
    const each_method methods;
    const place on(place::borrowed);
    for (const auto& event : methods.events(box)) {
        const subscription s(on, event, 3);
        for (int i = 0; i != 6; ++i)
            s.submit(i);
        SIGEV_CHECK_LEDGER(s.ledger(), 6, 0, 2, 4);
        std::atomic<int> result{-2};
        std::thread waits([&] { result = sigev_cancel_and_wait(s.handle()); });
        BOOST_TEST(wait_until([&] { return result != -2; }));
        waits.join();
        BOOST_TEST(result == 0);
        SIGEV_CHECK_LEDGER(s.ledger(), 6, 0, 2, 0, 4);
        sigevent e = event;
        timer_t t{};
        BOOST_REQUIRE(sigev_timer_create_on(on.reactor(), CLOCK_MONOTONIC, &e, &t) == 0);
        const auto soon = timer_value(1, 1000);
        BOOST_REQUIRE(sigev_timer_settime(t, 0, &soon, nullptr) == 0);
        BOOST_TEST(sigev_timer_delete_wait(t) == 0);
    }
    BOOST_TEST(box.calls == 0);
}

// Each finds the other at it, and nobody comes after them.
BOOST_AUTO_TEST_CASE(two_that_cancel_at_once_there_leave_nothing_pending) {
    const place on(place::borrowed);
    const auto end = now_of(CLOCK_MONOTONIC) + 1000 * ms;
    for (int round = 0; round < 20 || (round < 2000 && now_of(CLOCK_MONOTONIC) < end); ++round) {
        const subscription one(on, make_event(SIGEV_NONE), 64), other(on, make_event(SIGEV_NONE), 64);
        for (int i = 0; i != 64; ++i) {
            one.submit(i);
            other.submit(i);
        }
        std::atomic<int> at_the_line{0};
        const auto cancel = [&](const subscription& s) {
            ++at_the_line;
            while (at_the_line != 2)
                ;
            sigev_cancel_and_wait(s.handle());
        };
        std::thread first([&] { cancel(one); }), second([&] { cancel(other); });
        first.join();
        second.join();
        BOOST_REQUIRE(one.ledger().pending == 0);
        BOOST_REQUIRE(other.ledger().pending == 0);
    }
}

SIGEV_TEST_ON_BOTH(of_two_that_race_for_the_end_both_are_answered_and_one_closes_it) {
    mailbox box;
    const each_method methods;
    const auto events = methods.events(box);
    box.inside = [] { sched_yield(); };
    for (int round = 0; round != 140; ++round) {
        const auto& event = events[static_cast<std::size_t>(round) % events.size()];
        const auto options = make_options(on, 2);
        sigev_t s = 0;
        BOOST_REQUIRE(sigev_open(&event, 4, &options, &s) == 0);
        sigevent e = event;
        timer_t t{};
        BOOST_REQUIRE(sigev_timer_create_on(on.reactor(), CLOCK_MONOTONIC, &e, &t) == 0);
        const auto soon = timer_value(1, 50'000);
        BOOST_REQUIRE(sigev_timer_settime(t, 0, &soon, nullptr) == 0);
        std::atomic<int> closed{0}, deleted{0}, wrong{0}, at_the_line{0}, through{0};
        const auto end = [&](bool waits) {
            ++at_the_line;
            while (at_the_line != 2)
                sched_yield();
            const auto refused = [&](int result) {
                wrong += result != 0 && errno != EINVAL;
                return result != 0;
            };
            refused(sigev_cancel(s));
            if (waits)
                refused(sigev_cancel_and_wait(s));
            closed += !refused(sigev_close(s));
            deleted += !refused(waits ? sigev_timer_delete_wait(t) : sigev_timer_delete(t));
            ++through;
        };
        std::thread one([&] { end(true); }), other([&] { end(round % 2 == 0); });
        for (int i = 0; i != 8; ++i)
            sigev_submit(s, i, 0);
        BOOST_TEST(on.until([&] { return through == 2; }));
        one.join();
        other.join();
        BOOST_TEST(closed == 1);
        BOOST_TEST(deleted == 1);
        BOOST_TEST(wrong == 0);
        errno = 0;
        BOOST_TEST((sigev_cancel_and_wait(s) == -1 && errno == EINVAL));
        errno = 0;
        BOOST_TEST((sigev_timer_delete_wait(t) == -1 && errno == EINVAL));
    }
    BOOST_TEST(sigev_shutdown() == 0); // before the box goes
}

BOOST_AUTO_TEST_SUITE_END()

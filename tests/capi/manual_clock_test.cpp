// Timers on a clock that the test moves: what else takes days, or a clock that is set back, and each time the same.
#include "timer_fixture.hpp"

#include <climits>
#include <thread>

using namespace sigev_tests;

namespace {

constexpr std::int64_t s = 1000 * ms, hour = 3600 * s;
const int rt = SIGRTMIN + 6;

/// A clock, and timers on it that belong to a place.
class clockwork {
public:
    explicit clockwork(const place& on) : on_(on) { BOOST_REQUIRE(sigev_manual_clock_open(nullptr, &clock_) == 0); }
    clockwork(const clockwork&) = delete;
    clockwork& operator=(const clockwork&) = delete;
    ~clockwork() { close(); }

    sigev_manual_clock_t id() const { return clock_; }

    timer_t make(clockid_t side, sigevent e) const {
        sigev_timer_options o{};
        o.size = sizeof o;
        o.reactor = on_.reactor();
        o.manual_clock = clock_;
        timer_t t{};
        BOOST_REQUIRE(sigev_timer_create_with(&o, side, &e, &t) == 0);
        return t;
    }
    std::int64_t now(clockid_t side = CLOCK_MONOTONIC) const {
        timespec t{};
        BOOST_REQUIRE(sigev_manual_clock_gettime(clock_, side, &t) == 0);
        return nanoseconds_of(t);
    }
    void advance(std::int64_t by) const {
        const timespec t = time_of(by);
        errno = 4711;
        const int result = sigev_manual_clock_advance(clock_, &t);
        const int after = errno;
        BOOST_REQUIRE(result == 0);
        BOOST_REQUIRE(after == 4711);
    }
    void set(clockid_t side, std::int64_t to) const {
        const timespec t = time_of(to);
        BOOST_REQUIRE(sigev_manual_clock_settime(clock_, side, &t) == 0);
    }
    void close() {
        if (clock_)
            BOOST_TEST(sigev_manual_clock_close(clock_) == 0);
        clock_ = 0;
    }

private:
    const place& on_;
    sigev_manual_clock_t clock_ = 0;
};

void arm(timer_t t, std::int64_t value, std::int64_t interval = 0, int flags = 0) {
    const auto wanted = timer_value(value, interval);
    BOOST_REQUIRE(sigev_timer_settime(t, flags, &wanted, nullptr) == 0);
}
std::int64_t left(timer_t t) {
    itimerspec value{};
    BOOST_REQUIRE(sigev_timer_gettime(t, &value) == 0);
    return nanoseconds_of(value.it_value);
}
sigev_ledger ledger_of(timer_t t) {
    sigev_ledger l{};
    BOOST_REQUIRE(sigev_timer_ledger(t, &l) == 0);
    return l;
}

/// What was told, in its order.
struct log {
    std::vector<sigev_notification> told;
    std::function<void(const sigev_notification&)> inside;

    static void write(sigval v) {
        auto& self = *static_cast<log*>(v.sival_ptr);
        self.told.push_back(*sigev_current());
        if (self.inside)
            self.inside(*sigev_current());
    }
    sigevent event() { return make_event(SIGEV_CALLBACK, write, this); }
};

} // namespace

BOOST_AUTO_TEST_SUITE(manual_clocks)

SIGEV_TEST_ON_BOTH(time_stands_still_until_it_is_moved_and_then_all_that_is_due_has_been_raised) {
    const clockwork clock(on);
    BOOST_TEST(clock.now() == 0);
    BOOST_TEST(clock.now(CLOCK_BOOTTIME) == 0);
    BOOST_TEST(clock.now(CLOCK_REALTIME) == 1000000000 * s);
    for (const clockid_t side : {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME}) {
        const timer_t t = clock.make(side, make_event(SIGEV_NONE));
        arm(t, hour);
        BOOST_TEST(left(t) == hour);
        clock.advance(hour - 1);
        BOOST_TEST(left(t) == 1); // never early, not by a nanosecond
        SIGEV_CHECK_LEDGER(ledger_of(t), 0, 0);
        clock.advance(1);
        SIGEV_CHECK_LEDGER(ledger_of(t), 1, 1);
        BOOST_TEST(left(t) == 0);
        BOOST_TEST(sigev_timer_delete(t) == 0);
    }
    BOOST_TEST(clock.now() == 3 * hour);
    BOOST_TEST(clock.now(CLOCK_REALTIME) == 1000000000 * s + 3 * hour);
}

BOOST_AUTO_TEST_CASE(deadlines_come_in_their_order_at_their_own_times) {
    const place on(place::borrowed);
    const clockwork clock(on);
    log all;
    std::vector<timer_t> timers;
    for (const int n : {3, 1, 2}) {
        timers.push_back(clock.make(CLOCK_MONOTONIC, all.event()));
        arm(timers.back(), n * hour);
    }
    std::vector<std::int64_t> times;
    all.inside = [&](const sigev_notification&) { times.push_back(clock.now()); };
    clock.advance(10 * hour);
    BOOST_REQUIRE(all.told.size() == 3u); // they were told when it returned, by this thread
    for (unsigned i = 0; i != 3; ++i) {
        BOOST_TEST(all.told[i].scheduled == (i + 1) * hour);
        BOOST_TEST(all.told[i].actual == all.told[i].scheduled); // the manual clock's, too
        BOOST_TEST(times[i] == (i + 1) * hour);
    }
    BOOST_TEST(clock.now() == 10 * hour);
    for (const auto t : timers)
        sigev_timer_delete(t);
}

BOOST_AUTO_TEST_CASE(a_timer_that_its_callback_sets_anew_comes_again_on_the_way) {
    const place on(place::borrowed);
    const clockwork clock(on);
    log all;
    const timer_t t = clock.make(CLOCK_MONOTONIC, all.event());
    all.inside = [&](const sigev_notification&) { arm(t, hour); };
    arm(t, hour);
    clock.advance(5 * hour + 1);
    BOOST_TEST(all.told.size() == 5u);
    BOOST_TEST(left(t) == hour - 1);
    // ... and for the past at once, within the same call
    all.inside = [&](const sigev_notification&) {
        if (all.told.size() < 9)
            arm(t, 1, 0, TIMER_ABSTIME);
    };
    clock.advance(hour);
    BOOST_TEST(all.told.size() == 9u);
    BOOST_TEST(sigev_timer_delete(t) == 0);
}

// 3.5.3, T25
BOOST_AUTO_TEST_CASE(a_million_periods_do_not_drift, *deadline(60)) {
    const place on(place::borrowed);
    const clockwork clock(on);
    struct counter {
        std::int64_t told = 0, wrong = 0, first = 0, period = 0;
    } c;
    c.first = 12345;
    c.period = 333333333; // no round one
    const timer_t t = clock.make(CLOCK_MONOTONIC, make_event(
                                                      SIGEV_CALLBACK,
                                                      [](sigval v) {
                                                          auto& self = *static_cast<counter*>(v.sival_ptr);
                                                          const auto* n = sigev_current();
                                                          self.wrong += n->scheduled != self.first + self.told * self.period;
                                                          self.wrong += n->overrun != 0;
                                                          self.told += n->data;
                                                      },
                                                      &c));
    arm(t, c.first, c.period);
    constexpr std::int64_t periods = 1000000;
    clock.advance(c.first + (periods - 1) * c.period);
    BOOST_TEST(c.told == periods);
    BOOST_TEST(c.wrong == 0);
    BOOST_TEST(left(t) == c.period);
    SIGEV_CHECK_LEDGER(ledger_of(t), periods, periods);
    // The same on one leap: one notification with all of them
    clock.set(CLOCK_MONOTONIC, c.first + (2 * periods - 1) * c.period);
    BOOST_TEST(c.told == 2 * periods);
    BOOST_TEST(left(t) == c.period);
    BOOST_TEST(sigev_timer_getoverrun(t) == periods - 1);
    SIGEV_CHECK_LEDGER(ledger_of(t), 2 * periods, periods + 1, periods - 1);
    BOOST_TEST(sigev_timer_delete(t) == 0);
}

// 3.4.2, 3.4.6, 3.4.8: for each method that is not the kernel's
SIGEV_TEST_ON_BOTH(a_huge_catch_up_is_one_notification_clamped_to_DELAYTIMER_MAX) {
    const int kqueue = sigev_kqueue();
    mailbox thread_box, callback_box, user_box;
    std::atomic<int> overrun[3] = {-1, -1, -1};
    mailbox* boxes[3] = {&thread_box, &callback_box, &user_box};
    for (int i = 0; i != 3; ++i)
        boxes[i]->inside = [&overrun, i] { overrun[i] = sigev_current()->overrun; };
    sigev_method m{};
    m.size = sizeof m;
    m.deliver = [](void*, void*, const sigev_notification* n) {
        mailbox::receive(n->value);
        return static_cast<int>(SIGEV_DELIVERED);
    };
    const int number = sigev_method_register(&m);
    sigevent user = make_event(number);
    user.sigev_value.sival_ptr = &user_box;
    sigevent kevent = make_event(SIGEV_KEVENT);
    kevent.sigev_notify_kqueue = kqueue;
    {
        const clockwork clock(on);
        std::vector<timer_t> timers;
        for (const auto& e : {make_event(SIGEV_THREAD, mailbox::receive, &thread_box),
                              make_event(SIGEV_CALLBACK, mailbox::receive, &callback_box), user, kevent})
            timers.push_back(clock.make(CLOCK_MONOTONIC, e));
        constexpr std::int64_t expirations = 3 * std::int64_t{INT_MAX};
        for (const auto t : timers)
            arm(t, 1, 1);
        clock.set(CLOCK_MONOTONIC, expirations);
        BOOST_TEST(on.until([&] { return thread_box.calls == 1 && callback_box.calls == 1 && user_box.calls == 1; }));
        for (int i = 0; i != 3; ++i) {
            BOOST_TEST(overrun[i] == INT_MAX);
            BOOST_TEST(boxes[i]->last_data == expirations); // the account is not clamped
            BOOST_TEST(sigev_timer_getoverrun(timers[static_cast<unsigned>(i)]) == INT_MAX);
            BOOST_TEST(on.until([&] { return ledger_of(timers[static_cast<unsigned>(i)]).pending == 0; }));
            SIGEV_CHECK_LEDGER(ledger_of(timers[static_cast<unsigned>(i)]), expirations, 1, expirations - 1);
        }
        sigev_kev event{};
        const timespec none{};
        BOOST_REQUIRE(sigev_kevent(kqueue, nullptr, 0, &event, 1, &none) == 1);
        BOOST_TEST(event.data == expirations);
        BOOST_TEST(sigev_timer_getoverrun(timers[3]) == INT_MAX);
    }
    sigev_method_unregister(number);
    sigev_kqueue_close(kqueue);
}

// 3.5.8, T26
SIGEV_TEST_ON_BOTH(a_step_of_REALTIME_moves_its_absolute_timers_and_no_others) {
    const clockwork clock(on);
    const auto wall = clock.now(CLOCK_REALTIME);
    const timer_t absolute = clock.make(CLOCK_REALTIME, make_event(SIGEV_NONE)),
                  relative = clock.make(CLOCK_REALTIME, make_event(SIGEV_NONE)),
                  steady = clock.make(CLOCK_MONOTONIC, make_event(SIGEV_NONE));
    arm(absolute, wall + hour, 0, TIMER_ABSTIME);
    arm(relative, hour);
    arm(steady, hour, 0, TIMER_ABSTIME);
    clock.set(CLOCK_REALTIME, wall - hour); // back
    BOOST_TEST(clock.now() == 0);
    BOOST_TEST(left(absolute) == 2 * hour);
    BOOST_TEST(left(relative) == hour);
    clock.advance(hour);
    SIGEV_CHECK_LEDGER(ledger_of(absolute), 0, 0);
    SIGEV_CHECK_LEDGER(ledger_of(relative), 1, 1);
    SIGEV_CHECK_LEDGER(ledger_of(steady), 1, 1);
    arm(relative, hour);
    arm(steady, hour);
    clock.set(CLOCK_REALTIME, wall + hour - 1);
    SIGEV_CHECK_LEDGER(ledger_of(absolute), 0, 0);
    clock.set(CLOCK_REALTIME, wall + hour); // forward, over it: at once
    SIGEV_CHECK_LEDGER(ledger_of(absolute), 1, 1);
    SIGEV_CHECK_LEDGER(ledger_of(relative), 1, 1);
    SIGEV_CHECK_LEDGER(ledger_of(steady), 1, 1);
    for (const auto t : {absolute, relative, steady})
        sigev_timer_delete(t);
}

SIGEV_TEST_ON_BOTH(signals_are_queued_when_it_returns) {
    const blocked_signals blocked{rt};
    const clockwork clock(on);
    const timer_t t = clock.make(CLOCK_MONOTONIC, make_event(SIGEV_SIGNAL, rt, 7));
    arm(t, hour);
    clock.advance(hour);
    const auto info = blocked.take(0);
    BOOST_REQUIRE(info.has_value());
    BOOST_TEST(info->si_code == SI_TIMER);
    BOOST_TEST(info->si_value.sival_int == 7);
    BOOST_TEST(sigev_timer_delete(t) == 0);
}

// A time that has come already does not wait for the clock to be moved.
SIGEV_TEST_ON_BOTH(what_is_armed_for_the_past_comes_by_the_loop) {
    const clockwork clock(on);
    clock.advance(hour);
    mailbox box;
    const timer_t t = clock.make(CLOCK_MONOTONIC, make_event(SIGEV_CALLBACK, mailbox::receive, &box));
    arm(t, 1, 0, TIMER_ABSTIME);
    BOOST_TEST(on.until([&] { return box.calls == 1; }));
    BOOST_TEST(sigev_timer_delete_wait(t) == 0);
}

BOOST_AUTO_TEST_CASE(one_clock_serves_several_reactors_and_several_clocks_one_reactor) {
    const place first(place::borrowed), second(place::borrowed);
    log all;
    const clockwork clock(first), other(first);
    const timer_t here = clock.make(CLOCK_MONOTONIC, all.event());
    sigev_timer_options o{};
    o.size = sizeof o;
    o.reactor = second.reactor();
    o.manual_clock = clock.id();
    sigevent e = all.event();
    timer_t there{};
    BOOST_REQUIRE(sigev_timer_create_with(&o, CLOCK_MONOTONIC, &e, &there) == 0);
    const timer_t unmoved = other.make(CLOCK_MONOTONIC, all.event());
    arm(there, hour);
    arm(here, 2 * hour);
    arm(unmoved, hour);
    clock.advance(3 * hour);
    BOOST_REQUIRE(all.told.size() == 2u);
    BOOST_TEST(all.told[0].ident == reinterpret_cast<std::uint64_t>(there));
    BOOST_TEST(all.told[1].ident == reinterpret_cast<std::uint64_t>(here));
    other.advance(hour);
    BOOST_TEST(all.told.size() == 3u);
    for (const auto t : {here, there, unmoved})
        sigev_timer_delete(t);
}

SIGEV_TEST_ON_BOTH(closing_it_ends_its_timers_and_others_may_use_what_it_had) {
    for (int round = 0; round != 100; ++round) {
        clockwork clock(on);
        mailbox box;
        const timer_t t = clock.make(CLOCK_MONOTONIC, make_event(SIGEV_THREAD, mailbox::receive, &box));
        arm(t, 1, 1);
        clock.advance(5);
        const auto id = clock.id();
        clock.close();
        const int calls = box.calls;
        itimerspec value{};
        const timespec second{1, 0};
        BOOST_TEST((sigev_timer_gettime(t, &value) == -1 && errno == EINVAL));
        BOOST_TEST((sigev_manual_clock_advance(id, &second) == -1 && errno == EINVAL));
        BOOST_TEST((sigev_manual_clock_close(id) == -1 && errno == EINVAL));
        BOOST_TEST(box.calls == calls);
    }
}

BOOST_AUTO_TEST_CASE(from_inside_a_callback_of_a_loop_of_ones_own_it_cannot_be_moved) {
    const place on(place::borrowed);
    const clockwork clock(on);
    log all;
    const timer_t t = clock.make(CLOCK_MONOTONIC, all.event());
    all.inside = [&](const sigev_notification&) {
        const timespec second{1, 0};
        BOOST_TEST((sigev_manual_clock_advance(clock.id(), &second) == -1 && errno == EDEADLK));
        BOOST_TEST((sigev_manual_clock_settime(clock.id(), CLOCK_REALTIME, &second) == -1 && errno == EDEADLK));
        BOOST_TEST((sigev_manual_clock_close(clock.id()) == -1 && errno == EDEADLK));
    };
    arm(t, 1);
    clock.advance(1);
    BOOST_TEST(all.told.size() == 1u);
    BOOST_TEST(sigev_timer_delete(t) == 0);
}

BOOST_AUTO_TEST_CASE(a_worker_may_move_it) {
    const place on(place::runtime);
    const clockwork clock(on);
    mailbox first, second;
    const timer_t a = clock.make(CLOCK_MONOTONIC, make_event(SIGEV_CALLBACK, mailbox::receive, &first)),
                  b = clock.make(CLOCK_MONOTONIC, make_event(SIGEV_CALLBACK, mailbox::receive, &second));
    std::atomic<int> result{-1};
    first.inside = [&] {
        const timespec t = time_of(hour);
        result = sigev_manual_clock_advance(clock.id(), &t);
    };
    arm(a, 1);
    arm(b, hour);
    clock.advance(1);
    BOOST_TEST(on.until([&] { return second.calls == 1; }));
    BOOST_TEST(on.until([&] { return first.calls == 1; }));
    BOOST_TEST(result == 0);
    BOOST_TEST(sigev_timer_delete_wait(a) == 0);
    BOOST_TEST(sigev_timer_delete_wait(b) == 0);
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_EINVAL) {
    const place on(place::borrowed);
    const clockwork clock(on);
    const timespec negative{-1, 0}, bad{0, 1000000000}, zero{};
    timespec t{};
    const auto invalid = [](int result) { return result == -1 && errno == EINVAL; };
    BOOST_TEST(invalid(sigev_manual_clock_open(nullptr, nullptr)));
    sigev_manual_clock_t made = 0;
    BOOST_TEST(invalid(sigev_manual_clock_open(&negative, &made)));
    BOOST_TEST(invalid(sigev_manual_clock_advance(clock.id(), &negative)));
    BOOST_TEST(invalid(sigev_manual_clock_advance(clock.id(), &bad)));
    BOOST_TEST(invalid(sigev_manual_clock_advance(clock.id(), nullptr)));
    BOOST_TEST(invalid(sigev_manual_clock_settime(clock.id(), CLOCK_PROCESS_CPUTIME_ID, &zero)));
    BOOST_TEST(invalid(sigev_manual_clock_gettime(clock.id(), CLOCK_MONOTONIC_RAW, &t)));
    BOOST_TEST(invalid(sigev_manual_clock_gettime(clock.id(), CLOCK_MONOTONIC, nullptr)));
    clock.advance(s);
    BOOST_TEST(invalid(sigev_manual_clock_settime(clock.id(), CLOCK_MONOTONIC, &zero))); // back
    BOOST_TEST(invalid(sigev_manual_clock_gettime(on.reactor(), CLOCK_MONOTONIC, &t))); // a handle, but of something else
    sigev_timer_options o{};
    o.size = sizeof o;
    o.manual_clock = on.reactor();
    sigevent e = make_event(SIGEV_NONE);
    timer_t made_timer{};
    BOOST_TEST(invalid(sigev_timer_create_with(&o, CLOCK_MONOTONIC, &e, &made_timer)));
    BOOST_TEST(child([&] { // T20: in a forked child it is stale, and so are its timers
                   BOOST_TEST(invalid(sigev_manual_clock_advance(clock.id(), &zero)));
                   BOOST_TEST(invalid(sigev_manual_clock_close(clock.id())));
               }) == exited_well);
}

BOOST_AUTO_TEST_CASE(moved_while_others_set_and_delete_no_expiry_is_lost, *deadline(60)) {
    const place on(place::borrowed);
    const clockwork clock(on);
    std::atomic<int> running{2}, wrong{0};
    std::vector<std::thread> threads;
    for (int n = 0; n != 2; ++n)
        threads.emplace_back([&, n] {
            for (int i = 0; i != 300; ++i) { // without Boost.Test, which is for one thread
                sigev_timer_options o{};
                o.size = sizeof o;
                o.reactor = on.reactor();
                o.manual_clock = clock.id();
                sigevent e = make_event(SIGEV_NONE);
                timer_t t{};
                wrong += sigev_timer_create_with(&o, CLOCK_MONOTONIC, &e, &t) != 0;
                std::uint64_t armed = 0, returned = 0;
                for (int k = 0; k != 10; ++k) {
                    const auto value = timer_value(1 + (i * 7919 + k * 104729 + n) % 2000);
                    itimerspec old{};
                    wrong += sigev_timer_settime(t, 0, &value, &old) != 0;
                    ++armed;
                    returned += nanoseconds_of(old.it_value) != 0;
                }
                const auto disarm = timer_value(0);
                itimerspec old{};
                wrong += sigev_timer_settime(t, 0, &disarm, &old) != 0;
                returned += nanoseconds_of(old.it_value) != 0;
                sigev_ledger l{};
                // What has been taken out of the timer is raised a moment later, by who moves the clock.
                wrong += !wait_until([&] { return sigev_timer_ledger(t, &l) != 0 || l.raised + returned == armed; });
                wrong += sigev_timer_delete(t) != 0;
            }
            --running;
        });
    while (running != 0)
        clock.advance(500);
    for (auto& t : threads)
        t.join();
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()

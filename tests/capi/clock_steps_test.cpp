// Who is told when CLOCK_REALTIME is set: by a manual clock, and by the host's where this process may set it. A nanosecond counts
// for the kernel, and disturbs nobody; a step that does is taken with SIGEV_TEST_STEP_CLOCK=1 only.
#include "timer_fixture.hpp"

#include <cstdlib>

#include <sys/timex.h>

using namespace sigev_tests;

namespace {

constexpr std::int64_t s = 1000 * ms, hour = 3600 * s;
const int rt = SIGRTMIN + 7;

class step_subscription {
public:
    step_subscription(const place& on, sigevent e, sigev_manual_clock_t clock = 0) {
        const auto o = make_options(on);
        errno = 4711;
        BOOST_REQUIRE(sigev_clock_steps_open(clock, &e, 4, &o, &handle_) == 0);
        BOOST_REQUIRE(errno == 4711);
    }
    step_subscription(const step_subscription&) = delete;
    step_subscription& operator=(const step_subscription&) = delete;
    ~step_subscription() { BOOST_TEST(sigev_close(handle_) == 0); }
    sigev_t handle() const { return handle_; }
    sigev_ledger ledger() const {
        sigev_ledger l{};
        BOOST_REQUIRE(sigev_ledger_read(handle_, &l) == 0);
        return l;
    }

private:
    sigev_t handle_ = 0;
};

/// Sets CLOCK_REALTIME by so much; named skip where that is not permitted. In one step, and not to what it was when it was read: other
/// cases that run meanwhile have it run backwards else.
void set_by(std::int64_t by) {
    timex step{};
    step.modes = ADJ_SETOFFSET | ADJ_NANO;
    step.time.tv_sec = (by - (by < 0 ? s - 1 : 0)) / s;
    step.time.tv_usec = by - step.time.tv_sec * s;
    if (clock_adjtime(CLOCK_REALTIME, &step) < 0)
        skip("CLOCK_REALTIME must not be set here");
}

} // namespace

BOOST_AUTO_TEST_SUITE(clock_steps)

SIGEV_TEST_ON_BOTH(every_method_is_told_by_how_much_a_manual_clock_was_set) {
    const blocked_signals blocked{rt, rt + 1};
    sigev_manual_clock_t clock = 0, another = 0;
    BOOST_REQUIRE(sigev_manual_clock_open(nullptr, &clock) == 0);
    BOOST_REQUIRE(sigev_manual_clock_open(nullptr, &another) == 0);
    const int kqueue = sigev_kqueue();
    mailbox thread_box, callback_box, user_box;
    std::atomic<int> wrong{0};
    callback_box.inside = [&] {
        const auto* n = sigev_current();
        wrong += n->source != SIGEV_SOURCE_CLOCK || n->cause != SIGEV_CAUSE_STEPPED;
    };
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
    sigevent user = make_event(number);
    user.sigev_value.sival_ptr = &user_box;
    {
        const step_subscription none(on, make_event(SIGEV_NONE), clock), signal(on, make_event(SIGEV_SIGNAL, rt), clock),
            tid(on, make_thread_id_event(this_thread(), rt + 1), clock),
            thread(on, make_event(SIGEV_THREAD, mailbox::receive, &thread_box), clock),
            callback(on, make_event(SIGEV_CALLBACK, mailbox::receive, &callback_box), clock), posted(on, kevent, clock),
            users(on, user, clock), others(on, make_event(SIGEV_NONE), another);
        const timespec earlier = time_of(1000000000 * s - hour);
        BOOST_REQUIRE(sigev_manual_clock_settime(clock, CLOCK_REALTIME, &earlier) == 0);
        BOOST_TEST(blocked.take(on).has_value());
        BOOST_TEST(blocked.take(on).has_value());
        BOOST_TEST(on.until([&] { return thread_box.calls == 1 && callback_box.calls == 1 && user_box.calls == 1; }));
        for (const mailbox* box : {&thread_box, &callback_box, &user_box})
            BOOST_TEST(box->last_data == -hour);
        sigev_kev event{};
        const timespec patience_of_kevent{10, 0};
        BOOST_TEST(on.until([&] { return posted.ledger().raised == 1; }));
        pollfd watched{kqueue, POLLIN, 0};
        BOOST_REQUIRE(on.until([&] { return poll(&watched, 1, 0) == 1; }));
        BOOST_REQUIRE(sigev_kevent(kqueue, nullptr, 0, &event, 1, &patience_of_kevent) == 1);
        BOOST_TEST(event.filter == EVFILT_USER);
        BOOST_TEST(event.ident == posted.handle());
        BOOST_TEST(event.data == -hour);
        for (const auto* told : {&none, &signal, &tid, &thread, &callback, &posted, &users}) {
            BOOST_TEST(on.until([&] { return told->ledger().delivered == 1; }));
            SIGEV_CHECK_LEDGER(told->ledger(), 1, 1);
        }
        SIGEV_CHECK_LEDGER(others.ledger(), 0, 0); // that one was not
        BOOST_TEST(wrong == 0);
        // Time that goes by is no step.
        const timespec day = time_of(24 * hour);
        BOOST_REQUIRE(sigev_manual_clock_advance(clock, &day) == 0);
        SIGEV_CHECK_LEDGER(none.ledger(), 1, 1);
        // The next clock in its place is another one.
        BOOST_TEST(sigev_manual_clock_close(clock) == 0);
        sigev_manual_clock_t next = 0;
        BOOST_REQUIRE(sigev_manual_clock_open(nullptr, &next) == 0);
        BOOST_REQUIRE(sigev_manual_clock_settime(next, CLOCK_REALTIME, &earlier) == 0);
        SIGEV_CHECK_LEDGER(none.ledger(), 1, 1);
        BOOST_TEST(sigev_manual_clock_close(next) == 0);
        BOOST_TEST(sigev_manual_clock_close(another) == 0);
    }
    sigev_method_unregister(number);
    sigev_kqueue_close(kqueue);
}

SIGEV_TEST_ON_BOTH(the_hosts_clock_is_set_to_what_it_is_and_that_is_told) {
    mailbox box;
    const step_subscription told(on, make_event(SIGEV_CALLBACK, mailbox::receive, &box));
    for (int i = 1; i <= 3; ++i) {
        if (on.is_borrowed())
            on.turn(0);
        set_by(i % 2 ? 1 : -1); // of less the kernel tells nobody
        BOOST_REQUIRE(on.until([&] { return box.calls >= i; }));
        BOOST_TEST(std::abs(box.last_data) < s); // as long as it takes to read two clocks
    }
    BOOST_TEST(on.until([&] { return told.ledger().pending == 0; }));
    BOOST_TEST(adds_up(told.ledger()));
}

// 3.5.8, T26: on the real clock
SIGEV_TEST_ON_BOTH(an_absolute_timer_follows_the_hosts_clock_and_a_relative_one_does_not) {
    if (!std::getenv("SIGEV_TEST_STEP_CLOCK"))
        skip("CLOCK_REALTIME is stepped by seconds with SIGEV_TEST_STEP_CLOCK=1 only: it is everybody's");
    mailbox box;
    const step_subscription told(on, make_event(SIGEV_CALLBACK, mailbox::receive, &box));
    clock_box absolute, relative;
    absolute.clock = CLOCK_REALTIME;
    const timer a(on, CLOCK_REALTIME, make_event(SIGEV_CALLBACK, clock_box::receive, &absolute)),
        r(on, CLOCK_REALTIME, make_event(SIGEV_CALLBACK, clock_box::receive, &relative));
    const std::int64_t when = now_of(CLOCK_REALTIME) + 5 * s;
    a.set(when, 0, TIMER_ABSTIME);
    r.set(3600 * s);
    if (on.is_borrowed())
        on.turn(0);
    set_by(6 * s);
    const bool fired = on.until([&] { return absolute.calls == 1 && box.calls >= 1; });
    const std::int64_t by = box.last_data;
    set_by(-6 * s);
    BOOST_TEST(fired);
    BOOST_TEST(absolute.seen[0].at >= when);
    BOOST_TEST(std::abs(by - 6 * s) < s);
    BOOST_TEST(relative.calls == 0u);
    BOOST_TEST(nanoseconds_of(r.get().it_value) > 3500 * s);
    BOOST_TEST(on.until([&] { return box.last_data < 0; })); // and back
}

BOOST_AUTO_TEST_CASE(what_is_not_valid_for_sigev_open_is_not_here_either) {
    const place on(place::borrowed);
    const auto o = make_options(on);
    const auto none = make_event(SIGEV_NONE), bad = make_event(77);
    sigev_t made = 0;
    const auto error = [](int result) { return result == 0 ? 0 : errno; };
    BOOST_TEST(error(sigev_clock_steps_open(0, nullptr, 1, &o, &made)) == EINVAL);
    BOOST_TEST(error(sigev_clock_steps_open(0, &none, 0, &o, &made)) == EINVAL);
    BOOST_TEST(error(sigev_clock_steps_open(0, &none, 1, &o, nullptr)) == EINVAL);
    BOOST_TEST(error(sigev_clock_steps_open(0, &bad, 1, &o, &made)) == EINVAL);
    BOOST_TEST(error(sigev_clock_steps_open(1, &none, 1, &o, &made)) == EINVAL);
    BOOST_TEST(error(sigev_clock_steps_open(on.reactor(), &none, 1, &o, &made)) == EINVAL);
    BOOST_REQUIRE(error(sigev_clock_steps_open(0, &none, 1, &o, &made)) == 0);
    BOOST_TEST(sigev_submit(made, 5, 0) == 0); // a step, make-believe
    BOOST_TEST(on.until([&] {
        sigev_ledger l{};
        return sigev_ledger_read(made, &l) == 0 && l.delivered == 1;
    }));
    BOOST_TEST(sigev_close(made) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

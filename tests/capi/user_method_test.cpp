// Methods of the program's own: the hooks are called when and with what the header says.
#include "fixture.hpp"

#include <mutex>
#include <string>

using namespace sigev_tests;

namespace {

struct method {
    std::atomic<int> opened{0}, closed{0}, released{0}, refusals{0}, attempts{0};
    int open_result = 0;
    int answer = SIGEV_DELIVERED;
    std::mutex mutex;
    std::vector<std::int64_t> got;
    std::function<void()> inside;
    int number = 0;

    static int open(void* context, const sigevent* event, void** target) {
        auto& self = *static_cast<method*>(context);
        if (self.open_result)
            return self.open_result;
        ++self.opened;
        *target = event->sigev_value.sival_ptr;
        return 0;
    }
    static int deliver(void* context, void* target, const sigev_notification* n) {
        auto& self = *static_cast<method*>(context);
        ++self.attempts;
        if (self.inside)
            self.inside();
        const std::lock_guard lock(self.mutex);
        if (self.refusals > 0) {
            --self.refusals;
            return SIGEV_RETRY;
        }
        if (target == n->value.sival_ptr && sigev_current() && sigev_current()->data == n->data)
            self.got.push_back(n->data);
        return self.answer;
    }
    static void close(void* context, void*) { ++static_cast<method*>(context)->closed; }
    static void release(void* context) { ++static_cast<method*>(context)->released; }

    sigev_method hooks() {
        sigev_method m{};
        m.size = sizeof m;
        m.name = "a name that is longer than fifteen";
        m.context = this;
        m.open = open;
        m.deliver = deliver;
        m.close = close;
        m.release = release;
        return m;
    }
    method() {
        const auto m = hooks();
        number = sigev_method_register(&m);
        BOOST_REQUIRE(number >= SIGEV_METHOD_FIRST);
        BOOST_REQUIRE(number <= SIGEV_METHOD_LAST);
    }
    method(const method&) = delete;
    method& operator=(const method&) = delete;
    // The hooks write into this object, and the last of them may come from any thread, or from shutdown: after the end of the
    // case it would hit whatever is on the stack by then.
    ~method() {
        sigev_method_unregister(number);
        BOOST_CHECK_MESSAGE(wait_until([&] { return released == 1; }), "hooks are still to be called");
    }
    sigevent event() {
        sigevent e = make_event(number);
        e.sigev_value.sival_ptr = this;
        return e;
    }
    // What was counted as delivered a moment ago may have been so on another thread, which the account does not wait for.
    std::vector<std::int64_t> so_far() {
        const std::lock_guard lock(mutex);
        return got;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(user_methods)

SIGEV_TEST_ON_BOTH(deliver_gets_the_target_and_the_notification_in_order) {
    method m;
    subscription s(on, m.event(), 100);
    for (int i = 0; i != 100; ++i)
        s.submit(i);
    BOOST_TEST(on.until([&] { return s.delivered() == 100; }));
    const auto got = m.so_far();
    BOOST_TEST(got.size() == 100u);
    BOOST_TEST(std::is_sorted(got.begin(), got.end()));
    s.close();
    BOOST_TEST(wait_until([&] { return m.closed == 1; })); // nothing else is called
    BOOST_TEST(m.released == 0);
    BOOST_TEST(sigev_method_unregister(m.number) == 0);
    BOOST_TEST(wait_until([&] { return m.released == 1; })); // who called close() may not have left it yet
}

SIGEV_TEST_ON_BOTH(what_open_answers_is_the_error_of_the_subscription) {
    method m;
    const auto options = make_options(on);
    for (const int error : {ENODEV, EPERM, 4000}) {
        m.open_result = error;
        BOOST_TEST(open_error(m.event(), 1, &options) == error);
    }
    BOOST_TEST(m.closed == 0);
    BOOST_TEST(sigev_method_unregister(m.number) == 0);
    BOOST_TEST(m.released == 1);
}

SIGEV_TEST_ON_BOTH(what_is_refused_is_offered_again_in_order_and_nothing_is_lost) {
    method m;
    m.refusals = 5;
    const subscription s(on, m.event(), 20);
    for (int i = 0; i != 20; ++i)
        s.submit(i);
    BOOST_TEST(on.until([&] { return s.delivered() == 20; }));
    BOOST_TEST(m.attempts == 25);
    const auto got = m.so_far();
    BOOST_TEST(got.size() == 20u);
    BOOST_TEST(std::is_sorted(got.begin(), got.end()));
    SIGEV_CHECK_LEDGER(s.ledger(), 20, 20);
}

SIGEV_TEST_ON_BOTH(a_target_that_is_gone_discards) {
    method m;
    m.answer = SIGEV_GONE;
    const subscription s(on, m.event(), 3);
    for (int i = 0; i != 3; ++i)
        s.submit(i);
    BOOST_TEST(on.until([&] { return s.ledger().pending == 0; }));
    SIGEV_CHECK_LEDGER(s.ledger(), 3, 0, 0, 0, 3);
}

SIGEV_TEST_ON_BOTH(unregistered_while_it_lives_it_goes_on_and_is_released_last) {
    method m;
    subscription s(on, m.event(), 3);
    BOOST_TEST(sigev_method_unregister(m.number) == 0);
    BOOST_TEST(m.released == 0);
    errno = 0;
    BOOST_TEST(sigev_method_unregister(m.number) == -1);
    BOOST_TEST(errno == EINVAL);
    const auto options = make_options(on);
    BOOST_TEST(open_error(m.event(), 1, &options) == EINVAL);
    s.submit();
    BOOST_TEST(on.until([&] { return s.delivered() == 1; }));
    s.close();
    BOOST_TEST(wait_until([&] { return m.released == 1; }));
    BOOST_TEST(m.closed == 1);
}

SIGEV_TEST_ON_BOTH(a_stale_number_never_names_another_method) {
    method first;
    BOOST_TEST(sigev_method_unregister(first.number) == 0);
    method second;
    BOOST_TEST(second.number != first.number);
    const auto options = make_options(on);
    BOOST_TEST(open_error(first.event(), 1, &options) == EINVAL);
    BOOST_TEST(sigev_shutdown() == 0);
    method third;
    BOOST_TEST(third.number != first.number);
    BOOST_TEST(third.number != second.number);
    BOOST_TEST(open_error(second.event()) == EINVAL);
}

BOOST_AUTO_TEST_CASE(shutdown_releases_what_is_registered) {
    method m;
    const place on(place::runtime);
    {
        const subscription s(on, m.event(), 3);
        s.submit();
        BOOST_TEST(on.until([&] { return s.delivered() == 1; }));
        BOOST_TEST(sigev_shutdown() == 0);
    }
    BOOST_TEST(m.closed == 1);
    BOOST_TEST(m.released == 1);
}

BOOST_AUTO_TEST_CASE(a_method_without_deliver_or_of_another_size_is_refused) {
    sigev_method m{};
    m.size = sizeof m;
    const auto refused = [](const sigev_method* candidate) {
        errno = 0;
        return sigev_method_register(candidate) == -1 && errno == EINVAL;
    };
    BOOST_TEST(refused(&m));
    BOOST_TEST(refused(nullptr));
    m.deliver = method::deliver;
    for (const std::size_t size : {std::size_t{0}, sizeof m - 1, sizeof m + 8}) {
        m.size = size;
        BOOST_TEST(refused(&m));
    }
    m.size = sizeof m;
    BOOST_TEST(sigev_method_register(&m) > 0); // all other hooks may be null
    for (const int number : {0, SIGEV_METHOD_FIRST + 60000, SIGEV_METHOD_LAST, SIGEV_CALLBACK, -1}) {
        errno = 0;
        BOOST_TEST(sigev_method_unregister(number) == -1);
        BOOST_TEST(errno == EINVAL);
    }
}

// Closed while it rests after a refusal, again and again: whoever still knows of it must not touch its successor.
SIGEV_TEST_ON_BOTH(subscriptions_that_are_closed_while_they_wait_for_a_retry_come_to_an_end) {
    method m;
    m.refusals = 1 << 30;
    for (int round = 0; round != 200; ++round) {
        subscription a(on, m.event(), 2), b(on, m.event(), 2);
        a.submit();
        b.submit();
        const int before = m.attempts;
        if (round % 3 != 0)
            on.until([&] { return m.attempts > before; });
        if (round % 2 != 0)
            BOOST_TEST(sigev_cancel_and_wait(a.handle()) == 0);
    }
    if (on.is_borrowed())
        on.turn(0);
    BOOST_TEST(on.until([&] { return m.closed == 400; }));
    sigev_ledger total{};
    BOOST_TEST(sigev_ledger_total(SIGEV_SOURCE_USER, m.number, &total) == 0);
    SIGEV_CHECK_LEDGER(total, 400, 0, 0, 0, 400);
}

// close() is called without any further call of the program's, also when the end is found by the drain.
SIGEV_TEST_ON_BOTH(close_is_called_soon_whoever_finds_the_end) {
    method m;
    int opened = 0;
    for (int round = 0; round != 300; ++round) {
        subscription s(on, m.event(), 4);
        ++opened;
        for (int i = 0; i != round % 5; ++i)
            s.submit(i);
        s.close();
        BOOST_REQUIRE(on.until([&] { return m.closed == opened; }));
    }
}

BOOST_AUTO_TEST_SUITE_END()

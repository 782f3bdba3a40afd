// What a subscription does when notifications come faster than they are handled: one call at a time, which is told of what has
// merged into it.
#include "fixture.hpp"

using namespace sigev_tests;

namespace {

struct told {
    std::int64_t data;
    std::int32_t overrun;
    friend bool operator==(const told&, const told&) = default;
    friend std::ostream& operator<<(std::ostream& out, const told& t) {
        return out << "{" << t.data << ", overrun " << t.overrun << "}";
    }
};

/// Calls of one subscription, serial; the first stays until it is let go.
struct slow {
    mailbox box;
    std::vector<told> calls;
    gate inside, go;
    std::atomic<int> at_once{0}, overlapped{0};

    slow() {
        box.inside = [this] {
            overlapped += at_once++ != 0;
            calls.push_back({sigev_current()->data, sigev_current()->overrun});
            inside.open();
            (void)go.wait();
            --at_once;
        };
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(policies)

SIGEV_TEST_ON_BOTH(the_newest_says_how_many_it_has_replaced) {
    slow one;
    const subscription s(on, make_event(SIGEV_THREAD, mailbox::receive, &one.box), 2);
    s.submit(0);
    BOOST_REQUIRE(on.until([&] { return one.inside.is_open(); }));
    s.submit(1);
    for (int i = 2; i != 10; ++i) // there is no record for them
        s.submit(i);
    if (on.is_borrowed()) // a loop that runs by itself may have taken one of them already, and kept the rest for another
        SIGEV_CHECK_LEDGER(s.ledger(), 10, 0, 7, 3);
    one.go.open();
    BOOST_TEST(on.until([&] { return s.ledger().pending == 0; }));
    if (on.is_borrowed())
        BOOST_TEST(one.calls == (std::vector<told>{{0, 0}, {1, 0}, {9, 7}}), boost::test_tools::per_element());
    std::uint64_t replaced = 0;
    for (const auto& call : one.calls)
        replaced += static_cast<std::uint64_t>(call.overrun);
    BOOST_TEST(one.calls.back().data == 9);
    BOOST_TEST(replaced == s.ledger().merged);
    BOOST_TEST(replaced + one.calls.size() == 10u);
    const auto before = one.calls.size();
    s.submit(10); // and it is not told again
    BOOST_TEST(on.until([&] { return s.delivered() == before + 1; }));
    BOOST_TEST(one.calls.back() == (told{10, 0}));
    BOOST_TEST(one.overlapped == 0);
    BOOST_TEST(adds_up(s.ledger()));
}

// Where the count of those that were replaced begins anew inside, several times over.
SIGEV_TEST_ON_BOTH(the_newest_of_very_many_says_so) {
    constexpr int many = 100'000;
    slow one;
    const subscription s(on, make_event(SIGEV_THREAD, mailbox::receive, &one.box), 1);
    s.submit(0);
    BOOST_REQUIRE(on.until([&] { return one.inside.is_open(); }));
    for (int i = 1; i <= many; ++i)
        s.submit(i);
    one.go.open();
    BOOST_TEST(on.until([&] { return s.ledger().pending == 0; }));
    std::uint64_t overruns = 0;
    for (const auto& call : one.calls)
        overruns += static_cast<std::uint64_t>(call.overrun);
    BOOST_TEST(one.calls.back().data == many);
    BOOST_TEST(overruns == s.ledger().merged);
    BOOST_TEST(overruns + one.calls.size() == std::uint64_t{many + 1});
}

// The same for whoever else asks for it: a hook, a reactor's own callback, a signal that says that it is a timer's.
BOOST_AUTO_TEST_CASE(every_method_says_how_many_have_merged) {
    const place on(place::borrowed); // which stands still while they are submitted
    static std::vector<told> calls;
    sigev_method m{};
    m.size = sizeof m;
    m.deliver = [](void*, void*, const sigev_notification* n) {
        calls.push_back({n->data, n->overrun});
        return static_cast<int>(SIGEV_DELIVERED);
    };
    const int number = sigev_method_register(&m);
    const auto callback = [](sigval) { calls.push_back({sigev_current()->data, sigev_current()->overrun}); };
    for (const auto& event : {make_event(SIGEV_CALLBACK, callback, nullptr), make_event(number)}) {
        calls.clear();
        const subscription s(on, event, 2);
        for (int i = 0; i != 6; ++i)
            s.submit(i);
        BOOST_TEST(on.until([&] { return s.delivered() == 3; }));
        BOOST_TEST(calls == (std::vector<told>{{0, 0}, {1, 0}, {5, 3}}), boost::test_tools::per_element());
    }
    BOOST_TEST(sigev_method_unregister(number) == 0);

    const int rt = SIGRTMIN + 4;
    const blocked_signals blocked{rt};
    const auto options = make_options(on, 1, SI_TIMER);
    const auto event = make_event(SIGEV_SIGNAL, rt);
    sigev_t s = 0;
    BOOST_REQUIRE(sigev_open(&event, 2, &options, &s) == 0);
    for (int i = 0; i != 6; ++i)
        BOOST_TEST(sigev_submit(s, i, 0) == 0);
    for (const int overrun : {0, 0, 3}) {
        const auto info = blocked.take(on);
        BOOST_REQUIRE(info.has_value());
        BOOST_TEST(info->si_code == SI_TIMER);
        BOOST_TEST(info->si_overrun == overrun);
    }
    BOOST_TEST(sigev_close(s) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

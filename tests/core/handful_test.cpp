// Calls of workers that are raised in one turn of the drain: they go to the lanes by the handful.
#include "dispatcher_fixture.hpp"

#include "core/pool.hpp"

#include <memory>
#include <thread>

using namespace sigev_tests;

namespace {

/// What the runtime is to the dispatcher; calls stay in their lanes until the test runs them.
struct noting_team final : spi::workers {
    struct handful {
        unsigned size;
        bool more;
    };
    std::vector<handful> got;

    int open_lane(const spi::lane_call&, const spi::lane_threads&, spi::delivery_port&, spi::lane**) noexcept override {
        return EAGAIN;
    }
    void enqueue(spi::lane& l, spi::delivery& first, spi::delivery& last) noexcept override { l.push_back(first, last); }
    void enqueue_each(const spi::lane_delivery* list, unsigned n, bool more) noexcept override {
        got.push_back({n, more});
        for (unsigned i = 0; i != n; ++i)
            list[i].to->push_back(*list[i].what, *list[i].what);
    }
    void withdraw(spi::lane& l) noexcept override {
        while (l.head)
            l.port->drop(*l.pop_front());
    }
    void resume(spi::lane&) noexcept override {}
    void close_lane(spi::lane*) noexcept override {}
    bool are_calls_alike_here() const noexcept override { return false; }
};

inline constexpr spi::method plain_function = {"fake",  SIGEV_NONE,   false,   true,    false,
                                               nullptr, fake_deliver, nullptr, nullptr, fake_close};

struct crowd : dispatcher_fixture {
    struct member {
        core::subscription* s = nullptr;
        spi::lane lane;
        fake_target target;
    };

    crowd() { road.deliver_user_code_on(&team); }

    member& join() {
        auto& m = *members.emplace_back(std::make_unique<member>());
        m.s = &open(m.target, 1, core::raising::merging, fake_user_method);
        m.lane.port = &road;
        m.s->lane = &m.lane;
        return m;
    }
    void raise_soon(core::subscription& s) { road.raise_soon(s, 1, 1, CLOCK_MONOTONIC); }
    static bool is_in_hand(const member& m) { return (m.s->gate & core::gate_delivering) != 0; }

    /// As a worker does; true: it began.
    bool run(member& m) {
        sigev_notification n;
        if (!m.lane.head || !road.begin(*m.lane.pop_front(), n))
            return false;
        BOOST_TEST(!road.end(*m.s->spare, verdict::delivered));
        return true;
    }
    void leave(member& m) {
        m.s->lane = nullptr; // it is none of the runtime's
        close(*m.s);
    }

    noting_team team;
    std::vector<std::unique_ptr<member>> members;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(handfuls, crowd)

BOOST_AUTO_TEST_CASE(a_full_one_goes_at_once_and_the_rest_when_the_turn_is_over) {
    for (int i = 0; i != 65; ++i)
        join();
    BOOST_REQUIRE(road.enter());
    for (int i = 0; i != 63; ++i)
        raise_soon(*members[static_cast<std::size_t>(i)]->s);
    BOOST_TEST(team.got.empty());
    BOOST_TEST(is_in_hand(*members[0])); // so who cancels it waits
    raise_soon(*members[63]->s);
    BOOST_REQUIRE(team.got.size() == 1u);
    BOOST_TEST(team.got[0].size == 64u);
    BOOST_TEST(team.got[0].more);
    raise_soon(*members[64]->s);
    road.hand_over();
    BOOST_REQUIRE(team.got.size() == 2u);
    BOOST_TEST(team.got[1].size == 1u);
    BOOST_TEST(!team.got[1].more);
    road.hand_over();
    BOOST_TEST(team.got.size() == 2u);
    BOOST_REQUIRE(road.leave());
    for (auto& m : members) {
        BOOST_TEST(!is_in_hand(*m));
        BOOST_TEST(run(*m));
        check_ledger(*m->s, 1, 1, 0, 0, 0);
        leave(*m);
    }
}

BOOST_AUTO_TEST_CASE(what_is_raised_twice_in_a_turn_stands_in_it_once) {
    member& m = join();
    BOOST_REQUIRE(road.enter());
    raise_soon(*m.s);
    raise_soon(*m.s);
    road.hand_over();
    BOOST_REQUIRE(road.leave());
    BOOST_REQUIRE(team.got.size() == 1u);
    BOOST_TEST(team.got[0].size == 1u);
    BOOST_TEST(run(m));
    check_ledger(*m.s, 2, 1, 1, 0, 0);
    leave(m);
}

// Which may cancel it, and would wait for ever for itself.
BOOST_AUTO_TEST_CASE(what_is_in_hand_goes_before_code_of_the_programs_own_runs) {
    for (const spi::method* how : {&plain_function, &fake_user_method}) {
        member& m = join();
        fake_target own;
        core::subscription& s = open(own, 1, core::raising::merging, *how);
        own.inside = [&](const sigev_notification&) {
            BOOST_TEST(!is_in_hand(m));
            BOOST_TEST(m.lane.head != nullptr);
            road.cancel(*m.s);
            check_ledger(*m.s, 1, 0, 0, 0, 1);
        };
        BOOST_REQUIRE(road.enter());
        raise_soon(*m.s);
        raise_soon(s);
        road.hand_over();
        BOOST_TEST(!road.leave()); // the cancel has come by
        BOOST_TEST(road.leave());
        BOOST_TEST(own.seen.size() == 1u);
        check_ledger(s, 1, 1, 0, 0, 0);
        close(s);
        leave(m);
    }
}

BOOST_AUTO_TEST_CASE(who_cancels_what_is_in_hand_waits_until_it_has_been_handed_over) {
    for (int i = 0; i != 3; ++i)
        join();
    member& middle = *members[1];
    BOOST_REQUIRE(road.enter());
    for (auto& m : members)
        raise_soon(*m->s);
    std::atomic<bool> is_over{false};
    std::thread other([&] {
        road.cancel(*middle.s);
        is_over = true;
    });
    BOOST_TEST(wait_until([&] { return (middle.s->gate & core::gate_closing) != 0; }));
    BOOST_TEST(is_in_hand(middle));
    BOOST_TEST(!is_over);
    road.hand_over();
    other.join();
    while (!road.leave())
        ;
    BOOST_TEST(middle.lane.head == nullptr); // he has taken it out again
    check_ledger(*middle.s, 1, 0, 0, 0, 1);
    for (auto& m : members) {
        if (m.get() != &middle) {
            BOOST_TEST(run(*m));
            check_ledger(*m->s, 1, 1, 0, 0, 0);
        }
        leave(*m);
    }
}

// By another thread, or by the drain's own in a callback that comes between.
BOOST_AUTO_TEST_CASE(what_is_in_hand_at_a_fork_is_the_parents_alone) {
    for (int i = 0; i != 3; ++i)
        join();
    BOOST_REQUIRE(road.enter());
    for (auto& m : members)
        raise_soon(*m->s);
    BOOST_TEST(child([&] {
                   road.hand_over();
                   BOOST_TEST(team.got.empty());
                   road.hand_over();
                   BOOST_TEST(team.got.empty());
               }) == exited_well);
    road.hand_over();
    BOOST_REQUIRE(road.leave());
    BOOST_REQUIRE(team.got.size() == 1u);
    BOOST_TEST(team.got[0].size == 3u);
    for (auto& m : members) {
        BOOST_TEST(run(*m));
        check_ledger(*m->s, 1, 1, 0, 0, 0);
        leave(*m);
    }
}

BOOST_AUTO_TEST_CASE(what_was_cancelled_before_does_not_come_into_it) {
    member& m = join();
    road.cancel(*m.s);
    BOOST_REQUIRE(road.enter());
    raise_soon(*m.s);
    road.hand_over();
    BOOST_REQUIRE(road.leave());
    BOOST_TEST(team.got.empty());
    check_ledger(*m.s, 1, 0, 0, 0, 1);
    leave(m);
}

BOOST_AUTO_TEST_SUITE_END()

// Slots are used again, and nothing but the generation tells one owner from the next. Whoever is held up in an operation on a
// subscription may find the slot with its next owner, who has other records, perhaps another reactor, and counts from the
// beginning. So each operation is interrupted after each of its instructions, and in its middle the subscription is closed
// and, when it has gone, the next one opened in the same slot.
//
// Whatever happens in the middle: each subscription is freed once (its method's close() is called), each ledger is exact,
// what was accepted is in one of them, and nothing of the one is delivered to the other.
#include "stress/reuse_ground.hpp"

#include <algorithm>
#include <utility>
#include <vector>

using namespace sigev_tests;
using namespace sigev_tests::reuse;

namespace {

void submit(by_steps& here, tenant& t, int times = 1)
{
    for (int i = 0; i != times; ++i)
        here.accepted += t.submit() == 0;
}

class two_given_back : public by_steps {
public:
    void keep_two(tenant& t)
    {
        submit(*this, t, 2);
        t.turn();
    }

    template <class Middle, class After>
    void run_with(Middle middle, After after)
    {
        run(
            "a drop",
            [&](tenant& a) {
                BOOST_REQUIRE(open(a, *one, 2, later));
                keep_two(a);
                close(a);
            },
            [&](tenant& a) { a.road().drop(*std::exchange(a.to.deliveries[0], nullptr)); },
            [&](tenant& a, tenant& b) {
                a.road().drop(*std::exchange(a.to.deliveries[1], nullptr));
                all->reap_dead(true);
                if (a.gone() && open_after(a, b, *one, 2, later))
                    middle(b);
            },
            [&](tenant&, tenant& b) { return !b.s || after(b); });
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(reuse_steps)

// Its place is the last of many; the next owner has few, the last records that there are. Taken together they name a record
// that was never made.
BOOST_FIXTURE_TEST_CASE(a_submit_whose_slot_goes_to_another_finds_no_record_of_that_one, by_steps, *deadline(300))
{
    constexpr std::uint32_t many = 64, few = 8;
    run(
        "a submit",
        [&](tenant& a) {
            BOOST_REQUIRE(open(a, *one, many, at_once));
            for (std::uint32_t i = 1; i != many; ++i)
                submit(*this, a);
            a.turn();
        },
        [&](tenant& a) { submit(*this, a); },
        [&](tenant& a, tenant& b) {
            close(a);
            if (!a.gone())
                return;
            const only_the_last_records there(*all, few);
            open_after(a, b, *one, few, at_once);
        },
        [&](tenant& a, tenant& b) {
            if (!b.s)
                return true;
            const bool untouched = core::registry::read(*b.s).raised == 0;
            submit(*this, b, 3);
            b.turn();
            return untouched && a.s == b.s && b.to.calls == 3;
        });
}

// The next owner gets the beginning of the same room: what lies behind is nobody's any more.
BOOST_FIXTURE_TEST_CASE(a_submit_whose_slot_goes_to_another_with_less_room, by_steps, *deadline(300))
{
    for (const int before : {0, 1, 3})
        run(
            "a submit",
            [&](tenant& a) {
                BOOST_REQUIRE(open(a, *one, 8, at_once));
                submit(*this, a, before);
                a.turn();
            },
            [&](tenant& a) { submit(*this, a); },
            [&](tenant& a, tenant& b) {
                close(a);
                if (a.gone() && open_after(a, b, *one, 2, at_once))
                    submit(*this, b, 2);
            },
            [&](tenant&, tenant& b) {
                if (!b.s)
                    return true;
                const bool untouched = core::registry::read(*b.s).raised == 2;
                b.turn();
                return untouched && b.to.calls == 2;
            });
}

// The same when no record is free: the newest is kept, of the right owner.
BOOST_FIXTURE_TEST_CASE(a_submit_that_finds_no_record_and_whose_slot_goes_to_another, by_steps, *deadline(300))
{
    for (const int before : {1, 3})
        run(
            "a submit without a record",
            [&](tenant& a) {
                BOOST_REQUIRE(open(a, *one, 1, at_once));
                submit(*this, a, before);
            },
            [&](tenant& a) { submit(*this, a); },
            [&](tenant& a, tenant& b) {
                close(a);
                if (a.gone())
                    open_after(a, b, *one, 1, at_once);
            },
            [&](tenant&, tenant& b) {
                if (!b.s)
                    return true;
                const bool untouched = core::registry::read(*b.s).raised == 0;
                submit(*this, b, 2);
                b.turn();
                return untouched && b.to.calls == 2;
            });
}

// A drain that delivers a record and the newest, whose subscription is closed in its middle, by who cannot drain. What it
// had in its hands must still lead to the end of it; and the next owner's newest is another's.
BOOST_FIXTURE_TEST_CASE(a_drain_in_whose_middle_a_subscription_is_closed_lets_it_go, by_steps, *deadline(300))
{
    for (const spi::method* how : {&at_once, &on_a_loop})
        run(
            how->name,
            [&](tenant& a) {
                BOOST_REQUIRE(open(a, *one, 1, *how));
                submit(*this, a, 3);
            },
            [&](tenant& a) {
                if (a.road().enter())
                    do
                        a.road().run();
                    while (!a.road().leave());
            },
            [&](tenant& a, tenant& b) {
                if (!a.can_be_closed())
                    return;
                close(a);
                if (a.gone() && open_after(a, b, *one, 1, *how))
                    submit(*this, b, 3);
            },
            [&](tenant&, tenant& b) {
                if (!b.s)
                    return true;
                b.turn();
                return b.to.calls == 2 && b.to.last == 3;
            });
}

// Two deliveries are given back by two threads, and the one that is held up is counted by the other: the last thing that
// has kept the slot from its next owner.
BOOST_FIXTURE_TEST_CASE(a_record_that_is_given_back_is_not_counted_for_the_slots_next_owner, two_given_back, *deadline(300))
{
    run_with([](tenant&) {}, [&](tenant& b) {
        const sigev_ledger l = core::registry::read(*b.s);
        keep_two(b);
        return l.raised == 0 && l.pending == 0 && core::registry::read(*b.s).pending == 2;
    });
}

// The next owner is on its way out as well, so the slot looks as it did: but for the records that are out.
BOOST_FIXTURE_TEST_CASE(who_gives_a_record_back_does_not_free_the_slots_next_owner, two_given_back, *deadline(300))
{
    run_with([&](tenant& b) { keep_two(b), close(b); }, [&](tenant& b) {
        all->reap_dead(true);
        const sigev_ledger l = core::registry::read(*b.s);
        return l.raised == 2 && l.pending == 2 && b.to.closed == 0;
    });
}

// A timer's expirations, given back when it has been cancelled, while its owner gives the handle up: they are in its account,
// and not in that of the slot's next owner.
BOOST_FIXTURE_TEST_CASE(what_a_merging_one_discards_is_not_counted_for_the_slots_next_owner, by_steps, *deadline(300))
{
    run(
        "a drop",
        [&](tenant& a) {
            BOOST_REQUIRE(open(a, *one, 1, later, core::raising::merging));
            BOOST_REQUIRE(a.road().enter());
            a.road().raise(*a.s, 3, 1, CLOCK_MONOTONIC);
            BOOST_REQUIRE(a.road().leave());
            accepted += 3;
            a.road().cancel(*a.s);
        },
        [&](tenant& a) { a.road().drop(*std::exchange(a.to.deliveries[0], nullptr)); },
        [&](tenant& a, tenant& b) {
            close(a);
            if (a.gone())
                open_after(a, b, *one, 2, at_once);
        },
        [&](tenant&, tenant& b) {
            if (!b.s)
                return true;
            const sigev_ledger l = core::registry::read(*b.s);
            return l.raised == 0 && l.discarded == 0;
        });
}

// The bit that says that something waits is the slot's; what waits is its owner's, and delivered by that one's reactor.
BOOST_FIXTURE_TEST_CASE(what_waits_is_delivered_by_its_own_reactor, ground)
{
    tenant a, b;
    BOOST_REQUIRE(open(a, *one, 1, on_a_loop));
    a.submit(), a.submit();
    close(a);
    BOOST_REQUIRE(a.gone());
    BOOST_REQUIRE(open_after(a, b, *other, 1, on_a_loop));
    b.submit(), b.submit();
    a.turn(); // of the reactor that it was on
    BOOST_TEST(b.to.calls == 0);
    b.turn();
    BOOST_TEST(b.to.calls == 2);
    BOOST_TEST(!b.to.overtaken);
    close(b);
    BOOST_TEST(a.to.closed == 1);
    BOOST_TEST(b.to.closed == 1);
}

// Somebody was held up before it: the slot has been freed since, and its next owner is cancelled, but keeps the handle.
BOOST_FIXTURE_TEST_CASE(a_late_look_whether_it_may_be_freed_does_not_free_the_next_owner, by_steps, *deadline(300))
{
    run(
        "a late look",
        [&](tenant& a) {
            BOOST_REQUIRE(open(a, *one, 2, at_once));
            close(a);
            BOOST_REQUIRE(a.gone());
        },
        [&](tenant& a) { all->maybe_free(*a.s); },
        [&](tenant& a, tenant& b) {
            if (open_after(a, b, *one, 2, at_once))
                b.road().cancel(*b.s);
        },
        [&](tenant&, tenant& b) {
            if (!b.s)
                return true;
            all->reap_dead(true);
            return b.s->generation.generation() == b.generation && b.to.closed == 0;
        });
}

// The words have room for 15 bits of the generation; a submit that is held up for all of those lives is refused all the same.
// Looked at are the last instructions before it is accepted: each takes 16384 lives.
BOOST_FIXTURE_TEST_CASE(a_submit_that_is_held_up_for_as_many_lives_as_its_word_can_tell_is_refused, by_steps, *deadline(300))
{
    constexpr unsigned looked_at = 12;
    bool accepted_before = false;
    const auto held_up_at = [&](unsigned k, unsigned lives) {
        tenant a, b;
        BOOST_REQUIRE(open(a, *one, 2, at_once));
        a.s->handed_out = true;
        const sigev_t handle = all->handle_of(*a.s);
        interrupted(k, [&] { (void)sigev_submit(handle, 7, 0); }, [&] {
            accepted_before = core::registry::read(*a.s).raised != 0;
            close(a);
            std::vector<std::uint32_t> aside;
            std::uint32_t index = 0;
            while (all->subscriptions.acquire(index) && index != a.s->index)
                aside.push_back(index);
            all->subscriptions.release(index);
            for (unsigned i = 1; i < lives; ++i) {
                tenant x;
                if (!open(x, *one, 2, at_once))
                    break;
                close(x);
            }
            if (open(b, *one, 2, at_once))
                b.s->handed_out = true;
            for (const auto i : aside)
                all->subscriptions.release(i);
        });
        BOOST_REQUIRE(b.s);
        BOOST_TEST(core::registry::read(*b.s).raised == 0u, "taken by a later owner, at step " << k);
        close(b);
    };
    unsigned accepted_at = 0;
    while (held_up_at(accepted_at, 1), !accepted_before)
        BOOST_REQUIRE(++accepted_at != 1000u);
    BOOST_TEST_MESSAGE("accepted at step " << accepted_at);
    for (unsigned k = accepted_at - std::min(accepted_at, looked_at); k != accepted_at; ++k)
        held_up_at(k, 1u << 14);
}

BOOST_AUTO_TEST_SUITE_END()

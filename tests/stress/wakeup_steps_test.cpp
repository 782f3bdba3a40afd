// Protocol W, interrupted after each instruction: a post by what the loop may do meanwhile, by other posts, by a jump that
// never comes back; the loop by posts. After each the sum of the wakeup's arena: what has been posted is seen.
#include "core/event_raw_fixture.hpp"
#include "support/stepping.hpp"

#include <atomic>

#include <unistd.h>

using namespace sigev_tests;

namespace {

/// An object, what was posted to it, and what its owner has seen of that.
struct station {
    explicit station(int kind) : event(kind) {}

    void post()
    {
        ++published;
        event.post();
    }
    void consume()
    {
        if (event.consume())
            seen = published.load();
    }
    void take()
    {
        if (core::take(*event))
            seen = published.load();
    }
    /// The owner's loop, which watches levels, until nothing is readable any more.
    void settle()
    {
        for (int turn = 0; turn != 3 && event.readable(); ++turn)
            consume();
    }
    bool all_seen() const { return seen == published; }

    object event;
    std::atomic<int> published{0}, seen{0};
};

/// True when everything was seen, also of posts that come later: nothing was left behind that silences them.
bool hears(station& s)
{
    s.settle();
    if (!s.all_seen())
        return false;
    s.post();
    s.settle();
    return s.all_seen();
}

/// The interrupted operation at every step; how many steps there were, and how many of them lost a post.
struct tally {
    unsigned steps = 0, lost = 0;
};

template <class Operation, class Interruption>
tally at_each_step(int kind, Operation operation, Interruption interruption)
{
    stepping by_steps;
    tally sum;
    sum.steps = by_steps.each([&](unsigned k) {
        station s(kind);
        const bool hit = by_steps.interrupted(k, [&] { operation(s); }, [&] { interruption(s); });
        sum.lost += !hears(s);
        return hit;
    });
    return sum;
}

void check(const tally& sum)
{
    BOOST_TEST_MESSAGE(sum.steps << " steps");
    BOOST_TEST(sum.steps > 20u);
    BOOST_TEST(sum.lost == 0u);
}

constexpr int both[] = {SIGEV_EVENT_RAW_EVENTFD, SIGEV_EVENT_RAW_PIPE};

void post(station& s) { s.post(); }
void consume(station& s) { s.consume(); }

} // namespace

BOOST_AUTO_TEST_SUITE(wakeup_steps)

BOOST_AUTO_TEST_CASE(a_post_with_a_consume_in_its_middle)
{
    for (const int kind : both)
        check(at_each_step(kind, post, consume));
}

BOOST_AUTO_TEST_CASE(a_post_with_another_in_its_middle)
{
    for (const int kind : both)
        check(at_each_step(kind, post, post));
}

BOOST_AUTO_TEST_CASE(a_post_with_a_consume_and_another_post_in_its_middle)
{
    for (const int kind : both)
        check(at_each_step(kind, post, [](station& s) { s.consume(), s.post(); }));
}

BOOST_AUTO_TEST_CASE(a_consume_with_a_post_in_its_middle)
{
    for (const int kind : both) {
        check(at_each_step(kind, [](station& s) { s.post(), s.consume(); }, post));
        check(at_each_step(kind, consume, post));
    }
}

BOOST_AUTO_TEST_CASE(a_post_that_is_left_by_a_jump)
{
    for (const int kind : both) {
        stepping by_steps;
        unsigned silenced = 0;
        volatile bool hit = false;
        const unsigned steps = by_steps.each([&](unsigned k) {
            station s(kind);
            hit = true;
            if (sigsetjmp(way_out, 0) == 0)
                hit = by_steps.interrupted(k, [&] { s.event.post(); }, [] { siglongjmp(way_out, 1); });
            silenced += !hears(s);
            s.event.close();
            core::close_retired_event_raws();
            return hit;
        });
        check({steps, silenced});
    }
}

BOOST_AUTO_TEST_CASE(a_post_in_whose_middle_the_object_is_closed)
{
    // It goes on with a descriptor that must still be open, and not be another's.
    for (const int kind : both) {
        stepping by_steps;
        unsigned written = 0;
        const unsigned steps = by_steps.each([&](unsigned k) {
            object event(kind);
            const int number = event->pair.write;
            const sigev_event_raw& raw = *event;
            int victim[2];
            BOOST_REQUIRE(pipe2(victim, O_NONBLOCK | O_CLOEXEC) == 0);
            bool closed = false;
            const bool hit = by_steps.interrupted(k, [&] { core::post(raw); }, [&] {
                event.close();
                closed = !is_open(number);
                if (closed)
                    dup3(victim[1], number, O_CLOEXEC);
            });
            if (closed)
                close(number);
            char byte;
            written += read(victim[0], &byte, 1) == 1;
            close(victim[0]);
            close(victim[1]);
            event.close();
            core::close_retired_event_raws();
            return hit;
        });
        check({steps, written});
    }
}

// ---- a loop that says when it sleeps

namespace {

/// One turn of such a loop. Where it would sleep it looks instead whether anything would wake it for what it has not seen.
void turn(station& s, bool& for_ever)
{
    if (core::try_sleep(*s.event)) {
        for_ever = for_ever || (!s.all_seen() && !s.event.readable());
        core::awake(*s.event);
    }
    s.take();
}

} // namespace

BOOST_AUTO_TEST_CASE(a_loop_that_announces_its_sleep_with_a_post_in_its_middle)
{
    for (const int kind : both) {
        stepping by_steps;
        unsigned lost = 0;
        const unsigned steps = by_steps.each([&](unsigned k) {
            station s(kind);
            bool for_ever = false;
            core::awake(*s.event);
            const bool hit = by_steps.interrupted(
                k, [&] { turn(s, for_ever), turn(s, for_ever); }, [&] { s.post(); });
            turn(s, for_ever);
            lost += for_ever || !s.all_seen();
            return hit;
        });
        check({steps, lost});
    }
}

BOOST_AUTO_TEST_CASE(a_post_in_whose_middle_the_loop_falls_asleep_or_wakes)
{
    for (const int kind : both)
        for (const bool asleep_first : {false, true}) {
            stepping by_steps;
            unsigned lost = 0;
            const unsigned steps = by_steps.each([&](unsigned k) {
                station s(kind);
                if (!asleep_first)
                    core::awake(*s.event);
                bool slept = asleep_first;
                const bool hit = by_steps.interrupted(k, [&] { s.post(); }, [&] {
                    if (asleep_first)
                        core::awake(*s.event), s.take(), slept = false;
                    else
                        slept = core::try_sleep(*s.event);
                });
                // Asleep: only the descriptor tells. Awake: it asks before it sleeps.
                if (!slept && core::try_sleep(*s.event))
                    slept = true;
                if (slept && !s.event.readable() && !s.all_seen())
                    ++lost;
                s.take();
                lost += !s.all_seen();
                return hit;
            });
            BOOST_TEST_MESSAGE(steps << " steps");
            BOOST_TEST(steps > 10u);
            BOOST_TEST(lost == 0u);
        }
}

BOOST_AUTO_TEST_SUITE_END()

// Protocol W, pure: each step by itself, and then all interleavings (wakeup_explorer.hpp).
// Variants that are known to lose wakeups must lose them there.
#include "wakeup_explorer.hpp"

#include "support/support.hpp"

namespace {

using namespace sigev_tests;

constexpr word posts_completed(word o, int n)
{
    for (; n > 0; --n)
        o = post_end(post_begin(o).next, seq_of(o));
    return o;
}

outcome explore(const protocol& p, owner_is owner = owner_is::consumer)
{
    const outcome found = explorer(p, owner).run();
    BOOST_TEST_MESSAGE(
        found.states << " states, " << found.lost << " ends with a post lost, " << found.closed << " closes, "
                     << found.written_when_closed << " writes to a closed descriptor");
    return found;
}

// WRITTEN whatever has been consumed since.
word end_without_seq(word o, word) { return writer_out(o) | written; }

// A plain "posted" flag: who sets it writes, who finds it set does not.
post_step begin_by_flag(word o)
{
    if (o & closing)
        return {o, post_action::refuse};
    if (o & posted)
        return {o, post_action::suppress};
    return {writer_in(o | posted), post_action::write};
}

word end_by_flag(word o, word) { return writer_out(o); }

} // namespace

BOOST_AUTO_TEST_SUITE(wakeup_word)

BOOST_AUTO_TEST_CASE(first_post_writes_and_later_ones_are_suppressed)
{
    const auto [claimed, action] = post_begin(some);
    BOOST_TEST((action == post_action::write));
    BOOST_TEST(writers_of(claimed) == 1u);
    BOOST_TEST((claimed & posted) != 0u);
    const word done = post_end(claimed, seq_of(claimed));
    BOOST_TEST(writers_of(done) == 0u);
    BOOST_TEST((done & written) != 0u);
    BOOST_TEST((post_begin(done).action == post_action::suppress));
    BOOST_TEST(post_begin(done).next == done);
}

BOOST_AUTO_TEST_CASE(poster_that_never_wrote_silences_nobody)
{
    const word abandoned = post_begin(some).next;
    BOOST_TEST((post_begin(abandoned).action == post_action::write));
}

BOOST_AUTO_TEST_CASE(consume_clears_both_bits_and_keeps_the_rest)
{
    const word before = post_begin(posts_completed(some, 2)).next | closing | one_writer;
    const word after = consume(before);
    BOOST_TEST(seq_of(after) == seq_of(before) + 1);
    BOOST_TEST((after & 0xffff) == ((before & 0xffff) & ~(posted | written)));
}

BOOST_AUTO_TEST_CASE(written_comes_too_late_after_a_consume)
{
    const word claimed = post_begin(some).next;
    const word late = post_end(consume(claimed), seq_of(claimed));
    BOOST_TEST((late & written) == 0u);
    BOOST_TEST(writers_of(late) == 0u);
}

BOOST_AUTO_TEST_CASE(close_refuses_posts_and_waits_for_writers)
{
    const word claimed = post_begin(some).next;
    const word shut = close_begin(claimed);
    BOOST_TEST((post_begin(shut).action == post_action::refuse));
    BOOST_TEST((visit_begin(shut).action == post_action::refuse));
    BOOST_TEST(!may_close(shut));
    BOOST_TEST(may_close(post_end(shut, seq_of(claimed))));
    BOOST_TEST(!may_close(some)); // not closing
}

BOOST_AUTO_TEST_CASE(visitor_changes_nothing_but_the_writers)
{
    for (const word o : {some, posts_completed(some, 1), post_begin(some).next}) {
        const auto [in, action] = visit_begin(o);
        BOOST_TEST((action == post_action::write));
        BOOST_TEST(in == o + one_writer);
        BOOST_TEST(visit_end(in) == o);
    }
}

BOOST_AUTO_TEST_CASE(full_count_of_writers_is_final_and_never_reaches_seq)
{
    word o = some;
    for (int i = 0; i != 10'000; ++i)
        o = post_begin(o).next; // each abandoned
    BOOST_TEST(full(o));
    BOOST_TEST(seq_of(o) == seq_of(some));
    BOOST_TEST((post_begin(o).action == post_action::write)); // still heard
    const word ended = post_end(o, seq_of(o));
    BOOST_TEST(full(ended));
    BOOST_TEST((post_begin(ended).action == post_action::suppress));
    BOOST_TEST(full(visit_end(visit_begin(o).next)));
    BOOST_TEST(!may_close(close_begin(ended)));
}

BOOST_AUTO_TEST_CASE(recycled_word_differs_from_every_earlier_one)
{
    const word last = close_begin(consume(posts_completed(some, 1)));
    BOOST_TEST(seq_of(recycle(last)) > seq_of(last));
    BOOST_TEST((recycle(wake(last)) & 0xffff) == asleep);
    constexpr word end_of_time = ~word(0);
    BOOST_TEST(seq_of(recycle(end_of_time)) == 0u);
    BOOST_TEST((consume(end_of_time) & 0xffff) == (0xffff & ~(posted | written)));
}

BOOST_AUTO_TEST_CASE(posts_to_an_owner_that_is_awake_write_nothing)
{
    const word up = wake(some);
    const auto [next, action] = post_begin(up);
    BOOST_TEST((action == post_action::suppress));
    BOOST_TEST(next == (up | posted));
    BOOST_TEST((visit_begin(up).action == post_action::write)); // in a child: whether the parent sleeps is not seen there
    BOOST_TEST(consume(next) == wake(consume(some)));
}

BOOST_AUTO_TEST_CASE(owner_falls_asleep_only_when_nothing_was_posted)
{
    const word up = wake(some);
    BOOST_TEST(sleep_begin(up).may_sleep);
    BOOST_TEST(sleep_begin(up).next == (up | asleep));
    const word told = post_begin(up).next;
    BOOST_TEST(!sleep_begin(told).may_sleep);
    BOOST_TEST(sleep_begin(told).next == told);
    BOOST_TEST(sleep_begin(consume(told)).may_sleep);
}

BOOST_AUTO_TEST_CASE(waking_up_keeps_what_was_posted)
{
    const word told = posts_completed(some, 1);
    BOOST_TEST(wake(told) == (told & ~asleep));
    BOOST_TEST(!sleep_begin(wake(told)).may_sleep);
}

BOOST_AUTO_TEST_CASE(no_post_is_lost_in_any_interleaving)
{
    const outcome found = explore({});
    BOOST_TEST(found.states > 1'000u);
    BOOST_TEST(found.lost == 0u);
}

BOOST_AUTO_TEST_CASE(no_post_is_lost_while_the_count_of_writers_fills_up)
{
    BOOST_TEST(explore({.start = some + 4094 * one_writer}).lost == 0u);
}

BOOST_AUTO_TEST_CASE(written_without_the_sequence_check_loses)
{
    BOOST_TEST(explore({.end = end_without_seq}).lost > 0u);
    BOOST_TEST(explore({.end = end_without_seq, .posters_are_abandoned = false}).lost > 0u);
}

BOOST_AUTO_TEST_CASE(two_state_flag_loses_when_posters_are_abandoned)
{
    BOOST_TEST(explore({.begin = begin_by_flag, .end = end_by_flag, .posters_are_abandoned = false}).lost == 0u);
    BOOST_TEST(explore({.begin = begin_by_flag, .end = end_by_flag}).lost > 0u);
}

BOOST_AUTO_TEST_CASE(clear_before_drain_loses)
{
    BOOST_TEST(explore({.clear_before_drain = true}).lost > 0u);
}

BOOST_AUTO_TEST_CASE(loop_that_says_when_it_sleeps_loses_no_post)
{
    for (const word start : {some, wake(some)})
        for (const bool edges : {false, true}) {
            const outcome found = explore({.loop_waits_for_edges = edges, .start = start}, owner_is::loop);
            BOOST_TEST(found.states > 1'000u);
            BOOST_TEST(found.lost == 0u);
        }
}

BOOST_AUTO_TEST_CASE(loop_that_sleeps_without_asking_loses)
{
    BOOST_TEST(explore({.loop_asks_before_it_sleeps = false}, owner_is::loop).lost > 0u);
}

BOOST_AUTO_TEST_CASE(loop_that_looks_first_and_says_later_loses)
{
    for (const bool edges : {false, true})
        BOOST_TEST(explore({.loop_waits_for_edges = edges, .loop_asks_and_says_at_once = false}, owner_is::loop).lost > 0u);
}

BOOST_AUTO_TEST_CASE(loop_loses_with_the_broken_posters_too)
{
    BOOST_TEST(explore({.end = end_without_seq}, owner_is::loop).lost > 0u);
    BOOST_TEST(explore({.begin = begin_by_flag, .end = end_by_flag}, owner_is::loop).lost > 0u);
}

BOOST_AUTO_TEST_CASE(nothing_is_written_to_a_closed_descriptor)
{
    const outcome found = explore({}, owner_is::closer);
    BOOST_TEST(found.closed > 0u);
    BOOST_TEST(found.written_when_closed == 0u);
    const outcome filling = explore({.start = some + 4093 * one_writer}, owner_is::closer);
    BOOST_TEST(filling.closed == 0u); // 4093 were abandoned before
    BOOST_TEST(filling.written_when_closed == 0u);
}

BOOST_AUTO_TEST_CASE(close_that_does_not_wait_is_written_to)
{
    BOOST_TEST(explore({.close_waits = false}, owner_is::closer).written_when_closed > 0u);
}

BOOST_AUTO_TEST_SUITE_END()

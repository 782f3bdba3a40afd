// The states of a posted event, without a kqueue.
#include "kqueue/note_state.hpp"
#include "support/support.hpp"

#include <ostream>

namespace sigev::kq {
static std::ostream& operator<<(std::ostream& stream, note_state::step s) { return stream << static_cast<int>(s); }
} // namespace sigev::kq

namespace {

using sigev::kq::note_state;
using step = note_state::step;

/// One delivery comes and is retrieved.
void retrieve_one(note_state& s)
{
    s.post();
    BOOST_TEST(s.next() == step::deliver);
    s.take(1);
    BOOST_TEST(s.next() == step::nothing); // in flight: nobody else takes any
    s.landed(true);
}

} // namespace

BOOST_AUTO_TEST_SUITE(note)

BOOST_AUTO_TEST_CASE(new_one_reports_nothing_and_is_spent)
{
    const note_state s(EVFILT_USER, 0);
    BOOST_TEST(s.next() == step::nothing);
    BOOST_TEST(s.spent());
    BOOST_TEST(!s.rests());
}

BOOST_AUTO_TEST_CASE(user_event_is_reported_once_for_each_delivery)
{
    note_state s(EVFILT_USER, 0);
    s.post();
    retrieve_one(s);
    BOOST_TEST(s.next() == step::deliver);
    s.take(1);
    s.landed(true);
    BOOST_TEST(s.next() == step::nothing);
    BOOST_TEST(s.spent());
}

BOOST_AUTO_TEST_CASE(request_is_reported_again_after_its_delivery)
{
    note_state s(EVFILT_AIO, 0);
    retrieve_one(s);
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(s.next() == step::repeat);
        s.repeated();
    }
    BOOST_TEST(!s.spent());
    s.drop();
    BOOST_TEST(s.next() == step::nothing);
    BOOST_TEST(s.spent());
}

BOOST_AUTO_TEST_CASE(cancelled_delivery_leaves_no_condition)
{
    note_state s(EVFILT_AIO, EV_ONESHOT);
    s.post();
    s.take(1);
    s.landed(false);
    BOOST_TEST(s.next() == step::nothing);
    BOOST_TEST(!s.dropped()); // nothing was retrieved
    BOOST_TEST(s.spent());
}

BOOST_AUTO_TEST_CASE(oneshot_is_dropped_by_its_first_retrieval)
{
    for (const int filter : {EVFILT_AIO, EVFILT_TIMER, EVFILT_USER}) {
        note_state s(static_cast<std::int16_t>(filter), EV_ONESHOT);
        s.post();
        retrieve_one(s);
        BOOST_TEST(s.batch() == 1U);
        BOOST_TEST(s.dropped());
        BOOST_TEST(s.next() == step::nothing);
    }
}

BOOST_AUTO_TEST_CASE(clear_ends_the_repetition_and_enable_looks_afresh)
{
    note_state s(EVFILT_AIO, EV_CLEAR);
    retrieve_one(s);
    BOOST_TEST(s.next() == step::nothing);
    BOOST_TEST(s.rests());
    s.enable();
    BOOST_TEST(s.next() == step::repeat);
    s.repeated();
    BOOST_TEST(s.next() == step::nothing);
}

BOOST_AUTO_TEST_CASE(dispatch_disables_until_enabled)
{
    note_state request(EVFILT_AIO, EV_DISPATCH);
    retrieve_one(request);
    BOOST_TEST(request.next() == step::nothing);
    request.enable();
    BOOST_TEST(request.next() == step::repeat);
    request.repeated();
    BOOST_TEST(request.next() == step::nothing);

    note_state user(EVFILT_USER, EV_DISPATCH);
    user.post();
    retrieve_one(user);
    BOOST_TEST(user.batch() == 1U);
    BOOST_TEST(user.next() == step::nothing);
    BOOST_TEST(!user.spent()); // one waits
    user.enable();
    BOOST_TEST(user.next() == step::deliver);
}

BOOST_AUTO_TEST_CASE(disabled_one_keeps_what_comes)
{
    note_state s(EVFILT_TIMER, 0);
    s.disable();
    s.post();
    BOOST_TEST(s.next() == step::nothing);
    BOOST_TEST(s.rests());
    s.enable();
    BOOST_TEST(s.next() == step::deliver);
}

BOOST_AUTO_TEST_CASE(restarted_request_reports_what_waits_but_does_not_repeat_it)
{
    note_state s(EVFILT_AIO, 0);
    s.post();
    s.supersede();
    BOOST_TEST(s.next() == step::deliver);
    s.take(1);
    s.landed(true);
    BOOST_TEST(s.next() == step::nothing);
    BOOST_TEST(s.spent());
}

BOOST_AUTO_TEST_CASE(dropped_in_flight_is_spent_only_when_it_has_landed)
{
    note_state s(EVFILT_USER, 0);
    s.post();
    s.take(1);
    s.drop();
    BOOST_TEST(!s.spent());
    s.landed(true);
    BOOST_TEST(s.spent());
}

BOOST_AUTO_TEST_SUITE_END()

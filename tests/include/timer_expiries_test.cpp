// The pure part of sigev::timer: which expiries complete which waits.
#include <sigev/detail/timer_expiries.hpp>

#include "support/support.hpp"

namespace {

using sigev::detail::timer_expiries;

constexpr auto any_time = timer_expiries::any_time;

} // namespace

BOOST_AUTO_TEST_SUITE(timer_expiries_state)

BOOST_AUTO_TEST_CASE(never_armed_and_disarmed_count_as_expired)
{
    timer_expiries e;
    BOOST_TEST(e.take());
    e.set(true, false, any_time);
    BOOST_TEST(!e.take());
    e.set(false, false, any_time);
    BOOST_TEST(e.take());
}

BOOST_AUTO_TEST_CASE(one_shot_stays_expired_until_it_is_set)
{
    timer_expiries e;
    e.set(true, false, any_time);
    BOOST_TEST(e.add(1, 100, false));
    BOOST_TEST(e.take());
    BOOST_TEST(e.take());
    e.set(true, false, any_time);
    BOOST_TEST(!e.take());
}

BOOST_AUTO_TEST_CASE(one_shot_that_is_armed_has_not_expired)
{
    timer_expiries e;
    e.set(true, false, any_time);
    BOOST_TEST(!e.add(1, 100, true)); // of an earlier setting
    BOOST_TEST(!e.take());
}

BOOST_AUTO_TEST_CASE(periodic_is_taken_once_with_all_that_came)
{
    timer_expiries e;
    e.set(true, true, 100);
    BOOST_TEST(!e.take());
    BOOST_TEST(e.add(1, 100, true));
    BOOST_TEST(e.add(3, 110, true));
    BOOST_TEST(e.take());
    BOOST_TEST(e.overrun() == 3);
    BOOST_TEST(!e.take());
    BOOST_TEST(e.overrun() == 3); // until the next is taken
    BOOST_TEST(e.add(1, 140, true));
    BOOST_TEST(e.take());
    BOOST_TEST(e.overrun() == 0);
}

BOOST_AUTO_TEST_CASE(periodic_refuses_what_was_due_before_its_first)
{
    timer_expiries e;
    e.set(true, true, 100);
    BOOST_TEST(!e.add(5, 99, true));
    BOOST_TEST(!e.take());
    e.set(true, true, any_time);
    BOOST_TEST(e.add(1, 0, true));
    e.set(true, true, 200); // what nobody took is gone
    BOOST_TEST(!e.take());
}

BOOST_AUTO_TEST_CASE(overrun_is_clamped)
{
    timer_expiries e;
    e.set(true, true, any_time);
    BOOST_TEST(e.add(std::int64_t(1) << 40, 0, true));
    BOOST_TEST(e.take());
    BOOST_TEST(e.overrun() == std::numeric_limits<int>::max());
}

BOOST_AUTO_TEST_SUITE_END()

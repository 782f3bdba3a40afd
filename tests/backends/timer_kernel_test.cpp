// The parts of the kernel's timer engine that need no kernel: the arithmetic of its books, who leaves a slot last, and what a
// signal's value says.
#include "backends/timer/kernel/arming.hpp"
#include "backends/timer/kernel/pin_word.hpp"
#include "backends/timer/kernel/receiver.hpp"
#include "support/many.hpp"
#include "support/support.hpp"

#include <atomic>
#include <thread>
#include <vector>

using namespace sigev::spi::kernel;

BOOST_AUTO_TEST_SUITE(timer_kernel)

BOOST_AUTO_TEST_CASE(what_a_timer_is_armed_with_and_how_often_the_clock_says_it_expired) {
    BOOST_TEST(make_arming(true, 0, 5, 100).first == 0); // disarmed
    BOOST_TEST(make_arming(true, 7, 5, 100).first == 7);
    BOOST_TEST(make_arming(false, 7, 5, 100).first == 107);
    BOOST_TEST(make_arming(false, INT64_MAX, 0, 100).first == INT64_MAX); // and not before 1970
    BOOST_TEST(expired_by({}, 1000) == 0u);
    BOOST_TEST(expired_by({100, 0}, 99) == 0u);
    BOOST_TEST(expired_by({100, 0}, 100) == 1u);
    BOOST_TEST(expired_by({100, 0}, 1000) == 1u);
    BOOST_TEST(expired_by({100, 10}, 100) == 1u);
    BOOST_TEST(expired_by({100, 10}, 109) == 1u);
    BOOST_TEST(expired_by({100, 10}, 110) == 2u);
}

// Whatever the clock has moved between two system calls, if it is less than half a period.
BOOST_AUTO_TEST_CASE(the_kernels_answer_says_exactly_how_many_periods_have_passed) {
    constexpr std::int64_t period = 1000;
    for (const std::int64_t off : {-499, -1, 0, 1, 499}) {
        const arming a{10000 + off, period};
        for (std::int64_t now = 10000 - 3000; now != 10000 + 5000; now += 250) {
            const std::int64_t next = now < 10000 ? 10000 : 10000 + ((now - 10000) / period + 1) * period;
            const std::uint64_t passed = expired_by({10000, period}, now);
            BOOST_TEST(expired_with(a, now, next - now) == passed, "at " << now << ", off by " << off);
        }
    }
    BOOST_TEST(expired_with({}, 1000, 0) == 0u);
    BOOST_TEST(expired_with({100, 0}, 50, 50) == 0u);
    BOOST_TEST(expired_with({100, 0}, 50, 0) == 1u); // the kernel knows better than the clock
    BOOST_TEST(expired_with({100, 1}, 90, INT64_MAX) > 0u);
    BOOST_TEST(expired_with({100, INT64_MAX}, 100, INT64_MAX) <= 1u);
    BOOST_TEST(due_after({100, 10}, 3) == 130);
    BOOST_TEST(due_after({100, 0}, 3) == 100);
    BOOST_TEST(due_after({100, INT64_MAX}, 3) == 100);
}

BOOST_AUTO_TEST_CASE(who_leaves_last_is_told_once) {
    pin_word w{};
    BOOST_TEST(w.advance() == 1u);
    bool alone = false;
    BOOST_TEST(w.enter() == 1u); // somebody
    BOOST_TEST(!w.end(2, alone));
    BOOST_TEST(w.end(1, alone));
    BOOST_TEST(!alone);
    BOOST_TEST(!w.end(1, alone));
    BOOST_TEST(!w.leave()); // who ended it
    BOOST_TEST(w.enter() == 2u); // a stale handle
    BOOST_TEST(!w.leave());
    BOOST_TEST(w.leave()); // somebody, at last
    BOOST_TEST(w.enter() == 2u);
    BOOST_TEST(!w.leave()); // not again
    BOOST_TEST(w.advance() == 3u);
    BOOST_TEST(w.end(3, alone));
    BOOST_TEST(alone);
    BOOST_TEST(w.leave());
}

BOOST_AUTO_TEST_CASE(of_many_that_leave_at_once_one_is_the_last) {
    for (sigev_tests::many rounds(2000); rounds.go_on();) {
        pin_word w{};
        w.advance();
        std::atomic<int> last{0}, inside{0};
        const auto visit = [&] {
            ++inside;
            w.enter();
            last += w.leave();
        };
        std::thread first(visit), second(visit);
        bool alone = false;
        while (inside == 0)
            std::this_thread::yield();
        BOOST_REQUIRE(w.end(1, alone));
        last += w.leave();
        first.join();
        second.join();
        last += (w.enter(), w.leave());
        BOOST_REQUIRE(last == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_signals_value_says_which_timer_it_is_of) {
    for (const token t : {token{0, 0, 1}, token{1023, (1u << 24) - 1, (1u << 30) - 1}, token{7, 4711, 815}}) {
        const token back = token::unpack(t.pack());
        BOOST_TEST(back.engine == t.engine);
        BOOST_TEST(back.slot == t.slot);
        BOOST_TEST(back.generation == t.generation);
        BOOST_TEST(back.is_of(t.generation));
        BOOST_TEST(!back.is_of(t.generation + 2));
    }
}

BOOST_AUTO_TEST_SUITE_END()

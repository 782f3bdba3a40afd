// What the ledger says of a timer whose signals the kernel sends: by arithmetic, and only that.
#include "timer_fixture.hpp"

#include <csignal>
#include <random>
#include <thread>

using namespace sigev_tests;

namespace {

const int rt = SIGRTMIN + 4;

timer make(const place& on, clockid_t clock = CLOCK_MONOTONIC) {
    return timer(on, clock, make_event(SIGEV_SIGNAL, rt, 7));
}

std::uint64_t raised(const timer& t) {
    const auto l = t.ledger();
    BOOST_TEST(l.kernel_timers == 1u);
    BOOST_TEST(l.raised + l.delivered + l.merged + l.pending + l.discarded == 0u); // they do not apply
    return l.kernel_raised;
}

} // namespace

BOOST_AUTO_TEST_SUITE(kernel_raised)

BOOST_AUTO_TEST_CASE(one_shots_count_when_they_have_expired) {
    const place on(place::runtime);
    const blocked_signals blocked{rt};
    for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_TAI}) {
        const timer t = make(on, clock);
        BOOST_TEST(raised(t) == 0u);
        t.set(3600 * 1000 * ms);
        BOOST_TEST(raised(t) == 0u);
        t.set(1); // instead of the other, which never came
        BOOST_REQUIRE(blocked.take_in_time().has_value());
        BOOST_TEST(raised(t) == 1u);
        t.set(1, 0, TIMER_ABSTIME);
        BOOST_REQUIRE(blocked.take_in_time().has_value());
        BOOST_TEST(raised(t) == 2u);
        t.set(0);
        t.set(0);
        BOOST_TEST(raised(t) == 2u);
    }
}

// Exactly: a period is longer than what the clock moves between two system calls.
BOOST_AUTO_TEST_CASE(every_period_counts_whoever_has_heard_of_it) {
    const place on(place::runtime);
    const blocked_signals blocked{rt};
    const std::int64_t period = 100 * ms;
    for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME}) {
        const timer t = make(on, clock);
        std::uint64_t before = 0;
        for (const std::uint64_t missed : {0u, 7u, 1000u}) {
            const auto start = now_of(clock) - static_cast<std::int64_t>(missed) * period - period / 2;
            t.set(start, period, TIMER_ABSTIME);
            const auto info = blocked.take_in_time();
            BOOST_REQUIRE(info.has_value());
            const auto earliest = static_cast<std::uint64_t>((now_of(clock) - start) / period) + 1;
            const auto counted = raised(t) - before;
            const auto latest = static_cast<std::uint64_t>((now_of(clock) - start) / period) + 1;
            BOOST_TEST(counted >= earliest);
            BOOST_TEST(counted <= latest);
            BOOST_TEST(counted >= static_cast<std::uint64_t>(info->si_overrun) + 1);
            t.set(0); // the account is closed
            blocked.take(0);
            before = raised(t);
            BOOST_TEST(before == raised(t));
            BOOST_TEST(before >= counted);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_a_periodic_timer_was_worth_stays_when_it_is_set_anew) {
    const place on(place::runtime);
    const blocked_signals blocked{rt};
    const timer t = make(on);
    const std::int64_t period = ms / 2, begun = now_of(CLOCK_MONOTONIC);
    std::uint64_t heard = 0;
    for (int round = 0; round != 50; ++round) {
        t.set(period, period);
        for (int i = 0; i != 4; ++i)
            if (const auto info = blocked.take_in_time())
                heard += 1 + static_cast<std::uint64_t>(info->si_overrun);
    }
    t.set(0);
    if (const auto info = blocked.take(0))
        heard += 1 + static_cast<std::uint64_t>(info->si_overrun);
    // Each settime may have dropped a pending signal with all that it stood for: at least what was heard has expired.
    BOOST_TEST(raised(t) >= heard);
    // And not more than there was time for, but for one each time it was set.
    BOOST_TEST(raised(t) <= static_cast<std::uint64_t>((now_of(CLOCK_MONOTONIC) - begun) / period) + 50);
}

// The sum over all, with those that have ended.
BOOST_AUTO_TEST_CASE(the_total_has_the_living_and_the_dead) {
    const place on(place::runtime);
    const blocked_signals blocked{rt};
    const auto total = [](int source, int method) {
        sigev_ledger l{};
        BOOST_TEST(sigev_ledger_total(source, method, &l) == 0);
        return l;
    };
    const auto before = total(SIGEV_SOURCE_TIMER, SIGEV_SIGNAL);
    const auto others = total(SIGEV_SOURCE_TIMER, SIGEV_THREAD_ID);
    {
        timer dead = make(on), alive = make(on);
        for (const timer* t : {&dead, &alive}) {
            t->set(1);
            BOOST_REQUIRE(blocked.take_in_time().has_value());
        }
        dead.remove();
        auto now = total(-1, -1);
        BOOST_TEST(now.kernel_timers == total(SIGEV_SOURCE_TIMER, -1).kernel_timers);
        now = total(SIGEV_SOURCE_TIMER, SIGEV_SIGNAL);
        BOOST_TEST(now.kernel_timers == before.kernel_timers + 2);
        BOOST_TEST(now.kernel_raised == before.kernel_raised + 2);
    }
    BOOST_TEST(total(SIGEV_SOURCE_TIMER, SIGEV_SIGNAL).kernel_raised == before.kernel_raised + 2);
    BOOST_TEST(total(SIGEV_SOURCE_TIMER, SIGEV_THREAD_ID).kernel_timers == others.kernel_timers);
    BOOST_TEST(total(SIGEV_SOURCE_AIO, -1).kernel_timers == 0u);
    BOOST_TEST(sigev_shutdown() == 0);
    BOOST_TEST(total(SIGEV_SOURCE_TIMER, SIGEV_SIGNAL).kernel_raised == before.kernel_raised + 2);
}

// A handler that sets the timer whose settime it interrupts, and threads that do: nothing is counted that has not been.
namespace {
timer_t handled = nullptr;
std::atomic<std::uint64_t> armings{0}, expiring{0};
std::atomic<long> failed{0};

// Once at once, or not before the test is over. Taken for each other, periods of ten seconds make 360 000 expirations of a
// thousand hours.
void set_once(bool at_once) {
    const auto wanted = timer_value(at_once ? 1 : 1000 * (3600 * 1000 * ms), 10 * 1000 * ms);
    const int before = errno;
    errno = 4711;
    ++armings;
    expiring += at_once;
    if (sigev_timer_settime(handled, 0, &wanted, nullptr) != 0 || errno != 4711)
        ++failed;
    errno = before;
}
} // namespace

BOOST_AUTO_TEST_CASE(settimes_that_race_count_nothing_that_has_not_been, *deadline(60)) {
    const place on(place::runtime);
    const blocked_signals blocked{rt};
    const timer t = make(on);
    handled = t.id();
    armings = expiring = 0;
    failed = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { set_once(armings % 3 != 0); };
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR2, &action, nullptr);
    const pid_t here = this_thread();
    std::atomic<bool> stop{false};
    std::thread storm([&] {
        while (!stop) {
            syscall(SYS_tgkill, getpid(), here, SIGUSR2);
            set_once(armings % 2 != 0);
        }
    });
    for (int i = 0; i != 20000; ++i) {
        set_once(i % 2 != 0);
        if (i % 64 == 0)
            BOOST_REQUIRE(raised(t) <= expiring);
    }
    stop = true;
    storm.join();
    std::signal(SIGUSR2, SIG_DFL);
    BOOST_TEST(failed == 0);
    const auto counted = raised(t);
    BOOST_TEST(counted <= expiring);
    BOOST_TEST(counted > 0u);
    // And the books are in order again.
    t.set(0);
    const auto rest = raised(t);
    t.set(1);
    BOOST_TEST(wait_until([&] { return nanoseconds_of(t.get().it_value) == 0; }));
    BOOST_TEST(raised(t) == rest + 1);
}

BOOST_AUTO_TEST_SUITE_END()

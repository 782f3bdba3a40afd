// Protocol H, over and over: of 64 callbacks that are due at once the first (or the first three) block until all others have
// run. Nothing but a leader that takes one callback and promotes a follower before it runs it can do that. On the runtime,
// raised by submits, by timers on two clocks, and by both. Half a second each, SIGEV_STRESS_SECONDS for longer.
#include "support/stress.hpp"
#include "support/support.hpp"
#include "sys/clock.hpp"

#include <sigev.h>

#include <array>
#include <atomic>
#include <memory>

using namespace sigev_tests;

namespace {

constexpr int crowd = 64;

/// One round: who comes first stays until it is let go.
struct stage {
    explicit stage(int stuck) : stays(stuck) {}

    const int stays;
    gate release;
    std::atomic<int> entered{0}, passed{0}, over{0};
};
std::atomic<stage*> playing{nullptr};

void enter(sigval)
{
    stage& now = *playing;
    if (now.entered++ < now.stays)
        (void)now.release.wait(seconds(60));
    else
        ++now.passed;
    ++now.over; // last: then the stage may go
}

sigevent calls_enter()
{
    sigevent event = {};
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = enter;
    return event;
}

/// 64 sources: the first `submits` of them subscriptions, the rest timers on two clocks in turn.
class sources {
public:
    explicit sources(int submits) : submits_(submits)
    {
        sigevent event = calls_enter();
        for (int i = 0; i != submits_; ++i)
            BOOST_REQUIRE(sigev_open(&event, 1, nullptr, &subscriptions_[at(i)]) == 0);
        for (int i = submits_; i != crowd; ++i)
            BOOST_REQUIRE(sigev_timer_create(clock_of(i), &event, &timers_[at(i)]) == 0);
    }
    sources(const sources&) = delete;
    sources& operator=(const sources&) = delete;
    ~sources()
    {
        for (int i = 0; i != submits_; ++i)
            sigev_close(subscriptions_[at(i)]);
        for (int i = submits_; i != crowd; ++i)
            sigev_timer_delete_wait(timers_[at(i)]);
    }

    /// All timers are due at the same moment; submits are due at once.
    void raise_all()
    {
        for (int i = submits_; i != crowd; ++i) {
            const itimerspec due = {{}, sigev::sys::to_timespec(sigev::sys::now(clock_of(i)) + 300'000)};
            BOOST_REQUIRE(sigev_timer_settime(timers_[at(i)], TIMER_ABSTIME, &due, nullptr) == 0);
        }
        for (int i = 0; i != submits_; ++i)
            BOOST_REQUIRE(sigev_submit(subscriptions_[at(i)], i, 0) == 0);
    }

    /// Each has told of as many as there were rounds: a ledger for each.
    bool exact(std::uint64_t rounds) const
    {
        for (int i = 0; i != crowd; ++i) {
            sigev_ledger l = {};
            i < submits_ ? sigev_ledger_read(subscriptions_[at(i)], &l) : sigev_timer_ledger(timers_[at(i)], &l);
            if (l.raised != rounds || l.delivered != rounds)
                return false;
        }
        return true;
    }

private:
    static std::size_t at(int i) { return static_cast<std::size_t>(i); }
    static clockid_t clock_of(int i) { return i % 2 ? CLOCK_REALTIME : CLOCK_MONOTONIC; }

    const int submits_;
    std::array<sigev_t, crowd> subscriptions_{};
    std::array<timer_t, crowd> timers_{};
};

void stress(int submits)
{
    sources all(submits);
    std::uint64_t rounds = 0;
    bool good = true;
    for (const std::uint64_t end = sigev::sys::now(CLOCK_MONOTONIC) + stress_nanoseconds();
         good && (rounds == 0 || sigev::sys::now(CLOCK_MONOTONIC) < end); ++rounds) {
        const auto now = std::make_unique<stage>(rounds % 4 == 3 ? 3 : 1);
        playing = now.get();
        all.raise_all();
        good = wait_until([&] { return now->passed == crowd - now->stays; });
        BOOST_TEST(good, now->passed << " have run beside " << now->stays << " that block");
        now->release.open();
        BOOST_TEST_REQUIRE(wait_until([&] { return now->over == crowd; }));
    }
    BOOST_TEST(wait_until([&] { return all.exact(rounds); }));
    BOOST_TEST_MESSAGE(rounds << " rounds");
    BOOST_TEST(rounds > 0u);
}

} // namespace

BOOST_AUTO_TEST_SUITE(stuck_stress)

BOOST_AUTO_TEST_CASE(the_first_of_64_submits_blocks_and_63_run, *deadline(600))
{
    stress(crowd);
}

BOOST_AUTO_TEST_CASE(the_first_of_64_due_timers_blocks_and_63_run, *deadline(600))
{
    stress(0);
}

BOOST_AUTO_TEST_CASE(the_first_of_32_submits_and_32_due_timers_blocks_and_63_run, *deadline(600))
{
    stress(crowd / 2);
}

BOOST_AUTO_TEST_SUITE_END()

// A registered method that refuses (SIGEV_RETRY) while others submit. Its lane rests, and only the drain lets it go on: so what
// the drain is to find has to be there before the bit that leads it there, and before the wakeup. Otherwise a lane rests for
// ever, with all that is behind it. Half a second each, SIGEV_STRESS_SECONDS for longer.
#include "core/dispatcher_fixture.hpp"
#include "core/pool.hpp"
#include "support/stepping.hpp"
#include "support/stress.hpp"

#include <array>
#include <thread>

using namespace sigev_tests;

namespace {

/// What the runtime is to the dispatcher, with workers that do as the test says.
struct fake_team final : spi::workers {
    int open_lane(const spi::lane_call&, const spi::lane_threads&, spi::delivery_port&, spi::lane**) noexcept override
    {
        return EAGAIN;
    }
    void enqueue(spi::lane& l, spi::delivery& first, spi::delivery& last) noexcept override { l.push_back(first, last); }
    void enqueue_each(const spi::lane_delivery* list, unsigned n, bool) noexcept override
    {
        for (unsigned i = 0; i != n; ++i)
            enqueue(*list[i].to, *list[i].what, *list[i].what);
    }
    void withdraw(spi::lane& l) noexcept override
    {
        while (l.head)
            l.port->drop(*l.pop_front());
    }
    void resume(spi::lane&) noexcept override {}
    void close_lane(spi::lane*) noexcept override {}
    bool are_calls_alike_here() const noexcept override { return false; }
};

/// A subscription with a delivery that a worker has, and with a newest notification that found no record.
class desk : public dispatcher_fixture {
public:
    desk()
    {
        road.deliver_user_code_on(&team_);
        core::subscription_spec spec;
        spec.capacity = 1;
        s_ = &open(spec, fake_user_method, &target_);
        lane_.port = &road;
        s_->lane = &lane_;
        submit(*s_, 1);
        settle();
        working_ = lane_.pop_front();
        submit(*s_, 2); // sets the bit that a refusal will find set
    }

    /// By the worker.
    void refuse()
    {
        sigev_notification n;
        again_ = road.begin(*working_, n) && road.end(*working_, verdict::retry);
    }
    void drain_once()
    {
        woken_ = host.wakes;
        drain();
    }
    /// Until nobody wakes the loop any more.
    void settle()
    {
        while (woken_ != host.wakes)
            drain_once();
    }

    /// When all is quiet: the lane rests, and the drain knows nothing of it.
    bool is_forgotten() const { return s_->suspended; }

    void clear_up()
    {
        if (again_)
            lane_.push_front(*working_);
        road.cancel(*s_);
        check_ledger(*s_, 2, 0, 0, 0, 2);
        s_->lane = nullptr; // it is none of the runtime's
        all->release(*s_);
        all->reap_dead(true);
        settle();
    }

private:
    core::subscription* s_ = nullptr;
    spi::lane lane_;
    spi::delivery* working_ = nullptr;
    bool again_ = false;
    fake_team team_;
    fake_target target_;
    long woken_ = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(refusal_stress)

// (A store that only others see late, where a processor does that, is met by neither of these cases: it takes millions of
// tries.)
BOOST_AUTO_TEST_CASE(a_refusal_with_a_drain_in_its_middle_is_not_forgotten, *deadline(120))
{
    stepping by_steps;
    unsigned wrong = 0;
    const unsigned steps = by_steps.each([&](unsigned k) {
        desk d;
        const bool hit = by_steps.interrupted(k, [&] { d.refuse(); }, [&] { d.drain_once(); });
        d.settle();
        wrong += d.is_forgotten();
        d.clear_up();
        return hit && wrong < 3;
    });
    BOOST_TEST_MESSAGE(steps << " steps");
    BOOST_TEST(steps > 20u);
    BOOST_TEST(wrong == 0u);
}

// The same through the library, on the runtime: whatever is refused is delivered in the end.
BOOST_AUTO_TEST_CASE(what_a_method_of_the_programs_refuses_beside_two_producers_is_delivered, *deadline(600))
{
    static std::atomic<std::uint64_t> calls{0}, delivered{0};
    constexpr std::size_t many = 48;
    sigev_method method = {};
    method.size = sizeof method;
    method.deliver = [](void*, void*, const sigev_notification*) {
        if (calls++ % 2 == 0)
            return static_cast<int>(SIGEV_RETRY);
        ++delivered;
        return static_cast<int>(SIGEV_DELIVERED);
    };
    const int number = sigev_method_register(&method);
    BOOST_REQUIRE(number > 0);
    sigevent event = {};
    event.sigev_notify = number;
    std::array<sigev_t, many> subscriptions{};
    for (sigev_t& s : subscriptions)
        BOOST_REQUIRE(sigev_open(&event, 1, nullptr, &s) == 0);
    rounds turns;
    const auto produce = [&](std::size_t step) {
        for (std::uint64_t n = 1; turns.await(n); ++n) {
            for (int times = 0; times != 3; ++times)
                for (std::size_t i = 0; i != many; ++i)
                    sigev_submit(subscriptions[(i * step) % many], 0, 0);
            turns.through();
        }
    };
    std::thread first(produce, 1), second(produce, 5);
    std::uint64_t raised = 0, played = 0;
    bool good = true;
    for (const std::uint64_t end = sigev::sys::now(CLOCK_MONOTONIC) + stress_nanoseconds();
         good && sigev::sys::now(CLOCK_MONOTONIC) < end; ++played) {
        turns.begin();
        turns.finish(2);
        raised += 6;
        for (const sigev_t s : subscriptions) {
            good = good && wait_until([&] {
                       sigev_ledger l = {};
                       return sigev_ledger_read(s, &l) == 0 && l.pending == 0 && l.raised == raised &&
                              l.delivered + l.merged == raised;
                   });
        }
    }
    turns.end();
    first.join();
    second.join();
    BOOST_TEST_MESSAGE(played << " rounds, " << calls << " calls, " << delivered << " not refused");
    BOOST_TEST(good, "a lane rests for ever, or a ledger is wrong");
    for (const sigev_t s : subscriptions)
        BOOST_TEST(sigev_close(s) == 0);
    BOOST_TEST(sigev_method_unregister(number) == 0);
    BOOST_TEST(sigev_shutdown() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

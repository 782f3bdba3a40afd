// The dispatcher, interrupted after each instruction: a submit by others, by the drain, by a jump that never comes back; the
// drain by submits and by others who want to drain; cancel() by submits and drains. After each the ledger is exact.
#include "core/dispatcher_fixture.hpp"
#include "support/stepping.hpp"

#include <array>
#include <csetjmp>

using namespace sigev_tests;

namespace {

/// What is delivered to it, without anything that allocates: the drain runs in handlers here, and is interrupted by them.
struct reader {
    int calls = 0;
    std::atomic<int> inside{0};
    bool twice_at_once = false, overtaken = false, after_the_end = false, over = false;
    std::array<std::int64_t, 4> last{}; // of each producer; what it submits counts up from 1

    static spi::verdict deliver(void* p, spi::delivery&, const sigev_notification& n) noexcept
    {
        auto& self = *static_cast<reader*>(p);
        self.twice_at_once = self.twice_at_once || self.inside++ != 0;
        auto& last = self.last[static_cast<std::size_t>(n.data >> 32)];
        const auto number = n.data & 0xffffffff;
        self.overtaken = self.overtaken || number <= last;
        self.after_the_end = self.after_the_end || self.over;
        last = number;
        ++self.calls;
        --self.inside;
        return verdict::delivered;
    }
    static void close(void*) noexcept {}

    bool good() const { return !twice_at_once && !overtaken && !after_the_end; }
};

constexpr spi::method reading = {"reading", SIGEV_NONE, false, false, false, nullptr, reader::deliver, nullptr, nullptr,
                                 reader::close};

/// Two subscriptions on a dispatcher whose loop runs only when it is woken.
class desk : public dispatcher_fixture {
public:
    explicit desk(std::uint32_t capacity) : a(&open_reader(first, capacity)), b(&open_reader(second, capacity)) {}

    /// Producer `who` submits its next one.
    void submit(core::subscription& s, std::int64_t who)
    {
        auto& number = &s == a ? next_a_[static_cast<std::size_t>(who)] : next_b_[static_cast<std::size_t>(who)];
        const int error = road.submit(s, s.generation.generation(), who << 32 | ++number, 0);
        accepted_ += error == 0;
    }

    void loop()
    {
        woken_ = host.wakes;
        turn();
    }
    /// Until nobody wakes it any more.
    void settle()
    {
        while (woken_ != host.wakes)
            loop();
    }
    /// As somebody else who has the drain's business: a timer that is due, a purge.
    void turn()
    {
        if (road.enter())
            do {
                road.run();
                road.sweep();
            } while (!road.leave());
    }

    /// Everything that was accepted has been delivered or has merged, or was discarded by a cancel.
    bool exact(bool cancelled = false) const
    {
        const sigev_ledger x = core::registry::read(*a), y = core::registry::read(*b);
        return x.raised + y.raised == static_cast<std::uint64_t>(accepted_) && x.pending + y.pending == 0 &&
               x.raised == x.delivered + x.merged + x.discarded && y.raised == y.delivered + y.merged &&
               (cancelled || x.discarded == 0) && x.delivered == static_cast<std::uint64_t>(first.calls) &&
               y.delivered == static_cast<std::uint64_t>(second.calls) && first.good() && second.good();
    }
    void close()
    {
        dispatcher_fixture::close(*a);
        dispatcher_fixture::close(*b);
    }

    reader first, second;
    core::subscription *a, *b;

private:
    core::subscription& open_reader(reader& r, std::uint32_t capacity)
    {
        core::subscription_spec spec;
        spec.capacity = capacity;
        return open(spec, reading, &r);
    }

    std::array<std::atomic<int>, 4> next_a_{}, next_b_{};
    std::atomic<int> accepted_{0};
    long woken_ = 0;
};

constexpr std::uint32_t capacities[] = {1, 8}; // with and without a newest one that waits

void check(const char* what, unsigned steps, unsigned wrong)
{
    BOOST_TEST_MESSAGE(steps << " steps: " << what);
    BOOST_TEST(steps > 20u);
    BOOST_TEST(wrong == 0u, what);
}

class by_steps : public stepping {
public:
    by_steps()
    {
        if (!sigev::sys::atomic16_is_lock_free())
            skip("the lock in place of a 16-byte exchange is held with all signals blocked");
    }

    /// With what stands on the road before, in the operation and in its middle.
    template <class Before, class Operation, class Middle>
    void run(const char* what, Before before, Operation operation, Middle middle, bool cancels = false)
    {
        for (const std::uint32_t capacity : capacities) {
            unsigned wrong = 0;
            const unsigned steps = each([&](unsigned k) {
                desk d(capacity);
                before(d);
                const bool hit = interrupted(k, [&] { operation(d); }, [&] { middle(d); });
                d.settle();
                wrong += !d.exact(cancels);
                d.close();
                return hit && wrong < 3;
            });
            check(what, steps, wrong);
        }
    }
};

// A drain has many instructions; the producer is the one that comes in its middle.
const auto two = [](desk& d) { d.submit(*d.a, 2), d.submit(*d.a, 2); };
const auto some = [](desk& d) {
    for (const std::int64_t who : {0, 1})
        d.submit(*d.a, who), d.submit(*d.b, who);
};

} // namespace

BOOST_AUTO_TEST_SUITE(submit_steps)

BOOST_FIXTURE_TEST_CASE(a_submit_with_others_in_its_middle, by_steps, *deadline(300))
{
    for (const bool full : {false, true})
        run("another's", [&](desk& d) { full ? some(d) : void(); }, [](desk& d) { d.submit(*d.a, 2); },
            [](desk& d) { d.submit(*d.a, 3), d.submit(*d.b, 3), d.submit(*d.a, 3); });
}

BOOST_FIXTURE_TEST_CASE(a_submit_with_a_drain_in_its_middle, by_steps, *deadline(300))
{
    for (const bool full : {false, true})
        run("the loop runs if it was woken", [&](desk& d) { full ? some(d) : void(); },
            [](desk& d) { d.submit(*d.a, 2); }, [](desk& d) { d.settle(); });
    run("others, the loop, and others", some, [](desk& d) { d.submit(*d.a, 2); },
        [](desk& d) { d.submit(*d.a, 3), d.settle(), d.submit(*d.a, 3), d.submit(*d.b, 3); });
}

BOOST_FIXTURE_TEST_CASE(a_drain_with_submits_in_its_middle, by_steps, *deadline(300))
{
    run("a handler's", two, [](desk& d) { d.loop(); },
        [](desk& d) { d.submit(*d.a, 2), d.submit(*d.a, 2), d.submit(*d.b, 2), d.submit(*d.a, 2); });
}

BOOST_FIXTURE_TEST_CASE(a_drain_with_another_in_its_middle, by_steps, *deadline(300))
{
    // The other has been woken for what it has submitted, and finds the drain taken: nothing else will wake anybody.
    for (const std::uint32_t capacity : capacities) {
        unsigned wrong = 0;
        const unsigned steps = each([&](unsigned k) {
            desk d(capacity);
            two(d);
            const bool hit = interrupted(k, [&] { d.loop(); }, [&] { d.submit(*d.a, 2), d.submit(*d.b, 2), d.loop(); });
            if (!hit)
                d.settle();
            wrong += !d.exact();
            d.close();
            return hit && wrong < 3;
        });
        check("somebody else drains", steps, wrong);
    }
}

BOOST_FIXTURE_TEST_CASE(a_cancel_with_submits_and_a_drain_in_its_middle, by_steps, *deadline(300))
{
    const auto cancel = [](desk& d) {
        d.road.cancel(*d.a);
        d.first.over = true;
    };
    run("submits", some, cancel, [](desk& d) { d.submit(*d.a, 2), d.submit(*d.b, 2), d.submit(*d.a, 2); }, true);
    run("a drain", some, cancel, [](desk& d) { d.loop(); }, true);
    run("both", some, cancel, [](desk& d) { d.submit(*d.a, 2), d.loop(), d.submit(*d.a, 2), d.submit(*d.b, 2); }, true);
}

BOOST_FIXTURE_TEST_CASE(a_submit_in_whose_middle_its_subscription_is_cancelled, by_steps, *deadline(300))
{
    for (const bool full : {false, true})
        run("cancelled", [&](desk& d) { full ? some(d) : void(); }, [](desk& d) { d.submit(*d.a, 2); },
            [](desk& d) {
                d.road.cancel(*d.a);
                d.first.over = true;
            },
            true);
}

BOOST_FIXTURE_TEST_CASE(a_submit_that_is_left_by_a_jump_silences_nobody, by_steps, *deadline(300))
{
    // In a child: what it had claimed is never given back, so the subscription never ends.
    static sigjmp_buf way_out;
    for (const bool full : {false, true})
        for (const std::uint32_t capacity : {2u, 8u})
            BOOST_TEST(child([&] {
                           unsigned wrong = 0;
                           volatile bool hit = false;
                           const unsigned steps = each([&](unsigned k) {
                               desk d(capacity);
                               if (full)
                                   some(d);
                               hit = true;
                               if (sigsetjmp(way_out, 0) == 0)
                                   hit = interrupted(k, [&] { d.submit(*d.a, 2); }, [] { siglongjmp(way_out, 1); });
                               d.submit(*d.b, 3);
                               d.submit(*d.a, 3);
                               d.settle();
                               // The other's book is whole, and the last of this one has come too.
                               wrong += d.second.last[3] != 1 || d.first.last[3] != 1 || !d.first.good() || !d.second.good();
                               return hit && wrong < 3;
                           });
                           check("abandoned", steps, wrong);
                       }) == exited_well);
}

BOOST_AUTO_TEST_SUITE_END()

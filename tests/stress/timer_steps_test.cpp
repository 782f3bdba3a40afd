// The timer protocol, interrupted after each instruction: the reactor's reap() by whoever sets or deletes; settime() and
// destroy() by the reactor, by others, by a jump that never comes back. After each the sums of the timers' arena: each arming
// has fired or been returned, once, by its own generation.
#include "spi/timer_engine.hpp"
#include "support/stepping.hpp"
#include "sys/atomic16.hpp"
#include "sys/clock.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <csetjmp>
#include <memory>

#include <poll.h>

using namespace sigev_tests;
namespace spi = sigev::spi;
using spi::timer_base;

namespace {

constexpr std::uint64_t us = 1'000, hour = 3'600 * sigev::sys::nanoseconds_per_second;

std::uint64_t now(timer_base base = timer_base::steady)
{
    return sigev::sys::now(base == timer_base::wall ? CLOCK_REALTIME : CLOCK_MONOTONIC);
}

/// A timer, and its books. Signal handlers write them too, on the same thread.
struct timer {
    std::uint32_t slot = 0, generation = 0;
    std::atomic<int> armed{0}, fired{0}, returned{0}, retired{0};
    std::atomic<bool> deleted{false};
    std::atomic<std::uint64_t> deadlines{0}; // armed - fired - returned, modulo 2^64

    bool balanced() const { return armed == fired + returned && deadlines == 0; }
};

/// An engine with its owner's loop, which never looks at a clock: a descriptor or wake() tells.
class clockwork final : spi::timer_sink {
public:
    explicit clockwork(bool wall = false) : wall_(wall), engine_(spi::make_heap_engine(CLOCK_MONOTONIC, *this)) {}

    timer& make()
    {
        timer& t = timers_.at(used_++);
        BOOST_REQUIRE(engine_->create(wall_, t.slot, t.generation) == 0);
        return t;
    }

    bool set(timer& t, std::uint64_t deadline, timer_base base = timer_base::steady, std::uint64_t interval = 0)
    {
        const auto done = engine_->settime(t.slot, t.generation, {deadline, interval, base});
        if (!done.valid)
            return false;
        arm(t, deadline);
        give_back(t, done.old);
        return true;
    }
    bool destroy(timer& t)
    {
        const auto done = engine_->destroy(t.slot, t.generation);
        if (done.valid) {
            t.deleted = true;
            give_back(t, done.old);
        }
        return done.valid;
    }
    /// Heals a timer whose settime() was abandoned. Is it armed?
    std::uint64_t interval(const timer& t) { return engine_->gettime(t.slot, t.generation).old.interval; }
    bool look(const timer& t) { return engine_->gettime(t.slot, t.generation).old.deadline != 0; }

    void reap()
    {
        woken_ = false;
        while (engine_->reap())
            ;
    }

    /// False: it slept, and what was to come did not.
    template <class Done>
    bool run_until(Done done)
    {
        while (!done()) {
            if (!woken_) {
                int own[2];
                const unsigned count = engine_->descriptors(own);
                pollfd fds[2] = {{count > 0 ? own[0] : -1, POLLIN, 0}, {count > 1 ? own[1] : -1, POLLIN, 0}};
                if (poll(fds, 2, 1'000) <= 0)
                    return done();
            }
            reap();
        }
        return true;
    }

    bool all_balanced() const
    {
        return std::all_of(timers_.begin(), timers_.end(), [](const timer& t) { return t.balanced(); });
    }

    int strangers = 0;

private:
    void expired(std::uint32_t slot, std::uint32_t generation, std::uint64_t, std::uint64_t scheduled, sigev::spi::timer_base) noexcept override
    {
        if (timer* t = find(slot, generation)) {
            t->fired += 1;
            t->deadlines -= scheduled;
        } else {
            ++strangers;
        }
    }
    void retired(std::uint32_t slot, std::uint32_t generation) noexcept override
    {
        timer* t = find(slot, generation);
        t ? void(t->retired += 1) : void(++strangers);
    }
    void wake() noexcept override { woken_ = true; }

    static void arm(timer& t, std::uint64_t deadline)
    {
        t.armed += deadline != 0;
        t.deadlines += deadline;
    }
    static void give_back(timer& t, const spi::timer_value& old)
    {
        t.returned += old.deadline != 0;
        t.deadlines -= old.deadline;
    }
    timer* find(std::uint32_t slot, std::uint32_t generation)
    {
        for (unsigned i = 0; i != used_; ++i)
            if (timers_[i].slot == slot && timers_[i].generation == generation)
                return &timers_[i];
        return nullptr;
    }

    const bool wall_;
    std::array<timer, 4> timers_;
    unsigned used_ = 0;
    std::atomic<bool> woken_{false};
    const std::unique_ptr<spi::timer_engine> engine_;
};

class by_steps : public stepping {
public:
    by_steps()
    {
        if (!sigev::sys::atomic16_is_lock_free())
            skip("the lock in place of a 16-byte exchange is held with all signals blocked");
    }
};

void check(const char* what, unsigned steps, unsigned wrong)
{
    BOOST_TEST_MESSAGE(steps << " steps: " << what);
    BOOST_TEST(steps > 10u);
    BOOST_TEST(wrong == 0u, what);
}

void pass(std::uint64_t deadline)
{
    while (now() <= deadline)
        ;
}

sigjmp_buf way_out;

} // namespace

BOOST_AUTO_TEST_SUITE(timer_steps)

BOOST_FIXTURE_TEST_CASE(a_reap_in_whose_middle_a_timer_is_set, by_steps, *deadline(300))
{
    enum : int { due, far, unset, among_others, in_the_heap_of_the_other_base, count };
    const char* const what[] = {
        "the timer is due, and set to later", "the timer stands far in the heap, and is set to earlier",
        "another timer is set, for the first time", "it has been set, as others, and is set again",
        "the timer moves to the other base"};
    for (int state = due; state != count; ++state) {
        unsigned wrong = 0;
        const unsigned steps = each([&](unsigned k) {
            clockwork c(state == in_the_heap_of_the_other_base);
            timer& a = c.make();
            timer& b = c.make();
            const std::uint64_t soon = now() + 5 * us;
            c.set(b, soon);
            if (state == due)
                c.set(a, soon);
            if (state == far || state == in_the_heap_of_the_other_base)
                c.set(a, now() + hour);
            c.reap();
            if (state == among_others)
                for (timer* t : {&c.make(), &a})
                    c.set(*t, now() + 10 * us);
            pass(soon);
            const bool hit = interrupted(k, [&] { c.reap(); }, [&] {
                const auto base = state == in_the_heap_of_the_other_base ? timer_base::wall : timer_base::steady;
                c.set(a, now(base) + 20 * us, base);
            });
            if (!hit)
                c.set(a, 0);
            wrong += !c.run_until([&] { return c.all_balanced(); }) || c.strangers != 0;
            return hit && wrong < 3; // a lost expiry is waited for
        });
        check(what[state], steps, wrong);
    }
}

BOOST_FIXTURE_TEST_CASE(a_reap_in_whose_middle_a_due_timer_is_disarmed_or_deleted, by_steps, *deadline(300))
{
    for (const bool deleted : {false, true}) {
        unsigned wrong = 0;
        const unsigned steps = each([&](unsigned k) {
            clockwork c;
            timer& a = c.make();
            const std::uint64_t soon = now() + 5 * us;
            c.set(a, soon);
            c.reap();
            pass(soon);
            int fired_then = 0;
            const bool hit = interrupted(k, [&] { c.reap(); }, [&] {
                deleted ? c.destroy(a) : c.set(a, 0);
                fired_then = a.fired;
            });
            wrong += !c.run_until([&] { return a.balanced() && (!deleted || !hit || a.retired == 1); });
            wrong += hit && a.fired > 1;
            wrong += c.strangers != 0;
            return hit && wrong < 3; // a lost expiry is waited for
        });
        check(deleted ? "deleted" : "disarmed", steps, wrong);
    }
}

BOOST_FIXTURE_TEST_CASE(a_settime_in_whose_middle_the_reactor_runs, by_steps, *deadline(300))
{
    unsigned wrong = 0;
    const unsigned steps = each([&](unsigned k) {
        clockwork c;
        timer& a = c.make();
        const std::uint64_t soon = now() + 5 * us;
        c.set(a, soon);
        c.reap();
        pass(soon);
        const bool hit = interrupted(k, [&] { c.set(a, now() + 20 * us); }, [&] { c.reap(); });
        wrong += !c.run_until([&] { return a.balanced(); }) || c.strangers != 0;
        return hit && wrong < 3;
    });
    check("a due timer is set", steps, wrong);
}

BOOST_FIXTURE_TEST_CASE(a_settime_in_whose_middle_the_timer_is_set, by_steps, *deadline(300))
{
    for (const std::uint64_t other : {std::uint64_t{0}, 10 * us, 40 * us}) {
        unsigned wrong = 0;
        const unsigned steps = each([&](unsigned k) {
            clockwork c;
            timer& a = c.make();
            const bool hit = interrupted(k, [&] { c.set(a, now() + 20 * us); },
                                         [&] { c.set(a, other == 0 ? 0 : now() + other); });
            wrong += !c.run_until([&] { return a.balanced(); }) || c.strangers != 0;
            return hit && wrong < 3; // a lost expiry is waited for
        });
        check("set by another", steps, wrong);
    }
}

BOOST_FIXTURE_TEST_CASE(a_settime_in_whose_middle_the_slot_gets_a_new_owner, by_steps, *deadline(300))
{
    for (const bool looked_for : {false, true}) {
        unsigned wrong = 0, same_slot = 0;
        const unsigned steps = each([&](unsigned k) {
            clockwork c;
            timer& a = c.make();
            timer* b = nullptr;
            const bool hit = interrupted(k, [&] { c.set(a, now() + 20 * us); }, [&] {
                if (looked_for) // the reactor meets the slot for another reason than its end
                    c.set(a, now() + 10 * us);
                c.destroy(a);
                c.reap();
                b = &c.make();
                c.set(*b, now() + 10 * us);
                same_slot += b->slot == a.slot;
            });
            if (!hit) {
                c.destroy(a);
                b = &c.make();
            }
            // What it set after the end is nobody's: it neither fires nor shows in a later owner.
            wrong += !c.run_until([&] { return a.retired == 1 && b->balanced(); }) || c.strangers != 0 || a.fired != 0;
            timer& next = c.make();
            c.set(next, now() + hour);
            wrong += next.returned != 0;
            c.set(next, 0);
            wrong += !next.balanced();
            return hit && wrong < 3;
        });
        check(looked_for ? "set, deleted, and the slot given away" : "deleted, and the slot given away", steps, wrong);
        BOOST_TEST(same_slot > 0u);
    }
}

// Up to where it blocks all signals to take the lock: a step behind that ends the process, so each has one of its own.
BOOST_FIXTURE_TEST_CASE(a_settime_of_a_wide_interval_in_whose_middle_the_slot_gets_a_new_owner, by_steps, *deadline(300))
{
    constexpr std::uint64_t wide = std::uint64_t{1} << 50, another = std::uint64_t{1} << 52;
    unsigned wrong = 0;
    const unsigned steps = each([&](unsigned k) {
        const child_end end = child([&] {
            clockwork c;
            timer& a = c.make();
            timer* b = nullptr;
            interrupted(k, [&] { c.set(a, now() + hour, timer_base::steady, wide); }, [&] {
                c.destroy(a);
                c.reap();
                b = &c.make();
                c.set(*b, now() + hour, timer_base::steady, another);
            });
            return b && b->slot == a.slot && c.interval(*b) == another ? 0 : 1;
        });
        wrong += end != exited_well && end.signal != SIGTRAP;
        return end.signal != SIGTRAP && wrong < 3;
    });
    check("deleted, and the slot given to a timer whose interval is wide too", steps, wrong);
}

BOOST_FIXTURE_TEST_CASE(a_settime_that_is_left_by_a_jump_silences_nobody_and_is_healed, by_steps, *deadline(300))
{
    unsigned wrong = 0;
    volatile bool hit = false;
    const unsigned steps = each([&](unsigned k) {
        clockwork c;
        timer& a = c.make();
        timer& b = c.make();
        hit = true;
        if (sigsetjmp(way_out, 0) == 0)
            hit = interrupted(k, [&] { c.set(a, now() + 10 * us); }, [] { siglongjmp(way_out, 1); });
        c.set(b, now() + 20 * us);
        wrong += !c.run_until([&] { return b.balanced(); });
        c.look(a);
        c.set(a, now() + 10 * us);
        c.set(a, 0); // returned, unless it had fired
        wrong += !c.run_until([&] { return b.balanced(); }) || c.strangers != 0;
        c.set(b, now() + 10 * us);
        wrong += !c.run_until([&] { return b.balanced(); });
        return hit && wrong < 3;
    });
    check("abandoned", steps, wrong);
}

BOOST_FIXTURE_TEST_CASE(an_abandoned_settime_that_is_healed_by_a_look_fires, by_steps, *deadline(300))
{
    unsigned wrong = 0, armed = 0;
    volatile bool hit = false;
    const unsigned steps = each([&](unsigned k) {
        clockwork c;
        timer& a = c.make();
        hit = true;
        if (sigsetjmp(way_out, 0) == 0)
            hit = interrupted(k, [&] { c.set(a, now() + 10 * us); }, [] { siglongjmp(way_out, 1); });
        c.reap();
        const bool is_armed = c.look(a);
        armed += is_armed;
        wrong += is_armed && !c.run_until([&] { return a.fired == 1; });
        wrong += c.strangers != 0;
        return hit && wrong < 3;
    });
    check("abandoned, then looked at", steps, wrong);
    BOOST_TEST(armed > 1u);
}

BOOST_FIXTURE_TEST_CASE(a_destroy_in_whose_middle_the_timer_is_set_or_the_reactor_runs, by_steps, *deadline(300))
{
    for (const bool reactor : {false, true}) {
        unsigned wrong = 0;
        const unsigned steps = each([&](unsigned k) {
            clockwork c;
            timer& a = c.make();
            c.set(a, now() + hour);
            c.reap();
            const bool hit = interrupted(k, [&] { c.destroy(a); }, [&] {
                if (reactor)
                    c.reap();
                else
                    c.set(a, now() + 10 * us);
            });
            wrong += !c.run_until([&] { return a.retired == 1; }) || c.strangers != 0;
            wrong += !a.balanced();
            timer& next = c.make();
            c.set(next, now() + hour);
            wrong += next.returned != 0 || next.slot != a.slot;
            return hit && wrong < 3; // a lost expiry is waited for
        });
        check(reactor ? "the reactor runs" : "set", steps, wrong);
    }
}

BOOST_FIXTURE_TEST_CASE(of_two_destroys_in_each_others_middle_one_is_valid, by_steps, *deadline(300))
{
    unsigned wrong = 0;
    const unsigned steps = each([&](unsigned k) {
        clockwork c;
        timer& a = c.make();
        c.set(a, now() + hour);
        int valid = 0;
        const bool hit = interrupted(k, [&] { valid += c.destroy(a); }, [&] { valid += c.destroy(a); });
        wrong += valid != 1;
        wrong += !c.run_until([&] { return a.retired == 1; }) || !a.balanced() || c.strangers != 0;
        return hit && wrong < 3;
    });
    check("deleted twice", steps, wrong);
}

BOOST_AUTO_TEST_SUITE_END()

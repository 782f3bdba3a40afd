// Subscriptions in a slot that changes hands, on ground that a test may look at: what reuse_steps_test.cpp stands on.
#pragma once

#include "core/reactor.hpp"
#include "core/registry.hpp"
#include "support/stepping.hpp"
#include "sys/atomic16.hpp"

#include <sigev.h>

#include <array>
#include <utility>
#include <vector>

namespace sigev_tests::reuse {

using namespace sigev;
using sigev::spi::verdict;

/// What is delivered to it, in order and without anything that allocates; or what it keeps for later.
struct receiver {
    std::int64_t last = 0;
    int calls = 0, closed = 0, kept = 0;
    bool overtaken = false;
    std::array<spi::delivery*, 4> deliveries{};

    static verdict deliver(void* p, spi::delivery&, const sigev_notification& n) noexcept
    {
        auto& self = *static_cast<receiver*>(p);
        self.overtaken = self.overtaken || n.data <= self.last;
        self.last = n.data;
        ++self.calls;
        return verdict::delivered;
    }
    static verdict keep(void* p, spi::delivery& d, const sigev_notification&) noexcept
    {
        auto& self = *static_cast<receiver*>(p);
        self.deliveries[static_cast<std::size_t>(self.kept++)] = &d;
        return verdict::accepted;
    }
    static void close(void* p) noexcept { ++static_cast<receiver*>(p)->closed; }
};

inline constexpr spi::method at_once = {"at once", SIGEV_NONE, false, false, false, nullptr, receiver::deliver, nullptr, nullptr,
                                 receiver::close};
inline constexpr spi::method on_a_loop = {"on a loop", SIGEV_NONE, false, true, false, nullptr, receiver::deliver, nullptr, nullptr,
                                   receiver::close};
inline constexpr spi::method later = {"later", SIGEV_NONE, false, false, true, nullptr, receiver::keep, nullptr, nullptr,
                               receiver::close};

/// A subscription and all that is known of it.
struct tenant {
    receiver to;
    core::subscription* s = nullptr;
    core::reactor* on = nullptr;
    std::uint32_t generation = 0;
    std::int64_t submitted = 0;
    bool closing = false;

    core::dispatcher& road() const { return on->dispatcher(); }
    /// As by a handle: it may have gone.
    int submit() { return road().submit(*s, generation, ++submitted, 0); }
    void turn() const
    {
        for (int turns = 0; turns != 8 && (turns == 0 || on->is_posted()); ++turns)
            on->ready(0);
    }
    /// As another thread would; not while the drain is in the method, where cancel() would wait for what it has interrupted.
    bool can_be_closed() const { return !closing && (s->gate & core::gate_delivering) == 0; }
    bool gone() const { return s->generation.generation() != generation && s->generation.generation() % 2 == 0; }
};

/// Two reactors that nobody runs but the test, and subscriptions on them.
class ground {
public:
    ground()
    {
        BOOST_REQUIRE(kq >= 0);
        BOOST_REQUIRE(all->open_reactor(one) == 0);
        BOOST_REQUIRE(all->open_reactor(other) == 0);
    }
    ground(const ground&) = delete;
    ground& operator=(const ground&) = delete;
    ~ground()
    {
        for (core::reactor* r : {one, other}) {
            r->shut();
            all->close_reactor(*r);
        }
        sigev_kqueue_close(kq);
    }

    bool open(
        tenant& t, core::reactor& on, std::uint32_t capacity, const spi::method& method,
        core::raising kind = core::raising::queueing)
    {
        sigevent event{}; // opened as what is like the method that takes its place
        event.sigev_notify = method.deferred ? SIGEV_KEVENT : SIGEV_NONE;
        event.sigev_notify_kqueue = kq;
        core::subscription_spec spec;
        spec.event = &event;
        spec.capacity = capacity;
        spec.kind = kind;
        spec.on = &on;
        if (all->open(spec, t.s) != 0)
            return false;
        if (t.s->method->close)
            t.s->method->close(t.s->target);
        t.s->method = &method;
        t.s->target = &t.to;
        t.on = &on;
        t.generation = t.s->generation.generation();
        return true;
    }

    void close(tenant& t)
    {
        t.closing = true;
        t.road().cancel(*t.s);
        all->release(*t.s);
        all->reap_dead(true);
    }

    /// In the slot that the other has left, which is put last into the row of free ones and so is alone when all before it
    /// have been taken out.
    bool open_after(const tenant& before, tenant& t, core::reactor& on, std::uint32_t capacity, const spi::method& method)
    {
        std::vector<std::uint32_t> aside;
        std::uint32_t index = 0;
        while (all->subscriptions.acquire(index) && index != before.s->index)
            aside.push_back(index);
        all->subscriptions.release(index);
        const bool opened = open(t, on, capacity, method) && t.s == before.s;
        for (const std::uint32_t each : aside)
            all->subscriptions.release(each);
        return opened;
    }

    core::registry* all = core::registry::ensure();
    core::reactor *one = nullptr, *other = nullptr;
    const int kq = sigev_kqueue();
};

/// All records that are free put aside, but for the last of the table: n, one more, and less than n.
class only_the_last_records {
public:
    only_the_last_records(core::registry& all, std::uint32_t n) : all_(all), n_(n)
    {
        std::uint32_t made = 0;
        all.records.for_each([&](const core::record&) { ++made; });
        std::uint32_t first = 0;
        do {
            if (!all.records.acquire(n, first))
                break;
            aside_.push_back(first);
        } while (first + 3 * n < made);
    }
    only_the_last_records(const only_the_last_records&) = delete;
    only_the_last_records& operator=(const only_the_last_records&) = delete;
    ~only_the_last_records()
    {
        for (const std::uint32_t first : aside_)
            all_.records.release(n_, first);
    }

private:
    core::registry& all_;
    const std::uint32_t n_;
    std::vector<std::uint32_t> aside_;
};

/// The operation on the first, interrupted at each step, with the middle that may let the second have its slot.
class by_steps : public stepping, public ground {
public:
    by_steps()
    {
        if (!sys::atomic16_is_lock_free())
            skip("the lock in place of a 16-byte exchange is held with all signals blocked");
    }

    /// before(a), then operation(a) with middle(a, b) in its middle, after(a, b).
    template <class Before, class Operation, class Middle, class After>
    void run(const char* what, Before before, Operation operation, Middle middle, After after)
    {
        unsigned wrong = 0, changes = 0;
        const unsigned steps = each([&](unsigned k) {
            const sigev_ledger start = core::registry::total(SIGEV_SOURCE_USER, -1);
            tenant a, b;
            before(a);
            const bool hit = interrupted(k, [&] { operation(a); }, [&] { middle(a, b); });
            changes += b.s != nullptr;
            const bool good = after(a, b) && settle(a) && settle(b) && adds_up(start, a, b);
            wrong += !good;
            BOOST_TEST(good, what << ": after " << k << " instructions");
            return hit && wrong < 3;
        });
        BOOST_TEST_MESSAGE(steps << " steps, the slot changed hands in " << changes << ": " << what);
        BOOST_TEST(steps > 20u);
        BOOST_TEST(changes > 0u, what);
        BOOST_TEST(wrong == 0u, what);
    }

    int accepted = 0; ///< of all submits of a round

private:
    // It comes to its end, once, and everything that was meant for it is in its ledger.
    bool settle(tenant& t)
    {
        if (!t.s)
            return true;
        t.turn();
        if (!t.closing)
            close(t);
        for (int i = 0; i != t.to.kept; ++i) // of those that keep
            if (auto*& d = t.to.deliveries[static_cast<std::size_t>(i)])
                t.road().drop(*std::exchange(d, nullptr));
        t.turn();
        all->reap_dead(true);
        return t.to.closed == 1 && !t.to.overtaken;
    }

    bool adds_up(const sigev_ledger& start, const tenant& a, const tenant& b)
    {
        const sigev_ledger end = core::registry::total(SIGEV_SOURCE_USER, -1);
        const auto raised = end.raised - start.raised;
        return raised == static_cast<std::uint64_t>(std::exchange(accepted, 0)) && end.pending == start.pending &&
               end.delivered - start.delivered == static_cast<std::uint64_t>(a.to.calls + b.to.calls) &&
               raised == end.delivered + end.merged + end.discarded - start.delivered - start.merged - start.discarded;
    }
};

} // namespace sigev_tests::reuse

// What a request is refused for, and which request may start when: without threads, against a simple model.
#include "support/stepping.hpp"

#include "sources/aio_state.hpp"

#include <memory>
#include <random>
#include <utility>
#include <vector>

using namespace sigev::sources;
using sigev::spi::aio_operation;
using sigev_tests::stepping;

namespace {

/// A request, and what the model knows of it.
struct entry : aio_order::item {
    unsigned file = 0;
    aio_order::file* of = nullptr;
    bool started = false;
    bool over = false;
    int error = 0; ///< sync: the first error of what it covers, by the model
};

/// The order under test beside a list of all requests, in which what may start is looked up by the rules themselves.
class both {
public:
    entry& enqueue(unsigned file, order_kind kind) {
        auto* const f = order_.open({1, file});
        BOOST_REQUIRE(f);
        all_.push_back(std::make_unique<entry>());
        entry& e = *all_.back();
        e.file = file;
        e.of = f;
        e.kind = kind;
        started(order_.enqueue(e, *f, kind));
        return e;
    }

    void complete(entry& e, int error) {
        BOOST_REQUIRE(e.started);
        e.over = true;
        if (error && e.kind != order_kind::sync)
            for (const auto& later : after(e))
                if (later->file == e.file && later->kind == order_kind::sync && !later->over && !later->error
                    && !later->started)
                    later->error = error;
        started(order_.complete(e, *e.of, error));
        forget(e);
    }

    /// One that has not started is over: it has been cancelled.
    void cancel(entry& e) {
        BOOST_REQUIRE(!e.started);
        e.over = true;
        started(order_.complete(e, *e.of, 0));
        forget(e);
        BOOST_TEST(!e.started);
    }

    std::vector<entry*> waiting() const {
        std::vector<entry*> found;
        for (const auto& e : all_)
            if (!e->started && !e->over)
                found.push_back(e.get());
        return found;
    }

    /// What may start has started, and nothing else has.
    bool agree() const {
        for (const auto& e : all_)
            if ((!e->over && e->started != may_start(*e))
                || (e->started && e->kind == order_kind::sync && e->covered_error != e->error))
                return false;
        return true;
    }

    std::vector<entry*> running() const {
        std::vector<entry*> found;
        for (const auto& e : all_)
            if (e->started && !e->over)
                found.push_back(e.get());
        return found;
    }

    bool empty() const { return order_.empty(); }

private:
    std::vector<entry*> after(const entry& e) const {
        std::vector<entry*> found;
        bool seen = false;
        for (const auto& other : all_) {
            if (seen)
                found.push_back(other.get());
            seen = seen || other.get() == &e;
        }
        return found;
    }

    bool may_start(const entry& e) const {
        if (e.over)
            return true;
        for (const auto& other : all_) {
            if (other.get() == &e)
                return true;
            if (other->over || other->file != e.file)
                continue;
            if (e.kind == order_kind::sync && other->kind != order_kind::sync)
                return false;
            if (e.kind == order_kind::append && other->kind == order_kind::append)
                return false;
        }
        return true;
    }

    static void started(aio_order::item* list) {
        for (; list; list = std::exchange(list->next_ready, nullptr)) {
            auto& e = static_cast<entry&>(*list);
            BOOST_TEST(!e.started);
            e.started = true;
        }
    }

    /// The order has let go of it, and nothing leads there.
    static void forget(entry& e) {
        auto* const nowhere = reinterpret_cast<aio_order::item*>(64);
        e.before = e.after = e.next_append = e.next_ready = nowhere;
        e.syncs_before = ~std::uint64_t{0};
    }

    aio_order order_;
    std::vector<std::unique_ptr<entry>> all_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(aio_state)

BOOST_AUTO_TEST_CASE(a_priority_outside_its_range_is_refused_by_the_call) {
    for (const auto transfer : {aio_operation::read, aio_operation::write}) {
        BOOST_TEST(refused_at_once(transfer, 0) == 0);
        BOOST_TEST(refused_at_once(transfer, 20) == 0);
        BOOST_TEST(refused_at_once(transfer, -1) == EINVAL);
        BOOST_TEST(refused_at_once(transfer, 21) == EINVAL);
    }
    BOOST_TEST(refused_at_once(aio_operation::fsync, -1) == 0); // not looked at
}

BOOST_AUTO_TEST_CASE(a_sync_is_one_of_two) {
    aio_operation out = aio_operation::read;
    BOOST_TEST(sync_operation(O_SYNC, out));
    BOOST_TEST((out == aio_operation::fsync));
    BOOST_TEST(sync_operation(O_DSYNC, out));
    BOOST_TEST((out == aio_operation::fdatasync));
    BOOST_TEST(!sync_operation(0, out));
    BOOST_TEST(!sync_operation(O_SYNC | O_RDWR, out));
}

BOOST_AUTO_TEST_CASE(a_bad_offset_or_length_is_the_operations_own_error) {
    BOOST_TEST(fails_later(aio_operation::read, O_RDWR, true, -1, 1) == EINVAL);
    BOOST_TEST(fails_later(aio_operation::write, O_RDWR, true, -1, 1) == EINVAL);
    BOOST_TEST(fails_later(aio_operation::read, O_WRONLY, true, 0, 1) == EBADF);
    BOOST_TEST(fails_later(aio_operation::write, O_RDONLY, false, 0, 1) == EBADF);
    BOOST_TEST(fails_later(aio_operation::read, O_RDONLY, true, 0, 1) == 0);
    BOOST_TEST(fails_later(aio_operation::write, O_WRONLY, true, 0, 1) == 0);
    BOOST_TEST(fails_later(aio_operation::fsync, O_RDONLY, true, 0, 0) == 0);
    BOOST_TEST(fails_later(aio_operation::read, O_RDWR, false, -1, 1) == 0); // a pipe has no offsets
    BOOST_TEST(fails_later(aio_operation::read, O_RDWR, false, 0, std::size_t{SSIZE_MAX} + 1) == EINVAL);
    BOOST_TEST(fails_later(aio_operation::write, O_RDWR, true, 0, SSIZE_MAX) == 0);
    BOOST_TEST(fails_later(aio_operation::fsync, O_RDWR, true, -1, std::size_t{SSIZE_MAX} + 1) == 0); // not looked at
}

BOOST_AUTO_TEST_CASE(appends_run_one_after_the_other_and_nothing_else_waits) {
    both b;
    entry& first = b.enqueue(1, order_kind::append);
    entry& second = b.enqueue(1, order_kind::append);
    entry& elsewhere = b.enqueue(2, order_kind::append);
    entry& plain = b.enqueue(1, order_kind::free);
    BOOST_TEST((first.started && !second.started && elsewhere.started && plain.started));
    b.complete(first, EIO); // also when it fails
    BOOST_TEST(second.started);
}

BOOST_AUTO_TEST_CASE(a_sync_covers_what_was_enqueued_before_it_and_nothing_later) {
    both b;
    entry& before = b.enqueue(1, order_kind::free);
    entry& sync = b.enqueue(1, order_kind::sync);
    entry& later = b.enqueue(1, order_kind::free);
    BOOST_TEST((!sync.started && later.started));
    b.complete(later, ENOSPC);
    BOOST_TEST(!sync.started);
    b.complete(before, EIO);
    BOOST_TEST(sync.started);
    BOOST_TEST(sync.covered_error == EIO);
}

BOOST_AUTO_TEST_CASE(a_sync_without_anything_to_cover_runs_at_once_and_delays_nobody) {
    both b;
    entry& sync = b.enqueue(1, order_kind::sync);
    entry& another = b.enqueue(1, order_kind::sync);
    entry& later = b.enqueue(1, order_kind::append);
    BOOST_TEST((sync.started && another.started && later.started));
}

BOOST_AUTO_TEST_CASE(what_is_cancelled_before_its_turn_strands_nobody) {
    both b;
    entry& first = b.enqueue(1, order_kind::append);
    entry& second = b.enqueue(1, order_kind::append);
    entry& sync = b.enqueue(1, order_kind::sync);
    entry& third = b.enqueue(1, order_kind::append);
    b.cancel(second);
    BOOST_TEST((!sync.started && !third.started));
    b.complete(first, 0);
    BOOST_TEST((sync.started && third.started && sync.covered_error == 0));
    entry& fourth = b.enqueue(1, order_kind::append);
    b.cancel(fourth); // the last one
    b.complete(third, 0);
    entry& fifth = b.enqueue(1, order_kind::append);
    BOOST_TEST(fifth.started);
}

// The last one first, as aio_cancel() does it: nothing is looked for, or this would take hours.
BOOST_AUTO_TEST_CASE(a_million_appends_are_cancelled_each_in_a_few_steps, *sigev_tests::deadline(60)) {
    aio_order order;
    std::vector<aio_order::item> all(1'000'000);
    aio_order::file* f = nullptr;
    for (aio_order::item& i : all)
        (void)order.enqueue(i, *(f = order.open({1, 1})), order_kind::append);
    for (std::size_t n = all.size() - 1; n != 0; --n)
        if (order.complete(all[n], *f, 0))
            BOOST_FAIL("what was cancelled let another one start");
    const bool first_started = all[0].started;
    BOOST_TEST(first_started);
    BOOST_TEST(!order.complete(all[0], *f, 0));
    BOOST_TEST(order.empty());
}

namespace {

/// As many reads as syncs are enqueued, in this order, and all reads fail. How many instructions that is; each sync has been
/// told of the first failure that it covers.
unsigned length_of_failures(stepping& steps, unsigned n, bool one_by_one, bool last_first) {
    aio_order order;
    aio_order::file* f = nullptr;
    std::vector<aio_order::item> reads(n), syncs(n);
    for (unsigned i = 0; i != 2 * n; ++i) {
        const bool is_read = one_by_one ? i % 2 == 0 : i < n;
        f = order.open({1, 1});
        aio_order::item& next = (is_read ? reads : syncs)[one_by_one ? i / 2 : i % n];
        (void)order.enqueue(next, *f, is_read ? order_kind::free : order_kind::sync);
    }
    const unsigned length = steps.length([&] {
        for (unsigned k = 0; k != n; ++k) {
            const unsigned i = last_first ? n - 1 - k : k;
            (void)order.complete(reads[i], *f, static_cast<int>(1 + i));
        }
    });
    for (unsigned i = 0; i != n; ++i) {
        const unsigned covered = one_by_one && last_first ? i : last_first ? n - 1 : 0;
        BOOST_TEST((syncs[i].started && syncs[i].covered_error == static_cast<int>(1 + covered)));
        (void)order.complete(syncs[i], *f, syncs[i].covered_error);
    }
    BOOST_TEST(order.empty());
    return length;
}

} // namespace

BOOST_AUTO_TEST_CASE(each_of_many_failures_before_many_syncs_takes_a_few_steps) {
    stepping steps;
    for (const bool one_by_one : {false, true})
        for (const bool last_first : {false, true}) {
            const unsigned some = length_of_failures(steps, 30, one_by_one, last_first);
            const unsigned twice = length_of_failures(steps, 60, one_by_one, last_first);
            BOOST_TEST_MESSAGE(some << " and " << twice << " instructions");
            BOOST_TEST(2 * twice < 5 * some); // four times as many where each looks at all the others
        }
}

BOOST_AUTO_TEST_CASE(a_failure_that_is_over_is_not_covered) {
    both b;
    b.complete(b.enqueue(1, order_kind::free), EIO);
    BOOST_TEST(b.enqueue(1, order_kind::sync).covered_error == 0);
}

BOOST_AUTO_TEST_CASE(a_reference_that_was_not_used_leaves_nothing) {
    aio_order order;
    auto* const f = order.open({1, 1});
    BOOST_REQUIRE(f);
    BOOST_TEST(order.open({1, 1}) == f);
    order.close(*f);
    BOOST_TEST(!order.empty());
    order.close(*f);
    BOOST_TEST(order.empty());
}

BOOST_AUTO_TEST_CASE(any_sequence_agrees_with_the_model) {
    for (unsigned seed = 0; seed != 300; ++seed) {
        std::mt19937 random(seed);
        const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
        both b;
        for (unsigned step = 0; step != 60; ++step) {
            const auto running = b.running();
            const auto waiting = b.waiting();
            if (!waiting.empty() && below(6) == 0)
                b.cancel(*waiting[below(static_cast<unsigned>(waiting.size()))]);
            else if (running.empty() || below(5) < 3)
                b.enqueue(below(2), static_cast<order_kind>(below(3)));
            else
                b.complete(
                    *running[below(static_cast<unsigned>(running.size()))],
                    below(4) ? 0 : 1 + static_cast<int>(below(5)));
            BOOST_REQUIRE_MESSAGE(b.agree(), "seed " << seed << ", step " << step);
        }
        for (auto running = b.running(); !running.empty(); running = b.running())
            b.complete(*running.front(), 0);
        BOOST_REQUIRE_MESSAGE(b.agree() && b.empty(), "seed " << seed << ", at the end");
    }
}

BOOST_AUTO_TEST_SUITE_END()

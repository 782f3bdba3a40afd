// A dispatcher with a host that only counts, and a method that answers what the test tells it to. Subscriptions come from the
// registry; nobody runs a loop but the test.
#pragma once

#include "core/dispatcher.hpp"
#include "core/registry.hpp"
#include "sys/clock.hpp"

#include "support/support.hpp"

#include <deque>
#include <functional>
#include <numeric>
#include <vector>

namespace sigev_tests {

using namespace sigev;
using sigev::spi::verdict;

struct counting_host final : core::dispatcher_host {
    std::atomic<long> wakes{0};
    static inline thread_local long wakes_here = 0; ///< by this thread
    std::uint64_t retry_time = 0;
    void wake() noexcept override { ++wakes, ++wakes_here; }
    void retry_at(std::uint64_t when) noexcept override { retry_time = when; }
};

/// What the fake method delivers to.
struct fake_target {
    std::deque<verdict> answers; ///< to come; then `usual`
    verdict usual = verdict::delivered;
    std::vector<std::int64_t> got;        ///< data of what was delivered
    std::vector<sigev_notification> seen; ///< every attempt
    std::function<void(const sigev_notification&)> inside;
    int closed = 0;
};

inline verdict fake_deliver(void* p, spi::delivery&, const sigev_notification& n) noexcept {
    auto& t = *static_cast<fake_target*>(p);
    t.seen.push_back(n);
    if (t.inside)
        t.inside(n);
    verdict answer = t.usual;
    if (!t.answers.empty()) {
        answer = t.answers.front();
        t.answers.pop_front();
    }
    if (answer == verdict::delivered)
        t.got.push_back(n.data);
    return answer;
}

inline void fake_close(void* p) noexcept {
    ++static_cast<fake_target*>(p)->closed;
}

inline constexpr spi::method fake_method = {"fake",  SIGEV_NONE,   true,    false,   false,
                                            nullptr, fake_deliver, nullptr, nullptr, fake_close};
/// Its deliver() counts as code of the program's own.
inline constexpr spi::method fake_user_method = {"fake",  SIGEV_NONE,   true,    true,    false,
                                                 nullptr, fake_deliver, nullptr, nullptr, fake_close};

struct dispatcher_fixture {
    dispatcher_fixture() {
        BOOST_REQUIRE(all);
        BOOST_REQUIRE(all->open_reactor(reactor) == 0); // so that the registry can open subscriptions; nobody runs it
    }

    core::subscription& open(
        fake_target& target, std::uint32_t capacity, core::raising kind = core::raising::queueing,
        const spi::method& method = fake_method) {
        core::subscription_spec spec;
        spec.capacity = capacity;
        spec.kind = kind;
        return open(spec, method, &target);
    }

    /// What is delivered goes to this method, over this fixture's road.
    core::subscription& open(core::subscription_spec spec, const spi::method& method, void* target) {
        sigevent event{};
        event.sigev_notify = SIGEV_NONE;
        spec.event = &event;
        spec.on = reactor;
        core::subscription* s = nullptr;
        BOOST_REQUIRE(all->open(spec, s) == 0);
        s->method = &method;
        s->target = target;
        s->road = &road;
        BOOST_REQUIRE(road.reserve(s->index));
        return *s;
    }

    int submit(core::subscription& s, std::int64_t data, int error = 0) {
        return road.submit(s, s.generation.generation(), data, error);
    }

    void drain() {
        BOOST_REQUIRE(road.enter());
        do {
            road.run();
            road.sweep();
        } while (!road.leave());
    }

    void raise(core::subscription& s, std::uint64_t n, std::int64_t scheduled = 1) {
        BOOST_REQUIRE(road.enter());
        road.raise(s, n, scheduled, CLOCK_MONOTONIC);
        BOOST_REQUIRE(road.leave());
    }

    /// Until the time that the host was asked to wake the drain at.
    void drain_at_retry_time() {
        BOOST_REQUIRE(host.retry_time != 0);
        BOOST_REQUIRE(wait_until([&] { return sys::now(CLOCK_MONOTONIC) >= host.retry_time; }));
        drain();
    }

    void close(core::subscription& s) {
        road.cancel(s);
        all->release(s);
        all->reap_dead(true);
    }

    core::registry* all = core::registry::ensure();
    core::reactor* reactor = nullptr;
    counting_host host;
    core::dispatcher road{*all, host};
};

inline std::vector<std::int64_t> numbers(std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(last - first + 1));
    std::iota(all.begin(), all.end(), first);
    return all;
}

inline void check_ledger(
    const core::subscription& s, std::uint64_t raised, std::uint64_t delivered, std::uint64_t merged, std::uint64_t pending,
    std::uint64_t discarded) {
    const sigev_ledger l = core::registry::read(s);
    BOOST_TEST(l.raised == raised);
    BOOST_TEST(l.delivered == delivered);
    BOOST_TEST(l.merged == merged);
    BOOST_TEST(l.pending == pending);
    BOOST_TEST(l.discarded == discarded);
}

} // namespace sigev_tests

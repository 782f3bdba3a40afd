// What a bank of timers does for a reactor that it does not serve any more: it passes to the next one when that closes.
#include "support/support.hpp"

#include "sources/kernel_timer.hpp"
#include "sources/timer.hpp"

#include <sigev.h>

#include <cerrno>
#include <thread>

using namespace sigev;

BOOST_AUTO_TEST_SUITE(banks)

namespace {

/// A reactor that is closed while somebody who makes a timer on it is inside, and the next one, which has its banks.
struct next_owner {
    next_owner() {
        all = core::registry::ensure();
        BOOST_REQUIRE(sigev_reactor_open(&first) == 0);
        BOOST_REQUIRE(all->find_reactor(first, pinned) == 0);
        bank_before = bank_of(first);
        closer = std::thread([this] { closed = sigev_reactor_close(first); }); // waits for the pin, last
        BOOST_REQUIRE(sigev_tests::wait_until([this] { return !bank_before->on(); }));
        BOOST_REQUIRE(sigev_reactor_open(&second) == 0);
        BOOST_REQUIRE(bank_of(second) == bank_before);
    }
    next_owner(const next_owner&) = delete;
    next_owner& operator=(const next_owner&) = delete;
    ~next_owner() {
        pinned->generation.unpin();
        closer.join();
        BOOST_TEST(closed == 0);
        BOOST_TEST(sigev_reactor_close(second) == 0);
    }

    /// By a timer that is there for so long.
    sources::bank* bank_of(sigev_reactor_t reactor) const {
        sigev_timer_options options{};
        options.size = sizeof options;
        options.engine = engine;
        options.reactor = reactor;
        sigevent event{};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = SIGUSR1;
        timer_t timer;
        BOOST_REQUIRE(sigev_timer_create_with(&options, CLOCK_MONOTONIC, &event, &timer) == 0);
        sources::bank* bank = nullptr;
        sources::bank::timer ignored{};
        BOOST_REQUIRE(sources::timers::find(reinterpret_cast<std::uint64_t>(timer), bank, ignored));
        BOOST_REQUIRE(sigev_timer_delete(timer) == 0);
        return bank;
    }

    static inline int engine = SIGEV_ENGINE_HEAP;
    core::registry* all;
    sigev_reactor_t first = 0, second = 0;
    core::reactor* pinned = nullptr;
    sources::bank* bank_before = nullptr;
    int closed = -1;
    std::thread closer;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_timer_for_a_reactor_that_has_gone_does_not_come_to_the_next_one) {
    const next_owner reactors;
    std::uint64_t number = 0;
    auto& bank = static_cast<sources::timer_bank&>(*reactors.bank_before);
    BOOST_TEST(bank.create(*reactors.pinned, {CLOCK_MONOTONIC, nullptr}, number) == EINVAL);
}

BOOST_AUTO_TEST_CASE(nor_does_one_of_the_kernels) {
    next_owner::engine = SIGEV_ENGINE_KERNEL;
    const next_owner reactors;
    std::uint64_t number = 0;
    auto& bank = static_cast<sources::kernel_bank&>(*reactors.bank_before);
    BOOST_TEST(bank.create(*reactors.pinned, CLOCK_MONOTONIC, nullptr, number) == EINVAL);
}

BOOST_AUTO_TEST_SUITE_END()

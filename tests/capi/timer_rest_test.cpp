// A timer rests until it first expires; that it does shows nowhere.
#include "timer_fixture.hpp"

#include "support/stepping.hpp"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

using namespace sigev_tests;

namespace {

/// What a callback uses, and when it may.
struct life {
    std::atomic<bool> over{false};
    std::atomic<unsigned> late{0};
    std::atomic<bool> told{false};

    static void called(sigval value)
    {
        auto& self = *static_cast<life*>(value.sival_ptr);
        if (self.over)
            ++self.late;
        self.told = true;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(timer_rest)

BOOST_AUTO_TEST_CASE(one_that_has_never_expired_has_an_empty_account_and_no_overrun) {
    sigevent e = make_event(SIGEV_NONE);
    timer_t id{};
    BOOST_REQUIRE(sigev_timer_create(CLOCK_MONOTONIC, &e, &id) == 0);
    sigev_ledger l{};
    l.raised = 4711;
    BOOST_TEST(sigev_timer_ledger(id, &l) == 0);
    BOOST_TEST(l.raised == 0u);
    BOOST_TEST(sigev_timer_getoverrun(id) == 0);
    BOOST_TEST(sigev_timer_delete(id) == 0);
    BOOST_TEST(sigev_timer_ledger(id, &l) == -1);
    BOOST_TEST(sigev_timer_getoverrun(id) == -1);
    BOOST_TEST(sigev_timer_delete(id) == -1);
}

// One of the two finds the other's: the expiry that the timer has been ended, or who ends it that there is a subscription.
BOOST_AUTO_TEST_CASE(no_callback_starts_after_the_delete_of_a_timer_that_expires_for_the_first_time) {
    sigev_reactor_t reactor = 0;
    BOOST_REQUIRE(sigev_reactor_open(&reactor) == 0);
    std::atomic<bool> stop{false};
    std::thread loop([&] {
        while (!stop)
            sigev_reactor_ready(reactor, 0);
    });
    std::vector<std::unique_ptr<life>> lives;
    unsigned expired = 0;
    for (int i = 0; i != 20'000; ++i) {
        if (i % 1000 == 0)
            lives.clear(); // nobody comes any more
        life& l = *lives.emplace_back(std::make_unique<life>());
        sigevent e = make_event(SIGEV_CALLBACK, life::called, &l);
        timer_t id{};
        BOOST_REQUIRE(sigev_timer_create_on(reactor, CLOCK_MONOTONIC, &e, &id) == 0);
        const auto soon = timer_value(1);
        BOOST_REQUIRE(sigev_timer_settime(id, 0, &soon, nullptr) == 0);
        for (int spin = 0; spin != i % 100; ++spin)
            std::atomic_signal_fence(std::memory_order_seq_cst);
        if (i % 1000 == 0) // however seldom the loop gets a processor
            BOOST_REQUIRE(wait_until([&l] { return l.told.load(); }));
        itimerspec left{};
        expired += sigev_timer_gettime(id, &left) == 0 && left.it_value.tv_nsec == 0;
        BOOST_REQUIRE(sigev_timer_delete_wait(id) == 0);
        l.over = true;
        if (i % 1000 == 999)
            for (const auto& each : lives)
                BOOST_REQUIRE(each->late == 0u);
    }
    BOOST_TEST_MESSAGE(expired << " of 20000 had expired");
    stop = true;
    loop.join();
    BOOST_TEST(sigev_reactor_close(reactor) == 0);
    sigev_ledger total{};
    BOOST_TEST(sigev_ledger_total(SIGEV_SOURCE_TIMER, SIGEV_CALLBACK, &total) == 0);
    BOOST_TEST(total.raised == total.delivered + total.merged + total.discarded);
    BOOST_TEST(total.pending == 0u);
    BOOST_TEST(total.delivered > 0u); // else nothing was tried
    BOOST_TEST(total.delivered < 20'000u);
}

// After each instruction of a delete the slot gets a timer that expires: what the delete finds there then is not its own.
BOOST_FIXTURE_TEST_CASE(a_delete_in_whose_middle_the_slot_gets_a_new_owner_leaves_that_alone, stepping, *deadline(300)) {
    if (sigev_probe("atomic16") != 1)
        skip("the lock in place of a 16-byte exchange is held with all signals blocked");
    sigev_reactor_t reactor = 0;
    BOOST_REQUIRE(sigev_reactor_open(&reactor) == 0);
    static unsigned told;
    sigevent e = make_event(SIGEV_CALLBACK, [](sigval) { ++told; }, nullptr);
    const auto soon = timer_value(1);
    const auto expires = [&](timer_t t) {
        const unsigned before = told;
        sigev_timer_settime(t, TIMER_ABSTIME, &soon, nullptr);
        sigev_reactor_ready(reactor, 0);
        return told == before + 1;
    };
    constexpr std::uintptr_t slot = (1 << 24) - 1;
    unsigned wrong = 0, same_slot = 0;
    const unsigned steps = each([&](unsigned k) {
        timer_t first{}, next{};
        BOOST_REQUIRE(sigev_timer_create_on(reactor, CLOCK_MONOTONIC, &e, &first) == 0);
        bool expired = false;
        const bool hit = interrupted(k, [&] { sigev_timer_delete(first); }, [&] {
            sigev_reactor_ready(reactor, 0);
            if (sigev_timer_create_on(reactor, CLOCK_MONOTONIC, &e, &next) == 0)
                expired = expires(next);
        });
        if (hit) {
            wrong += !expired || !expires(next);
            if (((reinterpret_cast<std::uintptr_t>(first) ^ reinterpret_cast<std::uintptr_t>(next)) & slot) == 0) {
                ++same_slot;
                BOOST_TEST(sigev_timer_delete(next) == 0);
            } // else it keeps its own, so that the next round's is the only one that is free
        }
        sigev_reactor_ready(reactor, 0);
        return hit && wrong == 0;
    });
    BOOST_TEST_MESSAGE(steps << " steps, in " << same_slot << " of them it got the slot");
    BOOST_TEST(wrong == 0u);
    BOOST_TEST(same_slot > 10u);
    BOOST_TEST(sigev_reactor_close(reactor) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

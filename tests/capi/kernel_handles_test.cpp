// Handles of the kernel's timers: a stale, foreign or random one is EINVAL, and never another's timer (T20).
#include "timer_fixture.hpp"

#include <random>
#include <thread>

using namespace sigev_tests;

namespace {

const int rt = SIGRTMIN + 4;
const std::int64_t hour = 3600 * 1000 * ms;

timer_t make(const place& on, sigevent e) {
    const auto options = make_timer_options(on, SIGEV_ENGINE_KERNEL);
    timer_t id{};
    BOOST_REQUIRE(sigev_timer_create_with(&options, CLOCK_MONOTONIC, &e, &id) == 0);
    return id;
}

void nothing(sigval) {}

/// Every call says EINVAL.
bool is_refused(timer_t id) {
    const auto value = timer_value(1);
    itimerspec left{};
    sigev_ledger l{};
    bool all = true;
    const auto one = [&](int result) {
        all = all && result == -1 && errno == EINVAL;
        errno = 0;
    };
    errno = 0;
    one(sigev_timer_settime(id, 0, &value, nullptr));
    one(sigev_timer_gettime(id, &left));
    one(sigev_timer_getoverrun(id));
    one(sigev_timer_ledger(id, &l));
    one(sigev_timer_delete(id));
    one(sigev_timer_delete_wait(id));
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(kernel_handles)

SIGEV_TEST_ON_BOTH(after_delete_the_id_is_refused_and_the_slots_next_timer_is_left_alone) {
    const sigevent events[] = {make_event(SIGEV_SIGNAL, rt), make_event(SIGEV_CALLBACK, nothing, nullptr)};
    std::vector<timer_t> stale;
    for (int round = 0; round != 200 / slowness; ++round) {
        const timer_t id = make(on, events[round % 2]);
        const auto later = timer_value(hour);
        BOOST_REQUIRE(sigev_timer_settime(id, 0, &later, nullptr) == 0);
        BOOST_TEST(is_refused(reinterpret_cast<timer_t>(reinterpret_cast<std::uint64_t>(id) ^ (std::uint64_t{1} << 24))));
        BOOST_REQUIRE(std::all_of(stale.begin(), stale.end(), is_refused));
        itimerspec left{};
        BOOST_TEST(sigev_timer_gettime(id, &left) == 0);
        BOOST_TEST(nanoseconds_of(left.it_value) > hour / 2);
        BOOST_TEST(sigev_timer_delete(id) == 0);
        stale.push_back(id);
    }
}

BOOST_AUTO_TEST_CASE(random_ids_are_refused, *deadline(60)) {
    const place on(place::runtime);
    std::vector<timer_t> live;
    for (int i = 0; i != 8; ++i)
        live.push_back(make(on, i % 2 ? make_event(SIGEV_SIGNAL, rt) : make_event(SIGEV_NONE)));
    std::mt19937_64 random(4711);
    const auto model = reinterpret_cast<std::uint64_t>(live[0]);
    for (int i = 0; i != (slowness > 1 ? 50000 : 1000000); ++i) {
        // Anything; and what differs from a live one in a few bits only.
        const std::uint64_t any = random();
        const std::uint64_t number = i % 2 ? any : model ^ (std::uint64_t{1} << any % 60) ^ (std::uint64_t{1} << any / 64 % 60);
        const auto id = reinterpret_cast<timer_t>(number);
        if (std::find(live.begin(), live.end(), id) != live.end())
            continue;
        itimerspec left{};
        if (sigev_timer_gettime(id, &left) != -1 || (i % 64 == 0 && !is_refused(id)))
            BOOST_REQUIRE_MESSAGE(false, "an id that nobody has was taken: " << number);
    }
    for (const timer_t each : live)
        BOOST_TEST(sigev_timer_delete(each) == 0);
}

// E5: with libc the parent's stale id is the child's new timer.
BOOST_AUTO_TEST_CASE(a_child_has_no_timers_and_its_own_are_not_met_by_the_parents_ids) {
    need_threads_in_a_child();
    const place on(place::runtime);
    const timer_t direct = make(on, make_event(SIGEV_SIGNAL, SIGUSR1)), carried = make(on, make_event(SIGEV_NONE));
    const auto later = timer_value(hour);
    for (const timer_t id : {direct, carried})
        BOOST_REQUIRE(sigev_timer_settime(id, 0, &later, nullptr) == 0);
    BOOST_TEST(child([&] {
        BOOST_TEST(is_refused(direct));
        BOOST_TEST(is_refused(carried));
        const place own(place::runtime);
        const timer_t mine[] = {make(own, make_event(SIGEV_SIGNAL, SIGUSR1)), make(own, make_event(SIGEV_NONE))};
        for (const timer_t id : mine)
            BOOST_TEST(sigev_timer_settime(id, 0, &later, nullptr) == 0);
        BOOST_TEST(is_refused(direct));
        BOOST_TEST(is_refused(carried));
        clock_box box;
        {
            const timer t(own, CLOCK_PROCESS_CPUTIME_ID, make_event(SIGEV_THREAD, clock_box::receive, &box));
            t.set(1 * ms);
            BOOST_TEST(wait_until([&] { return box.calls == 1; }));
        }
        for (const timer_t id : mine) {
            itimerspec left{};
            BOOST_TEST(sigev_timer_gettime(id, &left) == 0);
            BOOST_TEST(nanoseconds_of(left.it_value) > hour / 2);
            BOOST_TEST(sigev_timer_delete(id) == 0);
        }
        BOOST_TEST(sigev_shutdown() == 0);
    }) == exited_well);
    for (const timer_t id : {direct, carried}) {
        itimerspec left{};
        BOOST_TEST(sigev_timer_gettime(id, &left) == 0);
        BOOST_TEST(nanoseconds_of(left.it_value) > hour / 2);
        BOOST_TEST(sigev_timer_delete(id) == 0);
    }
}

// Threads set and ask what others delete, and make anew: a timer of the program's own, whose kernel id is the next one, keeps
// its hour, and what is deleted stays silent.
BOOST_AUTO_TEST_CASE(deletes_that_race_with_settimes_hit_nobody_elses_timer, *deadline(60)) {
    const place on(place::runtime);
    const blocked_signals blocked{rt, rt + 1};
    std::atomic<timer_t> shared{make(on, make_event(SIGEV_SIGNAL, rt))};
    std::atomic<bool> stop{false};
    std::atomic<long> valid{0}, refused{0}, wrong{0};
    std::vector<std::thread> setters;
    for (int i = 0; i != 2; ++i)
        setters.emplace_back([&] {
            while (!stop) {
                const auto soon = timer_value(1000);
                itimerspec left{};
                const timer_t id = shared;
                const int result = sigev_timer_settime(id, 0, &soon, nullptr);
                if (result != 0 && errno != EINVAL)
                    ++wrong;
                ++(result == 0 ? valid : refused);
                if (sigev_timer_gettime(id, &left) != 0 && errno != EINVAL)
                    ++wrong;
            }
        });
    const auto begun = now_of(CLOCK_MONOTONIC);
    const auto takes = [&] { return now_of(CLOCK_MONOTONIC) - begun; };
    while (takes() < 500 * ms || (refused == 0 && takes() < patience.count() * ms)) {
        BOOST_REQUIRE(sigev_timer_delete(shared) == 0);
        sigevent e = make_event(SIGEV_SIGNAL, rt + 1);
        timer_t own{};
        BOOST_REQUIRE(timer_create(CLOCK_MONOTONIC, &e, &own) == 0);
        const auto later = timer_value(hour);
        BOOST_REQUIRE(timer_settime(own, 0, &later, nullptr) == 0);
        shared = make(on, make_event(SIGEV_SIGNAL, rt));
        wait_until([&, before = valid.load()] { return valid > before; });
        itimerspec left{};
        BOOST_REQUIRE(timer_gettime(own, &left) == 0);
        BOOST_REQUIRE(nanoseconds_of(left.it_value) > hour / 2);
        BOOST_REQUIRE(timer_delete(own) == 0);
    }
    stop = true;
    for (auto& t : setters)
        t.join();
    BOOST_TEST(wrong == 0);
    BOOST_TEST(valid > 0);
    BOOST_TEST(refused > 0);
    BOOST_TEST(sigev_timer_delete(shared) == 0);
    while (blocked.take(0)) // what the kernel has kept
        ;
    const auto quiet = now_of(CLOCK_MONOTONIC) + 5 * ms;
    wait_until([&] { return now_of(CLOCK_MONOTONIC) >= quiet; });
    BOOST_TEST(!blocked.take(0).has_value());
}

// Made and deleted by many at once: nothing is left of any (the check after the case looks), and the ledgers add up.
SIGEV_TEST_ON_BOTH(many_are_made_armed_and_deleted_by_several_threads) {
    mailbox box;
    std::atomic<long> failed{0};
    std::vector<std::thread> makers;
    std::atomic<unsigned> done{0};
    for (int i = 0; i != 3; ++i)
        makers.emplace_back([&, i] {
            for (int round = 0; round != 300; ++round) {
                const auto options = make_timer_options(on, SIGEV_ENGINE_KERNEL);
                sigevent e = i == 0 ? make_event(SIGEV_NONE) : make_event(SIGEV_THREAD, mailbox::receive, &box);
                timer_t id{};
                const auto soon = timer_value(1000, 1000);
                if (sigev_timer_create_with(&options, CLOCK_MONOTONIC, &e, &id) != 0 ||
                    sigev_timer_settime(id, 0, &soon, nullptr) != 0)
                    ++failed;
                if (round % 3)
                    sched_yield();
                if ((round % 2 ? sigev_timer_delete(id) : sigev_timer_delete_wait(id)) != 0)
                    ++failed;
            }
            ++done;
        });
    BOOST_TEST(on.until([&] { return done == 3; }, seconds(25)));
    for (auto& t : makers)
        t.join();
    BOOST_TEST(failed == 0);
}

BOOST_AUTO_TEST_SUITE_END()

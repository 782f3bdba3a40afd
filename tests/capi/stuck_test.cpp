// Callbacks that never come back: all others run. (Protocol H: the first of 64 due callbacks blocks for ever, 63 run.)
#include "fixture.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include <sys/resource.h>

using namespace sigev_tests;

namespace {

constexpr int crowd = 64;

/// One of many callbacks: whichever comes first stays.
struct stage {
    gate release;
    std::atomic<int> entered{0}, passed{0};

    static void enter(sigval v) {
        auto& self = *static_cast<stage*>(v.sival_ptr);
        if (self.entered++ == 0)
            (void)self.release.wait(seconds(60));
        else
            ++self.passed;
    }
};

struct small_stack {
    pthread_attr_t attributes;
    small_stack() {
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 128 << 10);
    }
    ~small_stack() { pthread_attr_destroy(&attributes); }
};

void first_blocks(const place& on, int notify, pthread_attr_t* attributes) {
    stage all;
    {
        std::vector<std::unique_ptr<subscription>> s;
        for (int i = 0; i != crowd; ++i)
            s.push_back(std::make_unique<subscription>(on, make_event(notify, stage::enter, &all, attributes)));
        for (const auto& one : s)
            one->submit();
        BOOST_TEST(on.until([&] { return all.passed == crowd - 1; }));
        BOOST_TEST(all.entered == crowd);
        all.release.open();
        BOOST_TEST(
            on.until([&] { return std::all_of(s.begin(), s.end(), [](const auto& one) { return one->delivered() == 1; }); }));
    }
    BOOST_TEST(sigev_shutdown() == 0); // before `all` goes
}

/// From here on everything runs on one processor, and what is woken in vain is seen to be.
void stay_on_one_processor() {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    BOOST_REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
}

/// How often the thread of that name has gone to sleep.
long sleeps_of(const std::string& thread) {
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream status(task.path() / "status");
        std::string word, name;
        status >> word >> name;
        while (name == thread && status >> word)
            if (word == "voluntary_ctxt_switches:") {
                long n = -1;
                status >> n;
                return n;
            }
    }
    return -1;
}

} // namespace

BOOST_AUTO_TEST_SUITE(stuck)

// Where callbacks are brief and many, nobody is woken to lead meanwhile. One of them that blocks all of a sudden, or ends its
// thread, keeps the loop waiting for a moment, and no longer.
BOOST_AUTO_TEST_CASE(a_callback_that_blocks_after_many_brief_ones_keeps_nobody_waiting) {
    struct {
        gate release;
        std::atomic<bool> blocks{false};
        std::atomic<int> called{0}, others{0};
    } all;
    stay_on_one_processor();
    const place on(place::runtime);
    const subscription one(on, make_event(SIGEV_THREAD, [](sigval v) {
                               auto& self = *static_cast<decltype(all)*>(v.sival_ptr);
                               if (++self.called; self.blocks)
                                   (void)self.release.wait(seconds(60));
                           }, &all), 4);
    const auto count = [](sigval v) { ++static_cast<decltype(all)*>(v.sival_ptr)->others; };
    const subscription other(on, make_event(SIGEV_THREAD, count, &all), 4);
    for (int i = 1; i <= 20'000; ++i) { // dense enough, now and then, that a follower's wake is seen to be in vain
        one.submit();
        while (all.called != i)
            sched_yield();
    }
    all.blocks = true;
    one.submit();
    BOOST_TEST(on.until([&] { return all.called == 20'001; }));
    for (int i = 1; i <= 10; ++i) {
        other.submit();
        BOOST_TEST(on.until([&] { return all.others == i; }));
    }
    all.release.open();
    BOOST_TEST(on.until([&] { return one.delivered() == 20'001; }));
    BOOST_TEST(sigev_shutdown() == 0); // before `all` goes
}

BOOST_AUTO_TEST_CASE(a_callback_that_ends_its_thread_after_many_brief_ones_keeps_nobody_waiting) {
    struct {
        std::atomic<bool> ends{false};
        std::atomic<int> called{0};
    } all;
    stay_on_one_processor();
    const place on(place::runtime);
    const subscription one(on, make_event(SIGEV_THREAD, [](sigval v) {
                               auto& self = *static_cast<decltype(all)*>(v.sival_ptr);
                               if (++self.called; self.ends)
                                   pthread_exit(nullptr);
                           }, &all), 4);
    for (int i = 1; i <= 10'000; ++i) {
        all.ends = i % 1000 == 0;
        one.submit();
        while (all.called != i)
            sched_yield();
    }
    BOOST_TEST(on.until([&] { return one.delivered() == 10'000; }));
    BOOST_TEST(sigev_shutdown() == 0);
}

SIGEV_TEST_ON_BOTH(the_first_of_64_due_callbacks_blocks_and_63_run) {
    first_blocks(on, SIGEV_THREAD, nullptr);
}

SIGEV_TEST_ON_BOTH(the_first_of_64_with_attributes_of_their_own_blocks_and_63_run) {
    small_stack own;
    first_blocks(on, SIGEV_THREAD, &own.attributes);
}

BOOST_AUTO_TEST_CASE(the_first_of_64_without_a_thread_of_their_own_blocks_and_63_run) {
    const place on(place::runtime); // on a borrowed reactor it would be the test's own loop
    first_blocks(on, SIGEV_CALLBACK, nullptr);
}

BOOST_AUTO_TEST_CASE(the_first_of_64_calls_of_a_registered_method_blocks_and_63_run) {
    const place on(place::runtime);
    sigev_method m{};
    m.size = sizeof m;
    m.deliver = [](void*, void*, const sigev_notification* n) {
        stage::enter(n->value);
        return static_cast<int>(SIGEV_DELIVERED);
    };
    const int number = sigev_method_register(&m);
    BOOST_REQUIRE(number > 0);
    first_blocks(on, number, nullptr);
}

SIGEV_TEST_ON_BOTH(the_first_of_64_due_timers_blocks_and_63_run) {
    for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME}) {
        stage all;
        std::vector<timer_t> timers(crowd);
        timespec now{};
        clock_gettime(clock, &now);
        const itimerspec soon{{0, 0}, {now.tv_sec, now.tv_nsec}}; // all due at once
        for (auto& timer : timers) {
            sigevent e = make_event(SIGEV_THREAD, stage::enter, &all);
            BOOST_REQUIRE(sigev_timer_create_on(on.reactor(), clock, &e, &timer) == 0);
        }
        for (const auto timer : timers)
            BOOST_REQUIRE(sigev_timer_settime(timer, TIMER_ABSTIME, &soon, nullptr) == 0);
        BOOST_TEST(on.until([&] { return all.passed == crowd - 1; }));
        all.release.open();
        for (const auto timer : timers)
            BOOST_TEST(sigev_timer_delete_wait(timer) == 0);
        BOOST_TEST(all.entered == crowd);
    }
}

SIGEV_TEST_ON_BOTH(one_after_the_other_blocks_and_the_rest_goes_on) {
    struct actor {
        std::vector<gate>* gates;
        int number;
        std::atomic<bool> inside{false};
    };
    constexpr int many = 20;
    std::vector<gate> gates(many);
    std::vector<std::unique_ptr<actor>> actors;
    std::vector<std::unique_ptr<subscription>> s;
    for (int i = 0; i != many; ++i) {
        actors.push_back(std::make_unique<actor>());
        actors[i]->gates = &gates;
        actors[i]->number = i;
        s.push_back(std::make_unique<subscription>(
            on, make_event(
                    SIGEV_THREAD,
                    [](sigval v) {
                        auto& self = *static_cast<actor*>(v.sival_ptr);
                        self.inside = true;
                        (void)(*self.gates)[self.number].wait(seconds(60));
                    },
                    actors[i].get())));
    }
    for (int i = 0; i != many; ++i) { // each time with i of them stuck
        s[i]->submit();
        BOOST_TEST(on.until([&] { return actors[i]->inside.load(); }));
    }
    for (auto& g : gates)
        g.open();
    BOOST_TEST(
        on.until([&] { return std::all_of(s.begin(), s.end(), [](const auto& one) { return one->delivered() == 1; }); }));
    s.clear();
    BOOST_TEST(sigev_shutdown() == 0);
}

// A thread that cannot be made is tried again: late, not lost.
SIGEV_TEST_ON_BOTH(what_waits_for_a_thread_that_cannot_be_made_runs_when_it_can) {
    for (const bool with_attributes : {false, true}) {
        const auto end = child([&] {
            if (!become_another_user())
                return 77;
            const place here(on.is_borrowed() ? place::borrowed : place::runtime);
            small_stack own;
            stage all;
            std::vector<std::unique_ptr<subscription>> s;
            for (int i = 0; i != 4; ++i)
                s.push_back(std::make_unique<subscription>(
                    here, make_event(SIGEV_THREAD, stage::enter, &all, with_attributes ? &own.attributes : nullptr)));
            rlimit before{};
            getrlimit(RLIMIT_NPROC, &before);
            const rlimit none{0, before.rlim_max};
            BOOST_REQUIRE(setrlimit(RLIMIT_NPROC, &none) == 0);
            for (const auto& one : s)
                one->submit();
            BOOST_TEST(here.until([&] { return all.entered > 0; }));
            here.until([&] { return all.passed == 3; }, milliseconds(50)); // may be, may be not
            BOOST_REQUIRE(setrlimit(RLIMIT_NPROC, &before) == 0);
            BOOST_TEST(here.until([&] { return all.passed == 3; }));
            all.release.open();
            s.clear();
            BOOST_TEST(sigev_shutdown() == 0);
            return 0;
        });
        if (end.code == 77)
            skip("the user cannot be changed here");
        BOOST_TEST(end == exited_well);
    }
}

BOOST_AUTO_TEST_CASE(a_thread_that_cannot_be_made_is_tried_less_and_less_often) {
    const auto end = child([] {
        if (!become_another_user())
            return 77;
        stage all;
        std::atomic<int> waits{0};
        struct blocker {
            gate* release;
            std::atomic<int>* entered;
        } blocks{&all.release, &all.entered};
        const auto block = [](sigval v) {
            auto& self = *static_cast<blocker*>(v.sival_ptr);
            ++*self.entered;
            (void)self.release->wait(seconds(60));
        };
        const place here(place::runtime);
        {
            const subscription one(here, make_event(SIGEV_THREAD, block, &blocks));
            const subscription two(here, make_event(SIGEV_THREAD, block, &blocks));
            const auto count = [](sigval v) { ++*static_cast<std::atomic<int>*>(v.sival_ptr); };
            const subscription third(here, make_event(SIGEV_THREAD, count, &waits));
            rlimit before{};
            getrlimit(RLIMIT_NPROC, &before);
            const rlimit none{0, before.rlim_max};
            BOOST_REQUIRE(setrlimit(RLIMIT_NPROC, &none) == 0);
            one.submit();
            two.submit();
            BOOST_REQUIRE(here.until([&] { return all.entered == 2; }));
            third.submit();
            const auto begun = std::chrono::steady_clock::now();
            const long first = sleeps_of("sigev-service");
            BOOST_REQUIRE(first >= 0);
            BOOST_TEST(!here.until([&] { return waits != 0; }, milliseconds(400)));
            BOOST_TEST(here.until([&] { return sleeps_of("sigev-service") > first; })); // it goes on trying
            const long turns = sleeps_of("sigev-service") - first;
            const auto passed = std::chrono::steady_clock::now() - begun;
            BOOST_TEST_MESSAGE(turns << " turns in " << passed / milliseconds(1) << " ms");
            BOOST_TEST(turns < 100 * (passed / milliseconds(400))); // two thousand a second, without a back-off
            BOOST_REQUIRE(setrlimit(RLIMIT_NPROC, &before) == 0);
            BOOST_TEST(here.until([&] { return waits == 1; }));
            all.release.open();
            BOOST_TEST(here.until([&] { return one.delivered() == 1 && two.delivered() == 1; }));
        }
        BOOST_TEST(sigev_shutdown() == 0);
        return 0;
    });
    if (end.code == 77)
        skip("the user cannot be changed here");
    BOOST_TEST(end == exited_well);
}

BOOST_AUTO_TEST_SUITE_END()

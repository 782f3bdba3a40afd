#include "sys/brief_mutex.hpp"

#include "support/many.hpp"

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include <sched.h>

using sigev::sys::brief_mutex;
using namespace sigev_tests;

BOOST_AUTO_TEST_SUITE(brief_mutexes)

BOOST_AUTO_TEST_CASE(one_at_a_time_is_inside) {
    constexpr int threads = 4;
    brief_mutex mutex;
    long entered = 0; // guarded by it
    std::atomic<int> inside{0}, met{0};
    std::atomic<long> expected{0};
    std::vector<std::thread> users;
    std::atomic<int> here{0};
    for (int t = 0; t != threads; ++t)
        users.emplace_back([&, t] {
            for (++here; here != threads;)
                sched_yield();
            for (many rounds(50'000); rounds.go_on();) {
                if (t == 0 && !mutex.try_lock())
                    continue;
                if (t != 0)
                    mutex.lock();
                met += inside++ != 0;
                ++entered;
                if (rounds.number() % 100 == 0)
                    sched_yield(); // held for longer than anybody looks at it, also on one processor
                --inside;
                mutex.unlock();
                ++expected;
            }
        });
    for (auto& user : users)
        user.join();
    BOOST_TEST(met == 0);
    BOOST_TEST(entered == expected);
}

BOOST_AUTO_TEST_CASE(a_try_does_not_wait) {
    brief_mutex mutex;
    BOOST_TEST(mutex.try_lock());
    BOOST_TEST(!mutex.try_lock());
    bool others = true;
    std::thread([&] { others = mutex.try_lock(); }).join();
    BOOST_TEST(!others);
    mutex.unlock();
    std::thread([&] {
        others = mutex.try_lock();
        mutex.unlock();
    }).join();
    BOOST_TEST(others);
}

BOOST_AUTO_TEST_CASE(those_that_sleep_for_it_get_it_one_after_the_other) {
    brief_mutex mutex;
    int got = 0; // guarded by it
    std::vector<std::thread> waiting;
    mutex.lock();
    for (int t = 0; t != 3; ++t)
        waiting.emplace_back([&] {
            const std::lock_guard lock(mutex);
            ++got;
        });
    BOOST_TEST(wait_until(other_threads_sleep));
    BOOST_TEST(got == 0);
    mutex.unlock();
    BOOST_TEST(wait_until([&] {
        const std::lock_guard lock(mutex); // who takes it all the time keeps nobody out for ever
        return got == 3;
    }));
    for (auto& one : waiting)
        one.join();
}

// Nobody is there who would free it. So what it guards is left alone in a child, as the registry is.
BOOST_AUTO_TEST_CASE(held_by_another_thread_at_a_fork_it_is_never_free_in_the_child) {
    brief_mutex mutex;
    gate held, release;
    std::thread other([&] {
        const std::lock_guard lock(mutex);
        held.open();
        (void)release.wait();
    });
    BOOST_REQUIRE(held.wait());
    BOOST_TEST(child([&] { BOOST_TEST(!mutex.try_lock()); }) == exited_well);
    release.open();
    other.join();
    BOOST_TEST(mutex.try_lock());
    mutex.unlock();
}

BOOST_AUTO_TEST_CASE(held_by_the_thread_that_forks_it_is_a_lock_of_each_of_them) {
    brief_mutex mutex;
    mutex.lock();
    BOOST_TEST(child([&] {
                   BOOST_TEST(!mutex.try_lock());
                   mutex.unlock();
                   BOOST_TEST(mutex.try_lock());
                   mutex.unlock();
               }) == exited_well);
    BOOST_TEST(!mutex.try_lock()); // the child's was another
    mutex.unlock();
    BOOST_TEST(mutex.try_lock());
    mutex.unlock();
}

BOOST_AUTO_TEST_SUITE_END()

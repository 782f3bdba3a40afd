// iv_init(), iv_main(), iv_quit(), iv_deinit(), and what a thread's loop does with what is registered there.
#include "fixture.hpp"

#include "support/sanitizers.hpp"

#include <cerrno>
#include <memory>
#include <stdexcept>

#include <sys/resource.h>

using namespace sigev_tests;

BOOST_AUTO_TEST_SUITE(loops)

BOOST_AUTO_TEST_CASE(inited_says_whether_this_thread_has_a_loop)
{
    BOOST_TEST(iv_inited() == 0);
    errno = 4711;
    iv_init();
    BOOST_TEST(iv_inited() == 1);
    std::thread([] { BOOST_TEST(iv_inited() == 0); }).join();
    event heard([] { iv_quit(); });
    iv_init(); // changes nothing
    heard.post();
    iv_main();
    BOOST_TEST(heard.calls == 1);
    heard.leave();
    errno = 4711;
    iv_deinit();
    BOOST_TEST(iv_inited() == 0);
    iv_deinit();
    iv_main(); // without a loop they return
    iv_quit();
    BOOST_TEST(errno == 4711);
    iv_init();
    BOOST_TEST(iv_inited() == 1);
    iv_deinit();
}

BOOST_AUTO_TEST_CASE(main_returns_when_nothing_is_registered)
{
    const own_loop loop;
    iv_main();
    event heard([&] { heard.leave(); });
    heard.post();
    iv_main();
    BOOST_TEST(heard.calls == 1);
    iv_main();
}

BOOST_AUTO_TEST_CASE(quit_ends_main_and_what_was_posted_waits_for_the_next_one)
{
    const own_loop loop;
    std::vector<std::unique_ptr<event>> all;
    for (int i = 0; i != 5; ++i)
        all.push_back(std::make_unique<event>([] { iv_quit(); }));
    iv_quit(); // outside: nothing
    for (auto& e : all)
        e->post();
    for (int i = 0; i != 5; ++i)
        iv_main();
    for (auto& e : all)
        BOOST_TEST(e->calls == 1);
}

BOOST_AUTO_TEST_CASE(post_between_two_mains_is_heard_by_the_second)
{
    const own_loop loop;
    event heard([] { iv_quit(); });
    for (int i = 1; i <= 10; ++i) {
        heard.post(); // the object is awake since its last call
        iv_main();
        BOOST_TEST(heard.calls == i);
    }
}

BOOST_AUTO_TEST_CASE(main_in_a_handler_goes_on_and_one_quit_ends_both)
{
    const own_loop loop;
    std::vector<int> order;
    event inner([&] {
        order.push_back(2);
        iv_quit();
    });
    event outer([&] {
        order.push_back(1);
        inner.post();
        iv_main();
        order.push_back(3);
    });
    outer.post();
    iv_main();
    BOOST_TEST((order == std::vector{1, 2, 3}));
}

BOOST_AUTO_TEST_CASE(deinit_unregisters_what_is_left)
{
    iv_init();
    event heard([] { BOOST_ERROR("called"); });
    heard.post();
    iv_deinit();
    heard.post(); // to nobody
    const own_loop next;
    iv_main(); // nothing is registered there
    heard.leave(); // it was registered with the other loop
    heard.enter();
}

BOOST_AUTO_TEST_CASE(deinit_in_a_handler_ends_main)
{
    for (const bool again : {false, true}) {
        iv_init();
        event other([] { BOOST_ERROR("called"); });
        event heard([&] {
            other.post();
            iv_deinit();
            BOOST_TEST(iv_inited() == 0);
            if (again)
                iv_init();
        });
        heard.post();
        iv_main();
        BOOST_TEST(heard.calls == 1);
        BOOST_TEST(iv_inited() == (again ? 1 : 0));
        iv_main();
        iv_deinit();
    }
}

BOOST_AUTO_TEST_CASE(registers_again_after_unregister)
{
    const own_loop loop;
    event heard([] { iv_quit(); });
    for (int i = 1; i <= 10; ++i) {
        heard.post(); // unregistering forgets it
        heard.leave();
        heard.enter();
        settle();
        BOOST_TEST(heard.calls == i - 1);
        heard.post();
        iv_main();
        BOOST_TEST(heard.calls == i);
    }
}

BOOST_AUTO_TEST_CASE(object_that_takes_the_place_of_one_whose_event_is_on_its_way_is_not_called)
{
    // Both descriptors are found readable at once; the handler that comes first replaces the other object.
    const own_loop loop;
    for (int round = 0; round != 10; ++round) {
        std::unique_ptr<event> both[2];
        int calls = 0;
        for (int i = 0; i != 2; ++i)
            both[i] = std::make_unique<event>([&, other = 1 - i] {
                ++calls;
                both[other].reset();
                both[other] = std::make_unique<event>([&] { calls += 100; });
                iv_quit();
            });
        both[round % 2]->post();
        both[1 - round % 2]->post();
        iv_main();
        settle();
        BOOST_TEST(calls == 1);
    }
}

BOOST_AUTO_TEST_CASE(handlers_register_and_unregister_as_they_like)
{
    const own_loop loop;
    std::vector<std::unique_ptr<event>> all;
    int calls = 0;
    std::function<void()> handler = [&] {
        if (++calls == 1'000) {
            all.clear();
            return;
        }
        if (all.size() > 5)
            all.erase(all.begin() + calls % 5);
        all.push_back(std::make_unique<event>(handler));
        for (auto& e : all)
            e->post();
    };
    all.push_back(std::make_unique<event>(handler));
    all[0]->post();
    iv_main();
    BOOST_TEST(calls == 1'000);
}

BOOST_AUTO_TEST_CASE(object_that_always_posts_to_itself_starves_nobody)
{
    const own_loop loop;
    event* self = nullptr;
    event busy([&] { self->post(); });
    self = &busy;
    event heard([&] {
        if (heard.calls == 5)
            iv_quit();
    });
    std::atomic<bool> stop{false};
    std::jthread poster([&] {
        for (int i = 0; i != 5; ++i) {
            heard.post();
            wait_until([&] { return heard.calls > i; });
        }
    });
    busy.post();
    iv_main();
    BOOST_TEST(heard.calls == 5);
    BOOST_TEST(busy.calls > 5);
}

BOOST_AUTO_TEST_CASE(many_objects_each_with_its_own_calls)
{
    const own_loop loop;
    constexpr int objects = 300, rounds = 3;
    std::vector<std::unique_ptr<event>> all;
    int calls = 0;
    for (int i = 0; i != objects; ++i)
        all.push_back(std::make_unique<event>([&] {
            if (++calls % objects == 0)
                iv_quit();
        }));
    for (int round = 1; round <= rounds; ++round) {
        std::thread([&] {
            for (auto& e : all)
                e->post();
        }).join();
        iv_main();
        for (auto& e : all)
            BOOST_TEST(e->calls == round);
    }
}

BOOST_AUTO_TEST_CASE(register_fails_with_the_reason_and_leaves_nothing)
{
    // With room for no descriptor, for one, for two, until there is room for all that it takes.
    need_no_descriptors();
    const own_loop loop;
    iv_event_raw object;
    IV_EVENT_RAW_INIT(&object);
    object.cookie = nullptr;
    object.handler = [](void*) { iv_quit(); };
    const auto before = descriptors();
    rlimit usual{};
    getrlimit(RLIMIT_NOFILE, &usual);
    int failures = 0;
    for (bool registered = false; !registered; failures += !registered) {
        const rlimit less{static_cast<rlim_t>(failures), usual.rlim_max};
        BOOST_REQUIRE(setrlimit(RLIMIT_NOFILE, &less) == 0);
        errno = 0;
        registered = iv_event_raw_register(&object) == 0;
        const int error = errno;
        BOOST_REQUIRE(setrlimit(RLIMIT_NOFILE, &usual) == 0);
        if (!registered) {
            BOOST_TEST(error == EMFILE);
            BOOST_TEST((descriptors() == before));
            iv_event_raw_post(&object); // nothing
            iv_main();                  // returns
        }
    }
    BOOST_TEST(failures >= 3); // at least the standard ones are open
    iv_event_raw_post(&object);
    iv_main();
    iv_event_raw_unregister(&object);
}

BOOST_AUTO_TEST_CASE(thread_that_ends_without_deinit_leaves_nothing)
{
    // The harness counts descriptors after the case.
    std::thread([] {
        iv_init();
        static event* left;
        left = new event([] {});
        left->post();
        delete left;
        auto* const registered = new iv_event_raw;
        IV_EVENT_RAW_INIT(registered);
        BOOST_REQUIRE(iv_event_raw_register(registered) == 0);
        delete registered; // the loop does not look at it any more
    }).join();
}

BOOST_AUTO_TEST_CASE(cancellation_ends_a_thread_that_sleeps_in_main)
{
    gate begun;
    std::thread thread([&] {
        iv_init();
        iv_event_raw object;
        IV_EVENT_RAW_INIT(&object);
        object.cookie = &begun;
        object.handler = [](void* cookie) { static_cast<gate*>(cookie)->open(); };
        must(iv_event_raw_register(&object) == 0, "iv_event_raw_register");
        iv_event_raw_post(&object);
        iv_main();
        must(false, "iv_main returned");
    });
    BOOST_TEST(begun.wait());
    BOOST_TEST(pthread_cancel(thread.native_handle()) == 0);
    thread.join();
}

BOOST_AUTO_TEST_CASE(handler_may_end_its_thread)
{
    std::thread([] {
        iv_init();
        iv_event_raw object;
        IV_EVENT_RAW_INIT(&object);
        object.cookie = nullptr;
        object.handler = [](void*) { pthread_exit(nullptr); };
        must(iv_event_raw_register(&object) == 0, "iv_event_raw_register");
        iv_event_raw_post(&object);
        iv_main();
        must(false, "iv_main returned");
    }).join();
}

BOOST_AUTO_TEST_CASE(exception_that_leaves_a_handler_ends_in_terminate)
{
    const auto end = child([] {
        std::set_terminate([] { _exit(47); });
        const own_loop loop;
        event heard([] { throw std::runtime_error("thrown"); });
        heard.post();
        try {
            iv_main();
        } catch (...) {
            _exit(48);
        }
    });
    BOOST_TEST(end == (child_end{.code = 47}));
}

BOOST_AUTO_TEST_SUITE_END()

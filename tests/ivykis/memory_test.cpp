// Everything that fails for want of memory fails in iv_init() and iv_event_raw_register(), and can be done again; what comes
// after them needs none.
#include "fixture.hpp"

#include "reservation/failing_malloc.hpp"

#include <cerrno>

using namespace sigev_tests;

namespace {

void need_failing_malloc()
{
    if (!no_memory::works())
        skip("the sanitizer's allocator is not ours to fail");
}

} // namespace

BOOST_AUTO_TEST_SUITE(memory)

BOOST_AUTO_TEST_CASE(init_fails_without_memory_and_leaves_no_loop)
{
    need_failing_malloc();
    unsigned long granted = 0;
    for (;; ++granted) {
        int error = 0;
        {
            const no_memory none(granted);
            errno = 0;
            iv_init();
            error = errno;
        }
        if (iv_inited())
            break;
        BOOST_TEST(error == ENOMEM);
        BOOST_REQUIRE(granted < 100);
    }
    BOOST_TEST(granted >= 1u);
    iv_deinit();
}

BOOST_AUTO_TEST_CASE(register_fails_at_the_nth_allocation_and_leaves_nothing)
{
    need_failing_malloc();
    const own_loop loop;
    iv_event_raw object;
    IV_EVENT_RAW_INIT(&object);
    object.cookie = nullptr;
    object.handler = [](void*) { iv_quit(); };
    const auto before = descriptors();
    unsigned long granted = 0;
    for (bool registered = false; !registered; ++granted) {
        int error = 0;
        {
            const no_memory none(granted);
            errno = 0;
            registered = iv_event_raw_register(&object) == 0;
            error = errno;
        }
        if (registered)
            break;
        BOOST_TEST(error == ENOMEM);
        iv_event_raw_post(&object); // nothing
        iv_main();                  // returns
        BOOST_REQUIRE(granted < 100);
    }
    BOOST_TEST(granted >= 2u);
    BOOST_TEST(descriptors().size() >= before.size() + 2);
    iv_event_raw_post(&object);
    iv_main();
    iv_event_raw_unregister(&object);
}

BOOST_AUTO_TEST_CASE(posts_calls_and_unregister_need_no_memory)
{
    need_failing_malloc();
    const own_loop loop;
    static int calls;
    calls = 0;
    iv_event_raw all[3];
    for (auto& object : all) {
        IV_EVENT_RAW_INIT(&object);
        object.cookie = &all;
        object.handler = [](void* cookie) {
            auto& objects = *static_cast<iv_event_raw(*)[3]>(cookie);
            if (++calls < 100)
                iv_event_raw_post(&objects[calls % 3]);
            else
                for (auto& o : objects)
                    iv_event_raw_unregister(&o);
        };
        BOOST_REQUIRE(iv_event_raw_register(&object) == 0);
    }
    unsigned long refusals = 0;
    {
        const no_memory none;
        iv_event_raw_post(&all[0]);
        iv_main();
        refusals = no_memory::refusals();
    }
    BOOST_TEST(calls == 100);
    BOOST_TEST(refusals == 0u); // nobody has asked
}

BOOST_AUTO_TEST_SUITE_END()

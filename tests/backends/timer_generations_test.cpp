// Timers of the heap engine that come and go: stale handles, slots that are used again, descriptors, errors.
#include "backends/timer_fixture.hpp"

#include <cerrno>

#include <sys/resource.h>

using namespace sigev_tests;

BOOST_FIXTURE_TEST_SUITE(timer_generations, timer_fixture)

// ---- generations

BOOST_AUTO_TEST_CASE(a_handle_that_is_stale_or_foreign_is_not_valid)
{
    const timer t = make();
    const auto refused = [&](const timer& h) {
        return !set(h, hour).valid && !get(h).valid && !destroy(h);
    };
    BOOST_TEST(refused({t.slot, 0}));
    BOOST_TEST(refused({t.slot, t.generation + 1}));
    BOOST_TEST(refused({t.slot, t.generation + 2}));
    BOOST_TEST(refused({t.slot + 1, t.generation}));
    BOOST_TEST(refused({t.slot + 1, 0})); // never created, but there
    BOOST_TEST(refused({~0u, t.generation}));
    BOOST_TEST(refused({1u << 31, t.generation}));
    BOOST_TEST(destroy(t));
    BOOST_TEST(refused(t));
    reap();
    BOOST_TEST(refused(t));
    const timer next = make();
    BOOST_TEST(next.slot == t.slot);
    BOOST_TEST(next.generation != t.generation);
    BOOST_TEST(refused(t));
    BOOST_TEST(get(next).valid);
    BOOST_TEST(get(next).old.deadline == 0u);
}

BOOST_AUTO_TEST_CASE(a_deleted_one_is_silent_and_retired_once)
{
    with_time_enough([this](std::uint64_t unit) {
        const timer t = make();
        const std::uint64_t deadline = now() + unit;
        set(t, deadline);
        reap();
        const int before = wakes;
        const bool destroyed = destroy(t);
        const int woken = wakes - before;
        const bool gone_at_once = !gone.empty();
        reap();
        if (now() >= deadline)
            return false;
        BOOST_TEST(destroyed);
        BOOST_TEST(woken == 1); // nothing else would make it run
        BOOST_TEST(!gone_at_once);
        BOOST_REQUIRE(gone.size() == 1u);
        BOOST_TEST((gone[0] == t));
        BOOST_REQUIRE(readable(static_cast<int>(patience.count()))); // its entry in the heap surfaces
        reap();
        BOOST_TEST(gone.size() == 1u);
        BOOST_TEST(fired.empty());
        BOOST_TEST(!readable());
        return true;
    });
}

BOOST_AUTO_TEST_CASE(slots_are_used_again_oldest_first)
{
    const timer a = make(), b = make(), c = make();
    for (const timer& t : {b, a, c}) {
        destroy(t);
        reap();
    }
    BOOST_TEST(make().slot == b.slot);
    BOOST_TEST(make().slot == a.slot);
    BOOST_TEST(make().slot == c.slot);
    BOOST_TEST(make().slot == 3u);
}

BOOST_AUTO_TEST_CASE(the_entry_in_the_heap_serves_the_next_owner)
{
    with_time_enough([this](std::uint64_t unit) {
        const timer first = make();
        const std::uint64_t deadline = now() + unit;
        set(first, deadline);
        reap();
        destroy(first);
        reap();
        const timer next = make();
        BOOST_REQUIRE(next.slot == first.slot);
        const int before = wakes;
        set(next, deadline + unit);
        const int woken = wakes - before;
        if (now() >= deadline)
            return false;
        BOOST_TEST(woken == 0);
        BOOST_REQUIRE(run_until_fired(1));
        BOOST_TEST((fired[0].what == next));
        return true;
    });
}

BOOST_AUTO_TEST_CASE(it_may_be_deleted_from_its_own_expiry)
{
    const timer t = make();
    on_expired = [&](timer self) { BOOST_TEST(destroy(self)); };
    set(t, 1, 1);
    BOOST_TEST(engine->reap()); // the delete is found
    BOOST_TEST(!engine->reap());
    BOOST_TEST(fired.size() == 1u);
    BOOST_TEST(gone.size() == 1u);
}

// ---- descriptors, errors

BOOST_AUTO_TEST_CASE(closed_descriptors_come_back_and_nothing_old_covers)
{
    with_time_enough([this](std::uint64_t unit) {
        const timer t = make(true);
        const std::uint64_t deadline = now() + unit;
        set(t, deadline);
        reap();
        destroy(t);
        reap();
        if (now() >= deadline)
            return false; // its entry has left the heap already
        engine->close_descriptors();
        int fds[2];
        BOOST_TEST(engine->descriptors(fds) == 0u);

        const timer next = make();
        BOOST_TEST(engine->descriptors(fds) == 1u);
        const int before = wakes;
        set(next, deadline + unit);
        BOOST_TEST(wakes == before + 1);
        BOOST_REQUIRE(run_until_fired(1));
        BOOST_TEST((fired[0].what == next));
        return true;
    });
}

BOOST_AUTO_TEST_CASE(without_a_descriptor_there_is_no_timer)
{
    need_no_descriptors();
    const auto end = child([this] {
        const rlimit nothing = {0, 0};
        setrlimit(RLIMIT_NOFILE, &nothing);
        timer t;
        errno = 0;
        BOOST_TEST(engine->create(true, t.slot, t.generation) == EMFILE);
        BOOST_TEST(errno == 0);
    });
    BOOST_TEST(end == exited_well);
}

BOOST_AUTO_TEST_CASE(errno_is_kept)
{
    const timer t = make(true);
    errno = EDOM;
    set(t, now(timer_base::wall) + ms, 0, timer_base::wall);
    get(t);
    reap();
    destroy(t);
    reap();
    BOOST_TEST(errno == EDOM);
}

BOOST_AUTO_TEST_CASE(slots_are_many_and_distinct)
{
    constexpr std::uint32_t many = 300'000;
    std::vector<timer> all;
    std::vector<bool> seen(many);
    for (std::uint32_t i = 0; i < many; ++i) {
        all.push_back(make());
        BOOST_REQUIRE(all.back().slot < many);
        BOOST_REQUIRE(!seen[all.back().slot]);
        seen[all.back().slot] = true;
    }
    for (const timer& t : all)
        destroy(t);
    reap();
    BOOST_TEST(gone.size() == many);
    BOOST_TEST(make().slot < many);
}

BOOST_AUTO_TEST_SUITE_END()

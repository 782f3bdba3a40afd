// Subscriptions that many share who are told once each: what an occasion goes through, and when they are closed.
#include "core/commons.hpp"
#include "core/runtime.hpp"

#include "dispatcher_fixture.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace sigev_tests;

namespace {

/// An occasion that knows how often it was given back.
struct counted : core::occasion {
    int over = 0;
    static void give_back(core::occasion& o) noexcept { ++static_cast<counted&>(o).over; }
};

struct commons_fixture : dispatcher_fixture {
    core::subscription& open_common(const spi::method& method, fake_target& target) {
        core::subscription_spec spec;
        spec.source = SIGEV_SOURCE_AIO;
        spec.kind = core::raising::common;
        spec.over = counted::give_back;
        return open(spec, method, &target); // pinned, as who joins has it
    }

    std::vector<counted> join(core::subscription& s, std::size_t n) {
        std::vector<counted> all(n);
        for (std::size_t i = 0; i != n; ++i) {
            all[i].owner = &s;
            all[i].ident = 100 + i;
            all[i].value.sival_int = static_cast<int>(200 + i);
        }
        return all;
    }

    void submit(counted& o, std::int64_t data, int error = 0) {
        road.dispatcher::submit(o, data, error, 1);
    }

    using dispatcher = core::dispatcher;
};

bool all_over(const std::vector<counted>& all) {
    return std::all_of(all.begin(), all.end(), [](const counted& o) { return o.over == 1; });
}

// ---- as programs come to one ------------------------------------------------------------------------------------------------

struct joined_fixture {
    ~joined_fixture() { core::registry::shutdown(); }

    static sigevent signal(int number) {
        sigevent event{};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = number;
        return event;
    }

    core::subscription* join(const sigevent& event, int source = SIGEV_SOURCE_AIO, int expected = 0) {
        core::subscription_spec spec;
        spec.event = &event;
        spec.source = source;
        spec.ident = 1;
        spec.over = counted::give_back;
        counted o;
        BOOST_TEST(all->commons().join(0, spec, o) == expected);
        return o.owner;
    }

    void leave(core::subscription& s) {
        s.generation.unpin();
        all->maybe_free(s);
    }

    static bool is_open(const core::subscription& s) { return !(s.gate & core::gate_closing); }

    core::registry* all = core::registry::ensure();
};

bool any_worker() {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        if (std::ifstream(entry.path() / "comm") >> name && name == "sigev-worker")
            return true;
    }
    return false;
}

void nothing(sigval) {}

} // namespace

BOOST_AUTO_TEST_SUITE(commons)

BOOST_FIXTURE_TEST_CASE(each_occasion_says_its_own_and_is_given_back_once, commons_fixture) {
    for (const spi::method* method : {&fake_method, &fake_user_method}) {
        fake_target target;
        core::subscription& s = open_common(*method, target);
        auto all = join(s, 3);
        submit(all[0], 7, 0);
        submit(all[1], 0, ECANCELED);
        submit(all[2], 9, EIO);
        check_ledger(s, 3, 0, 0, 3, 0);
        drain();
        check_ledger(s, 3, 3, 0, 0, 0);
        BOOST_REQUIRE(target.seen.size() == 3u);
        BOOST_TEST(all_over(all));
        for (std::size_t i = 0; i != 3; ++i) {
            BOOST_TEST(target.seen[i].ident == 100 + i);
            BOOST_TEST(target.seen[i].value.sival_int == static_cast<int>(200 + i));
            BOOST_TEST(target.seen[i].overrun == 0);
            BOOST_TEST(target.seen[i].cause == (i == 1 ? +SIGEV_CAUSE_CANCELED : +SIGEV_CAUSE_COMPLETED));
        }
        road.cancel(s);
        s.generation.unpin();
        this->all->maybe_free(s);
        this->all->reap_dead(true);
        BOOST_TEST(target.closed == 1);
    }
}

BOOST_FIXTURE_TEST_CASE(those_that_are_refused_are_offered_again_in_order, commons_fixture) {
    fake_target target;
    core::subscription& s = open_common(fake_method, target);
    target.answers = {verdict::delivered, verdict::retry};
    auto all = join(s, 3);
    for (int i = 0; i != 3; ++i)
        submit(all[static_cast<std::size_t>(i)], i + 1);
    drain();
    BOOST_TEST(target.got == numbers(1, 1));
    check_ledger(s, 3, 1, 0, 2, 0);
    drain_at_retry_time();
    BOOST_TEST(target.got == numbers(1, 3));
    BOOST_TEST(all_over(all));
    close(s);
    s.generation.unpin();
    this->all->reap_dead(true);
}

// Whoever is in it when its reactor closes, and raises only then, finds it there, and comes to his account.
BOOST_FIXTURE_TEST_CASE(after_the_end_what_was_raised_and_what_comes_later_is_discarded, commons_fixture) {
    fake_target target;
    core::subscription& s = open_common(fake_method, target);
    auto all = join(s, 2);
    submit(all[0], 1);
    road.cancel(s);
    BOOST_TEST(all[0].over == 1);
    this->all->reap_dead(true);
    BOOST_TEST(target.closed == 0); // pinned
    submit(all[1], 2);
    BOOST_TEST(all[1].over == 1);
    check_ledger(s, 2, 0, 0, 0, 2);
    s.generation.unpin();
    this->all->maybe_free(s);
    this->all->reap_dead(true);
    BOOST_TEST(target.closed == 1);
    BOOST_TEST(target.seen.empty());
}

BOOST_FIXTURE_TEST_CASE(what_is_alike_shares_and_what_is_not_does_not, joined_fixture) {
    core::subscription* const one = join(signal(SIGUSR1));
    core::subscription* const same = join(signal(SIGUSR1));
    core::subscription* const other = join(signal(SIGUSR2));
    core::subscription* const list = join(signal(SIGUSR1), SIGEV_SOURCE_AIO_LIST);
    BOOST_TEST(one == same);
    BOOST_TEST(one != other);
    BOOST_TEST(one != list);
    sigevent by_thread_id = signal(SIGUSR1);
    by_thread_id.sigev_notify = SIGEV_THREAD_ID;
    join(by_thread_id, SIGEV_SOURCE_AIO, ENOTSUP);
    join(signal(-5), SIGEV_SOURCE_AIO, EINVAL);
    for (core::subscription* s : {one, same, other, list})
        leave(*s);
}

BOOST_FIXTURE_TEST_CASE(only_what_nobody_is_in_is_closed, joined_fixture) {
    core::subscription* const left = join(signal(SIGUSR1));
    core::subscription* const kept = join(signal(SIGUSR2));
    core::subscription* const raised = join(signal(SIGURG));
    leave(*left);
    raised->inflight = 1; // an occasion that is on the road
    leave(*raised);
    all->commons().close_unused();
    BOOST_TEST(!is_open(*left));
    BOOST_TEST(is_open(*kept));
    BOOST_TEST(is_open(*raised));
    core::subscription* const again = join(signal(SIGUSR2));
    BOOST_TEST(again == kept);
    raised->inflight = 0;
    leave(*kept);
    leave(*again);
    all->commons().close_unused();
    BOOST_TEST(!is_open(*kept));
    BOOST_TEST(!is_open(*raised));
}

// They do not pile up where each is told in another way.
BOOST_FIXTURE_TEST_CASE(there_are_not_many_that_nobody_is_in, joined_fixture) {
    std::vector<core::subscription*> seen;
    sigevent event = signal(0);
    event.sigev_notify = SIGEV_CALLBACK;
    for (std::uintptr_t i = 1; i != 1000; ++i) {
        event.sigev_notify_function = reinterpret_cast<void (*)(sigval)>(i * 16); // never called
        core::subscription* const s = join(event);
        BOOST_REQUIRE(s);
        seen.push_back(s);
        leave(*s);
    }
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    BOOST_TEST(std::count_if(seen.begin(), seen.end(), [](auto* s) { return is_open(*s); }) <= 16);
    BOOST_TEST(seen.size() < 200u); // slots come round
}

BOOST_FIXTURE_TEST_CASE(no_worker_stays_for_one_that_nobody_is_in, joined_fixture) {
    const auto before = core::runtime::idle_time.exchange(slowness * milliseconds(20));
    sigevent event = signal(0);
    event.sigev_notify = SIGEV_CALLBACK; // on the runtime: by a worker
    event.sigev_notify_function = nothing;
    core::subscription* const s = join(event);
    BOOST_REQUIRE(s);
    BOOST_TEST(wait_until(any_worker)); // it has its name a little later
    leave(*s);
    BOOST_TEST(wait_until([&] { return !is_open(*s); }));
    core::runtime::idle_time = before;
}

BOOST_AUTO_TEST_SUITE_END()

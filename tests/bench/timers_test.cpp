// bench_timers and bench_lateness: our contestants can do all that they are asked, and what lost, invented or misplaced a timer is
// no measurement.
#include "timers/cases.hpp"

#include "support/contestant_process.hpp"
#include "support/support.hpp"

#include <stdexcept>
#include <string>

using namespace sigev_bench;

namespace {

enum class fault { none, early, late, forgets, twice };

/// Timers that are only written down; run() lets them all expire.
template <fault Fault>
class noted {
public:
    static constexpr bool slow = true;
    static constexpr bool defers = false;
    static constexpr bool holds_what_is_scarce = false;
    static constexpr bool keeps_time = true;

    noted(std::size_t n, void (*expired)())
        : due_(n, 0), expired_(expired)
    {
    }
    std::size_t size() const { return due_.size(); }
    void begin() {}
    void end() {}
    void arm(std::size_t i, std::uint64_t ns)
    {
        if (Fault != fault::forgets || ++armed_ % 100 != 0)
            due_[i] = nanoseconds(CLOCK_MONOTONIC) + ns;
    }
    std::uint64_t left(std::size_t i)
    {
        const std::uint64_t left = due_[i] - nanoseconds(CLOCK_MONOTONIC);
        // They are told one to two hours. Of less than the time that arming takes nobody could tell, and that may be interrupted.
        constexpr std::uint64_t off = 1800 * second;
        return Fault == fault::early ? left - off : Fault == fault::late ? left + off : left;
    }
    void run(const std::atomic<bool>&)
    {
        for (const std::uint64_t due : due_)
            while (Fault != fault::early && nanoseconds(CLOCK_MONOTONIC) < due) {
            }
        for (std::size_t i = Fault == fault::twice ? 0 : 1; i != due_.size() + 1; ++i)
            expired_();
    }

private:
    std::vector<std::uint64_t> due_;
    void (*expired_)();
    std::size_t armed_ = 0;
};

auto says(const char* part)
{
    return [part](const std::runtime_error& e) { return std::string(e.what()).find(part) != std::string::npos; };
}

/// Measurements pin their thread.
struct unpinned {
    unpinned() { ::sched_getaffinity(0, sizeof before, &before); }
    ~unpinned() { ::sched_setaffinity(0, sizeof before, &before); }
    cpu_set_t before;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(timers, unpinned)

BOOST_AUTO_TEST_CASE(ours_measures_all_that_it_is_asked_for)
{
    contestant_process ours(SIGEV_BENCH_TIMERS);
    for (const char* measure : {"rearm", "create", "create.one", "most", "burst", "burst.thread", "burst.signal", "burst.signal.heap"})
        BOOST_TEST(ours.ask(measure, 1000) > 0, measure);
    BOOST_TEST(ours.ask("memory", 50'000) > 0);
}

BOOST_AUTO_TEST_CASE(ours_is_asked_how_late_it_is)
{
    contestant_process ours(SIGEV_BENCH_LATENESS);
    for (const char* measure : {"p50", "p99", "precise"})
        BOOST_TEST(ours.ask(measure, 10) > 0, measure);
}

BOOST_AUTO_TEST_CASE(timers_that_are_armed_as_they_were_told_are_measured)
{
    BOOST_TEST(rearm<noted<fault::none>>(100) > 0);
    BOOST_TEST(burst<noted<fault::none>>(100) > 0);
}

BOOST_AUTO_TEST_CASE(a_timer_that_is_armed_otherwise_is_a_failure)
{
    BOOST_CHECK_EXCEPTION(rearm<noted<fault::early>>(100), std::runtime_error, says("as it was told"));
    BOOST_CHECK_EXCEPTION(rearm<noted<fault::late>>(100), std::runtime_error, says("as it was told"));
    BOOST_CHECK_EXCEPTION(rearm<noted<fault::forgets>>(1000), std::runtime_error, says("as it was told"));
}

BOOST_AUTO_TEST_CASE(one_that_expires_twice_or_early_is_a_failure)
{
    BOOST_CHECK_EXCEPTION(burst<noted<fault::twice>>(100), std::runtime_error, says("more often"));
    BOOST_CHECK_EXCEPTION(burst<noted<fault::early>>(100), std::runtime_error, says("early"));
}

// The contestant's process is pinned by what it measured before.
BOOST_AUTO_TEST_CASE(what_needs_all_processors_has_them_in_a_process_that_is_pinned)
{
    const auto allowed = [] {
        cpu_set_t set;
        ::sched_getaffinity(0, sizeof set, &set);
        return static_cast<std::size_t>(CPU_COUNT(&set));
    };
    if (processors().size() == 1)
        sigev_tests::skip("there is one processor");
    pin_to(last_processor());
    BOOST_TEST(allowed() == 1u);
    {
        const on_all_processors here;
        BOOST_TEST(allowed() == processors().size());
    }
    BOOST_TEST(allowed() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

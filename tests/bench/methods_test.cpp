// bench_methods: our contestant can do all that it is asked, and a measurement that lost something is no measurement.
#include "methods/cases.hpp"
#include "support/contestant_process.hpp"

#include "support/support.hpp"

#include <stdexcept>

using namespace sigev_bench;

namespace {

/// Calls `Calls` functions for each but the last of ten, of which it makes `Last`.
template <unsigned Calls, unsigned Last>
class notifier {
public:
    static constexpr std::uint64_t window = 1;

    explicit notifier(void (*function)(sigval))
        : function_(function)
    {
    }
    void notify()
    {
        for (unsigned i = ++made_ % 10 == 0 ? Last : Calls; i != 0; --i)
            function_({});
    }
    void finish(std::uint64_t n) { finished = n; }

    static inline std::uint64_t finished = 0;

private:
    void (*function_)(sigval);
    unsigned made_ = 0;
};

using honest = notifier<1, 1>;
using losing = notifier<1, 0>;
using doubling = notifier<1, 2>;

template <int Value, unsigned Fewer>
class sender {
public:
    explicit sender(int signo)
        : signo_(signo)
    {
    }
    void queue(unsigned n)
    {
        sigval value{};
        value.sival_int = Value;
        for (unsigned i = Fewer; i != n; ++i)
            unless(::sigqueue(::getpid(), signo_, value) == 0, "sigqueue");
    }

private:
    int signo_;
};

bool says(const std::runtime_error& e, const char* part)
{
    return std::string(e.what()).find(part) != std::string::npos;
}

/// Measurements pin their thread.
struct unpinned {
    unpinned()
    {
        lost = std::chrono::milliseconds(50);
        ::sched_getaffinity(0, sizeof before, &before);
    }
    ~unpinned() { ::sched_setaffinity(0, sizeof before, &before); }
    cpu_set_t before;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(methods, unpinned)

BOOST_AUTO_TEST_CASE(ours_measures_all_that_it_is_asked_for)
{
    contestant_process ours(SIGEV_BENCH_METHODS);
    for (const char* measure : {"thread", "thread.onecore", "thread.calling"})
        BOOST_TEST(ours.ask(measure, 20'000) > 0, measure);
    for (const char* measure : {"cycle.onecore", "cycle.across"})
        BOOST_TEST(ours.ask(measure, 100) > 0, measure);
    for (const char* measure : {"signal", "thread_id"})
        BOOST_TEST(ours.ask(measure, 1000) > 0, measure);
}

BOOST_AUTO_TEST_CASE(what_calls_once_for_each_is_measured)
{
    BOOST_TEST(bulk<honest>(100) > 0);
    BOOST_TEST(honest::finished == 100u);
    BOOST_TEST(cycle_onecore<honest>(100) > 0);
    BOOST_TEST((signals<sender<signal_value, 0>>(512) > 0));
}

BOOST_AUTO_TEST_CASE(a_function_that_was_not_called_is_a_failure)
{
    const auto lost = [](const std::runtime_error& e) { return says(e, "lost"); };
    BOOST_CHECK_EXCEPTION(bulk<losing>(100), std::runtime_error, lost);
    BOOST_CHECK_EXCEPTION(cycle_onecore<losing>(100), std::runtime_error, lost);
}

BOOST_AUTO_TEST_CASE(one_that_was_called_twice_is_a_failure)
{
    BOOST_CHECK_EXCEPTION(
        bulk<doubling>(10), std::runtime_error, [](const std::runtime_error& e) { return says(e, "too often"); });
}

BOOST_AUTO_TEST_CASE(a_signal_that_is_missing_or_says_something_else_is_a_failure)
{
    BOOST_CHECK_EXCEPTION((signals<sender<signal_value, 1>>(512)), std::runtime_error, [](const std::runtime_error& e) {
        return says(e, "lost");
    });
    BOOST_CHECK_EXCEPTION((signals<sender<signal_value + 1, 0>>(512)), std::runtime_error, [](const std::runtime_error& e) {
        return says(e, "say");
    });
}

BOOST_AUTO_TEST_SUITE_END()

// How late a timer is.
#include "support/bench.hpp"

namespace {

using namespace sigev_bench;

constexpr std::uint64_t halves = 100;
constexpr std::uint64_t hundredths = 1000; // the tenth latest says more than the third of 300

const bench lateness{
    "bench_lateness",
    "lateness",
    "How long after a timer was due its function is called: ours, and the peers'.",
    {
        {"p50", "timerfd", "us", halves},
        {"p50", "sigev", "us", halves},
        {"p50", "asio", "us", halves},
        {"p50", "libuv", "us", halves},
        {"p50", "libevent", "us", halves},
        {"p50", "libev", "us", halves},
        {"p50", "ivykis", "us", halves},
        {"p50", "kernel", "us", halves},
        {"p50", "sigev_thread", "us", halves},
        {"p50", "glibc", "us", halves},

        {"p99", "timerfd", "us", hundredths},
        {"p99", "sigev", "us", hundredths},
        {"p99", "asio", "us", hundredths},
        {"p99", "libuv", "us", hundredths},
        {"p99", "libevent", "us", hundredths},
        {"p99", "libev", "us", hundredths},
        {"p99", "ivykis", "us", hundredths},
        {"p99", "kernel", "us", hundredths},
        {"p99", "sigev_thread", "us", hundredths},
        {"p99", "glibc", "us", hundredths},

        {"precise", "sigev", "us", halves},
    },
    {
        {"lateness.p50", {"p50", "sigev"}, side{"p50", "timerfd"}, bound::at_most, 1.10},
        {"lateness.p99", {"p99", "sigev"}, side{"p99", "timerfd"}, bound::at_most, 1.25},
        {"lateness.precise", {"precise", "sigev"}, side{"p50", "timerfd"}, bound::at_most, 0.03},
    },
    std::chrono::seconds(75)};

} // namespace

int main(int argc, char** argv)
{
    return run_bench(argc, argv, lateness);
}

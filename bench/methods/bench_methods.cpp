// Telling by a thread and by a signal.
#include "support/bench.hpp"

namespace {

using namespace sigev_bench;

constexpr std::uint64_t many = 1'000'000;
constexpr std::uint64_t threads = 10'000; // a thread each
constexpr std::uint64_t cycles = 4000;
constexpr std::uint64_t cycles_across = 1000; // a sleeping core takes tens of microseconds to be woken
constexpr std::uint64_t signals = 100'000;

const bench methods{
    "bench_methods",
    "methods",
    "What it costs to tell by a thread or by a signal: ours, and the peers'.",
    {
        {"thread", "sigev", "ns", many},
        {"thread", "futex", "ns", many},
        {"thread", "bare_list", "ns", many},
        {"thread", "asio_pool", "ns", many},
        {"thread", "new_thread", "ns", threads},
        {"thread", "glibc_timer", "ns", threads},

        {"thread.onecore", "sigev", "ns", many},
        {"thread.onecore", "futex", "ns", many},
        {"thread.onecore", "bare_list", "ns", many},
        {"thread.onecore", "asio_pool", "ns", many},
        {"thread.onecore", "new_thread", "ns", threads},
        {"thread.onecore", "glibc_timer", "ns", threads},

        {"thread.calling", "sigev", "ns", many},
        {"thread.calling", "futex", "ns", many},
        {"thread.calling", "new_thread", "ns", threads},

        {"cycle.onecore", "sigev", "ns", cycles},
        {"cycle.onecore", "futex", "ns", cycles},
        {"cycle.onecore", "asio_pool", "ns", cycles},
        {"cycle.onecore", "new_thread", "ns", cycles},
        {"cycle.onecore", "glibc_timer", "ns", cycles},
        {"cycle.onecore", "glibc_mq", "ns", cycles},
        {"cycle.onecore", "glibc_aio", "ns", cycles},

        {"cycle.across", "sigev", "ns", cycles_across},
        {"cycle.across", "futex", "ns", cycles_across},
        {"cycle.across", "asio_pool", "ns", cycles_across},
        {"cycle.across", "new_thread", "ns", cycles_across},
        {"cycle.across", "glibc_timer", "ns", cycles_across},
        {"cycle.across", "glibc_mq", "ns", cycles_across},
        {"cycle.across", "glibc_aio", "ns", cycles_across},

        {"signal", "sigev", "ns", signals},
        {"signal", "system_call", "ns", signals},
        {"signal", "glibc", "ns", signals},

        {"thread_id", "sigev", "ns", signals},
        {"thread_id", "system_call", "ns", signals},
        {"thread_id", "glibc", "ns", signals},
    },
    {
        {"methods.thread", {"thread", "glibc_timer"}, side{"thread", "sigev"}, bound::at_least, 50},
        {"methods.thread.futex", {"thread", "sigev"}, side{"thread", "futex"}, bound::at_most, 5},
        {"methods.thread.cycle.onecore",
         {"cycle.onecore", "sigev"},
         side{"cycle.onecore", "glibc_timer"},
         bound::at_most,
         0.15},
        {"methods.thread.cycle.cross", {"cycle.across", "sigev"}, side{"cycle.across", "glibc_timer"}, bound::at_most, 1},
        {"methods.signal", {"signal", "sigev"}, side{"signal", "system_call"}, bound::at_most, 1.10},
        {"methods.thread_id", {"thread_id", "sigev"}, side{"thread_id", "system_call"}, bound::at_most, 1.10},
    }};

} // namespace

int main(int argc, char** argv)
{
    return run_bench(argc, argv, methods);
}

// Timers: what it costs to arm one again, with few and with very many live; to have them; and what happens when many are due.
#include "support/bench.hpp"

namespace {

using namespace sigev_bench;

constexpr std::uint64_t few = 4;
constexpr std::uint64_t some = 1000;
constexpr std::uint64_t many = 100'000;
constexpr std::uint64_t very_many = 1'000'000;
constexpr std::uint64_t enormously_many = 10'000'000;
constexpr std::uint64_t at_once = 90'000; // more signals than that are not permitted at once
constexpr std::uint64_t fewer = 9000;     // a thread each is then four times as fast as with ten times as many

question rearm(const char* measure, const char* contestant, std::uint64_t n)
{
    return {measure, contestant, "ns", n, how::ask, "rearm"};
}

const bench timers{
    "bench_timers",
    "timers",
    "What timers cost: ours, and the peers'.",
    {
        rearm("rearm.4", "floor", few),
        rearm("rearm.4", "sigev", few),
        rearm("rearm.4", "libev", few),
        rearm("rearm.4", "ivykis", few),
        rearm("rearm.4", "libuv", few),
        rearm("rearm.4", "libevent", few),
        rearm("rearm.4", "asio", few),
        rearm("rearm.4", "kernel", few),

        rearm("rearm.1k", "floor", some),
        rearm("rearm.1k", "sigev", some),
        rearm("rearm.1k", "libev", some),
        rearm("rearm.1k", "ivykis", some),
        rearm("rearm.1k", "libuv", some),
        rearm("rearm.1k", "libevent", some),
        rearm("rearm.1k", "asio", some),
        rearm("rearm.1k", "kernel", some),

        rearm("rearm.100k", "floor", many),
        rearm("rearm.100k", "sigev", many),
        rearm("rearm.100k", "libev", many),
        rearm("rearm.100k", "ivykis", many),
        rearm("rearm.100k", "libuv", many),
        rearm("rearm.100k", "libevent", many),
        rearm("rearm.100k", "asio", many),
        rearm("rearm.100k", "kernel", many),

        rearm("rearm.1m", "floor", very_many),
        rearm("rearm.1m", "sigev", very_many),
        rearm("rearm.1m", "libev", very_many),
        rearm("rearm.1m", "ivykis", very_many),
        rearm("rearm.1m", "libuv", very_many),
        rearm("rearm.1m", "libevent", very_many),
        rearm("rearm.1m", "asio", very_many),

        {"create.1k", "sigev", "ns", some, how::ask, "create"},
        {"create.1k", "kernel", "ns", some, how::ask, "create"},
        {"create.100k", "sigev", "ns", many, how::ask, "create"},
        {"create.1m", "sigev", "ns", very_many, how::ask, "create"},
        // No goal's: the same beside so many that stay as they are.
        {"create.one.1k", "sigev", "ns", some, how::ask, "create.one"},
        {"create.one.1k", "kernel", "ns", some, how::ask, "create.one"},
        {"create.one.1m", "sigev", "ns", very_many, how::ask, "create.one"},

        {"burst", "sigev", "M/s", many},
        {"burst", "libev", "M/s", many},
        {"burst", "ivykis", "M/s", many},
        {"burst", "libuv", "M/s", many},
        {"burst", "libevent", "M/s", many},
        {"burst", "asio", "M/s", many},

        {"burst.thread", "sigev", "k/s", at_once},
        {"burst.thread", "glibc", "k/s", at_once, how::once}, // it takes ten seconds
        // No goal's: who makes a thread for each is better at fewer.
        {"burst.thread.9k", "sigev", "k/s", fewer, how::ask, "burst.thread"},
        {"burst.thread.9k", "glibc", "k/s", fewer, how::apart, "burst.thread"},

        {"burst.signal", "sigev", "k/s", at_once},
        {"burst.signal", "kernel", "k/s", at_once},
        // Chosen by who asks for it, and no goal's: a system call for each.
        {"burst.signal.heap", "sigev", "k/s", at_once},

        {"memory", "sigev", "bytes", very_many, how::once},
        {"memory", "ivykis", "bytes", very_many, how::once},
        {"memory", "libev", "bytes", very_many, how::once},
        {"memory", "libuv", "bytes", very_many, how::once},
        {"memory", "libevent", "bytes", very_many, how::once},
        {"memory", "asio", "bytes", very_many, how::once},
        {"memory", "kernel", "bytes", at_once, how::once},

        {"live", "sigev", "million", enormously_many, how::once, "most"},
        {"live", "kernel", "million", enormously_many, how::once, "most"},
    },
    {
        {"timers.rearm.4", {"rearm.4", "sigev"}, side{"rearm.4", "floor"}, bound::at_most, 1.25},
        {"timers.rearm.4.kernel", {"rearm.4", "kernel"}, side{"rearm.4", "sigev"}, bound::at_least, 12},
        {"timers.rearm.100k", {"rearm.100k", "sigev"}, side{"rearm.100k", "floor"}, bound::at_most, 1.25},
        {"timers.rearm.100k.kernel", {"rearm.100k", "kernel"}, side{"rearm.100k", "sigev"}, bound::at_least, 80},
        {"timers.rearm.1m", {"rearm.1m", "sigev"}, side{"rearm.1m", "floor"}, bound::at_most, 1.25},
        {"timers.rearm.1m.asio", {"rearm.1m", "asio"}, side{"rearm.1m", "sigev"}, bound::at_least, 4},
        {"timers.live", {"live", "sigev"}, {}, bound::at_least, 10},
        {"timers.memory", {"memory", "sigev"}, {}, bound::at_most, 128},
        {"timers.create", {"create.1k", "kernel"}, side{"create.1k", "sigev"}, bound::at_least, 8},
        {"timers.create.flat", {"create.1m", "sigev"}, side{"create.1k", "sigev"}, bound::at_most, 2},
        {"timers.burst", {"burst", "sigev"}, side{"burst", "libev"}, bound::at_least, 1},
        {"timers.burst.thread", {"burst.thread", "sigev"}, side{"burst.thread", "glibc"}, bound::at_least, 100},
        {"timers.burst.signal", {"burst.signal", "sigev"}, side{"burst.signal", "kernel"}, bound::at_least, 0.95},
    }};

} // namespace

int main(int argc, char** argv)
{
    return run_bench(argc, argv, timers);
}

// Waking a loop: what a post costs, and a round trip of two threads.
#include "support/bench.hpp"

namespace {

using namespace sigev_bench;

constexpr std::uint64_t posts = 1000;
constexpr std::uint64_t turns = 300; // of 16 receivers
constexpr std::uint64_t trips = 4000;
constexpr std::uint64_t trips_across = 500; // a sleeping core takes tens of microseconds to be woken
constexpr std::uint64_t trips_spinning = 20'000;
constexpr std::uint64_t trips_traced = 500;
constexpr std::uint64_t idle_milliseconds = 500;

const bench wakeup{
    "bench_wakeup",
    "wakeup",
    "What it costs to wake a loop: ours, and the peers'.",
    {
        {"exchange", "eventfd", "ns", 0},

        {"suppressed", "sigev_epoll", "ns", 0},
        {"suppressed", "sigev_asio", "ns", 0},
        {"suppressed", "sigev_runtime", "ns", 0},
        {"suppressed", "libuv", "ns", 0},
        {"suppressed", "libev", "ns", 0},
        {"suppressed", "sigev_iv", "ns", 0},
        {"suppressed", "ivykis", "ns", 0},
        {"suppressed", "eventfd", "ns", 0},

        {"first", "sigev_asio", "ns", posts},
        {"first", "sigev_epoll", "ns", posts},
        {"first", "sigev_runtime", "ns", posts},
        {"first", "eventfd", "ns", posts},
        {"first", "libuv", "ns", posts},
        {"first", "libev", "ns", posts},
        {"first", "sigev_iv", "ns", posts},
        {"first", "ivykis", "ns", posts},
        {"first", "asio_post", "ns", posts},

        {"roundtrip", "sigev_runtime", "ns", trips},
        {"roundtrip", "sigev_epoll", "ns", trips},
        {"roundtrip", "sigev_asio", "ns", trips},
        {"roundtrip", "eventfd", "ns", trips},
        {"roundtrip", "asio_descriptor", "ns", trips},
        {"roundtrip", "libuv", "ns", trips},
        {"roundtrip", "libev", "ns", trips},
        {"roundtrip", "sigev_iv", "ns", trips},
        {"roundtrip", "ivykis", "ns", trips},
        {"roundtrip", "asio_post", "ns", trips},

        {"roundtrip.calls", "sigev_runtime", "calls", trips_traced, how::calls, "roundtrip"},
        {"roundtrip.calls", "sigev_epoll", "calls", trips_traced, how::calls, "roundtrip"},
        {"roundtrip.calls", "sigev_asio", "calls", trips_traced, how::calls, "roundtrip"},
        {"roundtrip.calls", "eventfd", "calls", trips_traced, how::calls, "roundtrip"},
        {"roundtrip.calls", "asio_descriptor", "calls", trips_traced, how::calls, "roundtrip"},
        {"roundtrip.calls", "sigev_iv", "calls", trips_traced, how::calls, "roundtrip"},
        {"roundtrip.calls", "ivykis", "calls", trips_traced, how::calls, "roundtrip"},

        {"awake", "sigev_runtime", "ns", turns},
        {"awake", "sigev_epoll", "ns", turns},
        {"awake", "asio_post", "ns", turns},
        {"awake", "libev", "ns", turns},
        {"awake", "libuv", "ns", turns},
        {"awake", "sigev_iv", "ns", turns},
        {"awake", "ivykis", "ns", turns},

        {"roundtrip.across", "sigev_runtime", "ns", trips_across},
        {"roundtrip.across", "eventfd", "ns", trips_across},
        {"roundtrip.across", "libuv", "ns", trips_across},
        {"roundtrip.across", "sigev_iv", "ns", trips_across},
        {"roundtrip.across", "ivykis", "ns", trips_across},
        {"roundtrip.across", "asio_post", "ns", trips_across},
        {"roundtrip.spinning", "sigev_runtime", "ns", trips_spinning},
        {"idle.spinning", "sigev_runtime", "share", idle_milliseconds},
    },
    {
        {"wakeup.suppressed", {"suppressed", "sigev_epoll"}, side{"exchange", "eventfd"}, bound::at_most, 1.40},
        {"wakeup.suppressed.ivykis", {"suppressed", "ivykis"}, side{"suppressed", "sigev_epoll"}, bound::at_least, 100},
        {"wakeup.first", {"first", "sigev_asio"}, side{"first", "eventfd"}, bound::at_most, 1.10},
        {"wakeup.roundtrip", {"roundtrip", "sigev_runtime"}, side{"roundtrip", "eventfd"}, bound::at_most, 1.10},
        {"wakeup.roundtrip.calls", {"roundtrip.calls", "sigev_runtime"}, {}, bound::at_most, 4},
        {"wakeup.roundtrip.public", {"roundtrip", "sigev_asio"}, side{"roundtrip", "ivykis"}, bound::at_most, 1.20},
        {"wakeup.iv.first", {"first", "sigev_iv"}, side{"first", "ivykis"}, bound::at_most, 1.10},
        {"wakeup.iv.roundtrip", {"roundtrip", "sigev_iv"}, side{"roundtrip", "ivykis"}, bound::at_most, 1.10},
        {"wakeup.awake", {"awake", "sigev_runtime"}, side{"awake", "asio_post"}, bound::at_most, 0.50},
        {"wakeup.spin",
         {"roundtrip.spinning", "sigev_runtime"},
         side{"roundtrip.across", "ivykis"},
         bound::at_most,
         0.05},
        {"wakeup.spin.idle", {"idle.spinning", "sigev_runtime"}, {}, bound::at_most, 0.01},
    }};

} // namespace

int main(int argc, char** argv)
{
    return run_bench(argc, argv, wakeup);
}

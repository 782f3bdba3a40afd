// Carrying records to a loop: how many a second.
#include "support/bench.hpp"

namespace {

using namespace sigev_bench;

constexpr std::uint64_t records = 1'000'000;
constexpr std::uint64_t fewer = 200'000; // of those that take longest

const bench dispatch{
    "bench_dispatch",
    "dispatch",
    "What it costs to carry a record to a loop and call its function there: ours, and the peers'.",
    {
        {"one", "sigev", "M/s", records},
        {"one", "libuv_queue", "M/s", records},
        {"one", "asio_post", "M/s", fewer},
        {"one", "bare_list", "M/s", records},

        {"two", "sigev", "M/s", records},
        {"two", "bare_list", "M/s", records},
        {"two", "libuv_queue", "M/s", records},
        {"two", "asio_post", "M/s", fewer},

        {"four", "sigev", "M/s", records},
        {"four", "bare_list", "M/s", records},
        {"four", "libuv_queue", "M/s", records},
        {"four", "asio_post", "M/s", fewer},

        {"merged", "sigev", "M/s", 0},
    },
    {
        {"dispatch.one", {"one", "sigev"}, side{"one", "asio_post"}, bound::at_least, 6},
        {"dispatch.one.libuv", {"one", "sigev"}, side{"one", "libuv_queue"}, bound::at_least, 0.80},
        {"dispatch.two", {"two", "sigev"}, side{"two", "bare_list"}, bound::at_least, 0.60},
        {"dispatch.four", {"four", "sigev"}, side{"four", "bare_list"}, bound::at_least, 0.60},
        {"dispatch.merged", {"merged", "sigev"}, side{"one", "asio_post"}, bound::at_least, 20},
    }};

} // namespace

int main(int argc, char** argv)
{
    return run_bench(argc, argv, dispatch);
}

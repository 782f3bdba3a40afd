// Programs that know nothing of the library, on it.
#include "support/bench.hpp"

namespace {

using namespace sigev_bench;

constexpr std::uint64_t milliseconds = 400;
constexpr std::uint64_t pairs = 50;

const bench dropin{
    "bench_dropin",
    "dropin",
    "fio's posixaio under sigev run, and beside it what else reads for fio; what starting a program costs there.",
    {
        {"fio.d1", "sigev", "k/s", milliseconds},
        {"fio.d1", "uring", "k/s", milliseconds},
        {"fio.d1", "glibc", "k/s", milliseconds},
        {"fio.d1", "psync", "k/s", milliseconds},
        {"fio.d1", "libaio", "k/s", milliseconds},

        {"fio.d32", "sigev", "k/s", milliseconds},
        {"fio.d32", "uring", "k/s", milliseconds},
        {"fio.d32", "glibc", "k/s", milliseconds},
        {"fio.d32", "psync", "k/s", milliseconds},
        {"fio.d32", "libaio", "k/s", milliseconds},

        {"start", "sigev", "ms", pairs},
        {"start.command", "sigev", "ms", pairs},
    },
    {
        {"dropin.fio.d1.uring", {"fio.d1", "sigev"}, side{"fio.d1", "uring"}, bound::at_least, 0.8},
        {"dropin.fio.d1.glibc", {"fio.d1", "sigev"}, side{"fio.d1", "glibc"}, bound::at_least, 15},
        {"dropin.fio.d32.uring", {"fio.d32", "sigev"}, side{"fio.d32", "uring"}, bound::at_least, 0.9},
        {"dropin.start", {"start", "sigev"}, {}, bound::at_most, 1},
    },
    std::chrono::seconds(35)};

} // namespace

int main(int argc, char** argv)
{
    return run_bench(argc, argv, dropin);
}

// fio with one of its engines, on libc: SIGEV_BENCH_ENGINE.
#include "dropin/cases.hpp"
#include "support/contestant.hpp"

namespace {

using namespace sigev_bench;

template <unsigned Depth>
double at(std::uint64_t milliseconds)
{
    return fio("", SIGEV_BENCH_ENGINE, Depth, milliseconds);
}

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"fio.d1", at<1>}, {"fio.d32", at<32>}});
}

// fio's posixaio under `sigev run`, and what starting a program costs there.
#include "dropin/cases.hpp"
#include "support/contestant.hpp"

namespace {

using namespace sigev_bench;

template <unsigned Depth>
double at(std::uint64_t milliseconds)
{
    return fio(quoted(SIGEV_BENCH_TOOL) + " run -- ", "posixaio", Depth, milliseconds);
}

double plain()
{
    return time_of({"true"});
}

/// The library alone: what each process of a program pays that has it in its environment.
double start(std::uint64_t pairs)
{
    return longer(pairs, plain, [] { return time_of({"true"}, {"LD_PRELOAD=" SIGEV_BENCH_LIBRARY}); });
}

/// With the command, which is a program before it becomes the one that it is to run.
double start_by_command(std::uint64_t pairs)
{
    return longer(pairs, plain, [] { return time_of({SIGEV_BENCH_TOOL, "run", "--", "true"}); });
}

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv, {{"fio.d1", at<1>}, {"fio.d32", at<32>}, {"start", start}, {"start.command", start_by_command}});
}

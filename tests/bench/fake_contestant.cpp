// A contestant that measures nothing.
#include "support/contestant.hpp"

#include <cstdlib>
#include <stdexcept>

int main(int argc, char** argv)
{
    return sigev_bench::compete(
        argc, argv,
        {{"twice", [](std::uint64_t n) { return 2 * static_cast<double>(n); }},
         {"fails", [](std::uint64_t) -> double { throw std::runtime_error("out of luck"); }},
         {"dies", [](std::uint64_t) -> double { std::_Exit(3); }}});
}

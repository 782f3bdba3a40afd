// One contestant: a program of its own, so that the names, the threads and the allocations of one library never meet those
// of another. It is started by the bench, which asks it for one repetition of one measurement at a time:
//
//     bench:       {"measure":"roundtrip","n":5000}
//     contestant:  {"value":6100.5}                     or  {"failure":"no such measurement"}
//
// one JSON object a line, over its standard input and output, until the bench closes its side. For strace, or by hand:
// `wakeup_ivykis roundtrip 5000` measures once and prints the value.
#pragma once

#include <cstdint>
#include <vector>

namespace sigev_bench {

/// Measures once. `n` is what the bench asks for: a number of round trips, of producers. Throws std::exception.
using measurement = double (*)(std::uint64_t n);

struct offer {
    const char* measure;
    measurement take;
};

/// The whole of a contestant's main().
int compete(int argc, char** argv, const std::vector<offer>& offers);

} // namespace sigev_bench

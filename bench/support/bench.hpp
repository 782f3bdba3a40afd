// What every bench program is: contestants, what each of them is asked, and the goals that follow from the answers.
#pragma once

#include "support/goal.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace sigev_bench {

enum class how {
    ask,   ///< the value is the contestant's own answer
    calls, ///< system calls for each of n: strace's count of a run of 2n, less that of a run of n
    apart, ///< as `ask`, but each time in a process of its own; as often as has to be
    once,  ///< the same, and one time: what is the same every time, or takes too long
};

/// One series.
struct question {
    const char* measure;
    const char* contestant; ///< and the program `contestants/<prefix>_<contestant>` beside the bench
    const char* unit;
    std::uint64_t n;
    sigev_bench::how how = how::ask;
    const char* asked_as = nullptr; ///< what the contestant calls it, if not `measure`
};

struct bench {
    const char* name;   ///< "bench_wakeup"
    const char* prefix; ///< of its contestants' programs
    const char* about;
    std::vector<question> questions; ///< those of one measure stand together: they are asked in turn
    std::vector<goal> goals;
    std::chrono::seconds long_enough{60}; ///< no round begins after that, once there are enough
};

/// The whole of a bench's main(). 0 when it ran, whatever came of it.
int run_bench(int argc, char** argv, const bench&);

} // namespace sigev_bench

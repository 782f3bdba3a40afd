// Peer: ivykis.
#include "timers/ivykis_timers.h"

#include "lateness/cases.hpp"
#include "support/contestant.hpp"

namespace {

using namespace sigev_bench;

class timer {
public:
    timer() { unless(timer_ != nullptr, "no memory"); }
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    ~timer() { ::ivykis_timers_close(timer_); }

    void wait_until(std::uint64_t due)
    {
        ::ivykis_timers_begin();
        ::ivykis_timers_arm(timer_, 0, due - nanoseconds(CLOCK_MONOTONIC));
        ::ivykis_timers_run();
    }

private:
    static void expired()
    {
        arrived();
        ::ivykis_timers_stop();
    }

    ivykis_timers* timer_ = ::ivykis_timers_open(1, expired);
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"p50", p50<timer>}, {"p99", p99<timer>}});
}

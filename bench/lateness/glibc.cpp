// Peer: glibc's timers with SIGEV_THREAD.
#include "lateness/called_timer.hpp"
#include "support/contestant.hpp"

using namespace sigev_bench;

using timer = called_timer<::timer_create, ::timer_settime, ::timer_delete>;

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"p50", p50<timer>}, {"p99", p99<timer>}});
}

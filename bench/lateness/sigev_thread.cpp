// sigev, through libsigev.so: SIGEV_THREAD, by the runtime's threads.
#include "lateness/called_timer.hpp"
#include "support/contestant.hpp"

#include <sigev.h>

using namespace sigev_bench;

using timer = called_timer<::sigev_timer_create, ::sigev_timer_settime, ::sigev_timer_delete_wait>;

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"p50", p50<timer>}, {"p99", p99<timer>}});
}

// Peer: libev.
#include "lateness/cases.hpp"
#include "support/contestant.hpp"

#include <ev.h>

namespace {

using namespace sigev_bench;

class timer {
public:
    timer()
    {
        unless(loop_ != nullptr, "ev_loop_new");
        ev_timer_init(&timer_, [](struct ev_loop*, ev_timer*, int) { arrived(); }, 0, 0);
    }
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    ~timer() { ::ev_loop_destroy(loop_); }

    void wait_until(std::uint64_t due)
    {
        ::ev_now_update(loop_);
        ev_timer_set(&timer_, static_cast<double>(due - nanoseconds(CLOCK_MONOTONIC)) * 1e-9, 0);
        ::ev_timer_start(loop_, &timer_);
        ::ev_run(loop_, 0);
    }

private:
    struct ev_loop* loop_ = ::ev_loop_new(EVBACKEND_EPOLL);
    ev_timer timer_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"p50", p50<timer>}, {"p99", p99<timer>}});
}

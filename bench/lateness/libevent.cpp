// Peer: libevent.
#include "lateness/cases.hpp"
#include "support/contestant.hpp"

#include <event2/event.h>

namespace {

using namespace sigev_bench;

class timer {
public:
    timer() { unless(base_ && timer_, "event_base_new"); }
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    ~timer()
    {
        ::event_free(timer_);
        ::event_base_free(base_);
    }

    void wait_until(std::uint64_t due)
    {
        const std::uint64_t us = (due - nanoseconds(CLOCK_MONOTONIC) + 999) / 1000;
        const timeval ahead{0, static_cast<suseconds_t>(us)};
        unless(::event_add(timer_, &ahead) == 0, "event_add");
        ::event_base_dispatch(base_);
    }

private:
    event_base* base_ = ::event_base_new();
    event* timer_ = ::event_new(base_, -1, 0, [](evutil_socket_t, short, void*) { arrived(); }, nullptr);
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"p50", p50<timer>}, {"p99", p99<timer>}});
}

// Peer: libuv, whose timers are kept in milliseconds.
#include "lateness/cases.hpp"
#include "support/contestant.hpp"

#include <uv.h>

namespace {

using namespace sigev_bench;

class timer {
public:
    timer() { unless(::uv_loop_init(&loop_) == 0 && ::uv_timer_init(&loop_, &timer_) == 0, "uv_loop_init"); }
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    ~timer()
    {
        ::uv_close(reinterpret_cast<uv_handle_t*>(&timer_), nullptr);
        ::uv_run(&loop_, UV_RUN_DEFAULT);
        ::uv_loop_close(&loop_);
    }

    void wait_until(std::uint64_t due)
    {
        ::uv_update_time(&loop_);
        const std::uint64_t at = (due + millisecond - 1) / millisecond; // its clock is this one
        unless(::uv_timer_start(&timer_, [](uv_timer_t*) { arrived(); }, at - ::uv_now(&loop_), 0) == 0, "uv_timer_start");
        ::uv_run(&loop_, UV_RUN_DEFAULT);
    }

private:
    uv_loop_t loop_;
    uv_timer_t timer_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"p50", p50<timer>}, {"p99", p99<timer>}});
}

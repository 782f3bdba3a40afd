// Peer: libev. Timers belong to the thread of their loop.
#include "support/contestant.hpp"
#include "timers/cases.hpp"

#include <ev.h>

namespace {

using namespace sigev_bench;

class timers {
public:
    static constexpr bool slow = false;
    static constexpr bool defers = false;
    static constexpr bool holds_what_is_scarce = false;
    static constexpr bool keeps_time = true; // "from now" is from the beginning of the loop's turn

    timers(std::size_t n, void (*expired)())
        : all_(n)
    {
        unless(loop_ != nullptr, "ev_loop_new");
        ::ev_set_userdata(loop_, reinterpret_cast<void*>(expired));
        for (ev_timer& t : all_)
            ev_timer_init(&t, on_expiry, 0, 0);
    }
    timers(const timers&) = delete;
    timers& operator=(const timers&) = delete;
    ~timers()
    {
        for (ev_timer& t : all_)
            ::ev_timer_stop(loop_, &t);
        ::ev_loop_destroy(loop_);
    }

    std::size_t size() const { return all_.size(); }
    void begin() { ::ev_now_update(loop_); }
    // As its manual has it: "again" with a repeat moves a timer that is armed in its heap, without taking it out.
    void arm(std::size_t i, std::uint64_t ns)
    {
        ev_timer& t = all_[i];
        const double seconds = static_cast<double>(ns) * 1e-9;
        if (ev_is_active(&t)) {
            t.repeat = seconds;
            ::ev_timer_again(loop_, &t);
        } else {
            ev_timer_set(&t, seconds, 0);
            ::ev_timer_start(loop_, &t);
        }
    }
    void end() {}
    std::uint64_t left(std::size_t i)
    {
        ::ev_now_update(loop_);
        return static_cast<std::uint64_t>(::ev_timer_remaining(loop_, &all_[i]) * 1e9);
    }
    void run(const std::atomic<bool>& done)
    {
        while (!done.load(std::memory_order_relaxed))
            ::ev_run(loop_, EVRUN_ONCE);
    }

private:
    static void on_expiry(struct ev_loop* loop, ev_timer*, int)
    {
        reinterpret_cast<void (*)()>(::ev_userdata(loop))();
    }

    struct ev_loop* loop_ = ::ev_loop_new(EVBACKEND_EPOLL);
    std::vector<ev_timer> all_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"rearm", rearm<timers>}, {"memory", memory<timers>}, {"burst", burst<timers>}});
}

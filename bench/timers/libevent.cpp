// Peer: libevent. Timers belong to the thread of their loop, as long as it is told of no other.
#include "support/contestant.hpp"
#include "timers/cases.hpp"

#include <event2/event.h>
#include <event2/event_struct.h>

namespace {

using namespace sigev_bench;

timeval to_timeval(std::uint64_t ns)
{
    const std::uint64_t us = (ns + 999) / 1000;
    return {static_cast<time_t>(us / 1'000'000), static_cast<suseconds_t>(us % 1'000'000)};
}

class timers {
public:
    static constexpr bool slow = false;
    static constexpr bool defers = false;
    static constexpr bool holds_what_is_scarce = false;
    static constexpr bool keeps_time = false;

    timers(std::size_t n, void (*expired)())
        : expired_(expired), all_(n)
    {
        unless(base_ != nullptr, "event_base_new");
        for (event& t : all_)
            unless(evtimer_assign(&t, base_, on_expiry, this) == 0, "evtimer_assign");
    }
    timers(const timers&) = delete;
    timers& operator=(const timers&) = delete;
    ~timers()
    {
        for (event& t : all_)
            ::event_del(&t);
        ::event_base_free(base_);
    }

    std::size_t size() const { return all_.size(); }
    void begin() {}
    void arm(std::size_t i, std::uint64_t ns)
    {
        const timeval ahead = to_timeval(ns);
        unless(::event_add(&all_[i], &ahead) == 0, "event_add");
    }
    void end() {}
    std::uint64_t left(std::size_t i)
    {
        timeval due{};
        unless(::event_pending(&all_[i], EV_TIMEOUT, &due) != 0, "event_pending");
        const std::uint64_t at = static_cast<std::uint64_t>(due.tv_sec) * second + static_cast<std::uint64_t>(due.tv_usec) * 1000;
        return at - nanoseconds(CLOCK_REALTIME);
    }
    void run(const std::atomic<bool>& done)
    {
        while (!done.load(std::memory_order_relaxed))
            ::event_base_loop(base_, EVLOOP_ONCE);
    }

private:
    static void on_expiry(evutil_socket_t, short, void* self) { static_cast<timers*>(self)->expired_(); }

    event_base* base_ = ::event_base_new();
    void (*expired_)();
    std::vector<event> all_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"rearm", rearm<timers>}, {"memory", memory<timers>}, {"burst", burst<timers>}});
}

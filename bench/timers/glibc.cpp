// Peer: glibc's timers with SIGEV_THREAD: a helper thread of its takes the kernel's signals, and makes a thread for each.
#include "support/contestant.hpp"
#include "timers/signals.hpp"

namespace {

using namespace sigev_bench;

class timers {
public:
    static constexpr bool slow = false;
    static constexpr bool holds_what_is_scarce = true;

    timers(std::size_t n, void (*)())
    {
        for (std::size_t i = 0; i != n; ++i) {
            sigevent event{};
            event.sigev_notify = SIGEV_THREAD;
            event.sigev_notify_function = count_call;
            timer_t t{};
            unless(::timer_create(CLOCK_MONOTONIC, &event, &t) == 0, "timer_create");
            all_.push_back(t);
        }
    }
    timers(const timers&) = delete;
    timers& operator=(const timers&) = delete;
    ~timers()
    {
        for (timer_t t : all_)
            ::timer_delete(t);
    }

    std::size_t size() const { return all_.size(); }
    void arm_at(std::size_t i, std::uint64_t ns)
    {
        const itimerspec value{{}, to_timespec(ns)};
        unless(::timer_settime(all_[i], TIMER_ABSTIME, &value, nullptr) == 0, "timer_settime");
    }

private:
    std::vector<timer_t> all_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"burst.thread", burst_threads<timers>}});
}

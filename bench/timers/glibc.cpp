// Peer: glibc's timers with SIGEV_THREAD: a helper thread of its takes the kernel's signals, and makes a thread for each.
#include "support/contestant.hpp"
#include "timers/posix_timers.hpp"
#include "timers/signals.hpp"

namespace {

using namespace sigev_bench;

/// The process ends with them, each time: to delete 90 000 takes longer than they take to expire.
int left_to_the_end(timer_t) { return 0; }

class timers : public posix_timers<::timer_settime, ::timer_gettime, left_to_the_end> {
public:
    static constexpr bool slow = true; // each is the kernel's to arm
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
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"burst.thread", burst_threads<timers>}});
}

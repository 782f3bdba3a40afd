// Peer: ivykis. Timers belong to the thread of their loop.
#include "timers/ivykis_timers.h"

#include "support/contestant.hpp"
#include "timers/cases.hpp"

namespace {

using namespace sigev_bench;

class timers {
public:
    static constexpr bool slow = false;
    static constexpr bool defers = false;
    static constexpr bool holds_what_is_scarce = false;
    static constexpr bool keeps_time = true;

    timers(std::size_t n, void (*expired)())
        : n_(n), all_(::ivykis_timers_open(n, on_expiry))
    {
        unless(all_ != nullptr, "no memory");
        expired_ = expired;
    }
    timers(const timers&) = delete;
    timers& operator=(const timers&) = delete;
    ~timers() { ::ivykis_timers_close(all_); }

    std::size_t size() const { return n_; }
    void begin() { ::ivykis_timers_begin(); }
    void arm(std::size_t i, std::uint64_t ns) { ::ivykis_timers_arm(all_, i, ns); }
    void end() {}
    std::uint64_t left(std::size_t i) { return ::ivykis_timers_left(all_, i); }
    void run(const std::atomic<bool>& done)
    {
        done_ = &done;
        ::ivykis_timers_run();
    }

private:
    static void on_expiry()
    {
        expired_();
        if (done_->load(std::memory_order_relaxed))
            ::ivykis_timers_stop();
    }

    static inline void (*expired_)() = nullptr;
    static inline const std::atomic<bool>* done_ = nullptr;
    std::size_t n_;
    ivykis_timers* all_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"rearm", rearm<timers>}, {"memory", memory<timers>}, {"burst", burst<timers>}});
}

// Peer: libuv. Timers belong to the thread of their loop, and are kept in milliseconds.
#include "support/contestant.hpp"
#include "timers/cases.hpp"

#include <uv.h>

namespace {

using namespace sigev_bench;

class timers {
public:
    static constexpr bool slow = false;
    static constexpr bool defers = false;
    static constexpr bool holds_what_is_scarce = false;
    static constexpr bool keeps_time = true;

    timers(std::size_t n, void (*expired)())
        : expired_(expired), all_(n)
    {
        unless(::uv_loop_init(&loop_) == 0, "uv_loop_init");
        loop_.data = this;
        for (uv_timer_t& t : all_)
            unless(::uv_timer_init(&loop_, &t) == 0, "uv_timer_init");
    }
    timers(const timers&) = delete;
    timers& operator=(const timers&) = delete;
    ~timers()
    {
        for (uv_timer_t& t : all_)
            ::uv_close(reinterpret_cast<uv_handle_t*>(&t), nullptr);
        ::uv_run(&loop_, UV_RUN_DEFAULT);
        ::uv_loop_close(&loop_);
    }

    std::size_t size() const { return all_.size(); }
    void begin() { ::uv_update_time(&loop_); }
    void arm(std::size_t i, std::uint64_t ns)
    {
        unless(::uv_timer_start(&all_[i], on_expiry, (ns + millisecond - 1) / millisecond, 0) == 0, "uv_timer_start");
    }
    void end() {}
    std::uint64_t left(std::size_t i)
    {
        ::uv_update_time(&loop_);
        return ::uv_timer_get_due_in(&all_[i]) * millisecond;
    }
    void run(const std::atomic<bool>& done)
    {
        while (!done.load(std::memory_order_relaxed))
            ::uv_run(&loop_, UV_RUN_ONCE);
    }

private:
    static void on_expiry(uv_timer_t* t) { static_cast<timers*>(t->loop->data)->expired_(); }

    uv_loop_t loop_;
    void (*expired_)();
    std::vector<uv_timer_t> all_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"rearm", rearm<timers>}, {"memory", memory<timers>}, {"burst", burst<timers>}});
}

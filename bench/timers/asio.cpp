// Peer: Asio's steady_timer, whose wait is ended by arming it again: the loop then calls its handler, as part of arming.
#include "support/contestant.hpp"
#include "timers/cases.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>

namespace {

using namespace sigev_bench;

class timers {
public:
    static constexpr bool slow = false;
    static constexpr bool defers = false;
    static constexpr bool holds_what_is_scarce = false;
    static constexpr bool keeps_time = false;

    timers(std::size_t n, void (*expired)())
        : expired_(expired)
    {
        for (std::size_t i = 0; i != n; ++i)
            all_.emplace_back(io_);
    }

    std::size_t size() const { return all_.size(); }
    void begin() { io_.restart(); }
    void arm(std::size_t i, std::uint64_t ns)
    {
        boost::asio::steady_timer& t = all_[i];
        t.expires_after(std::chrono::nanoseconds(ns));
        t.async_wait([this](boost::system::error_code error) {
            if (!error)
                expired_();
        });
        if (++armed_ % 64 == 0)
            io_.poll();
    }
    void end() { io_.poll(); }
    std::uint64_t left(std::size_t i)
    {
        return static_cast<std::uint64_t>((all_[i].expiry() - boost::asio::steady_timer::clock_type::now()).count());
    }
    void run(const std::atomic<bool>& done)
    {
        io_.restart();
        while (!done.load(std::memory_order_relaxed))
            io_.run_one();
    }

private:
    boost::asio::io_context io_{1};
    void (*expired_)();
    std::deque<boost::asio::steady_timer> all_; // they do not move
    std::size_t armed_ = 0;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"rearm", rearm<timers>}, {"memory", memory<timers>}, {"burst", burst<timers>}});
}

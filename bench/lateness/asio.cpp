// Peer: Asio's steady_timer.
#include "lateness/cases.hpp"
#include "support/contestant.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace {

using namespace sigev_bench;

class timer {
public:
    void wait_until(std::uint64_t due)
    {
        using clock = boost::asio::steady_timer::clock_type;
        timer_.expires_at(clock::time_point(std::chrono::nanoseconds(due)));
        timer_.async_wait([](boost::system::error_code) { arrived(); });
        io_.restart();
        io_.run();
    }

private:
    boost::asio::io_context io_{1};
    boost::asio::steady_timer timer_{io_};
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"p50", p50<timer>}, {"p99", p99<timer>}});
}

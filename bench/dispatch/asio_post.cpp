// Peer: boost::asio::post(), a handler for each record.
#include "dispatch/cases.hpp"
#include "support/contestant.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace {

using namespace sigev_bench;

class carrier {
public:
    carrier(unsigned, std::size_t, counters& c) : counters_(c) {}

    void run() { context_.run(); }

    void submit(unsigned producer)
    {
        boost::asio::post(context_, [this, producer] {
            counters_.count(producer);
            if (counters_.complete())
                work_.reset();
        });
    }

private:
    counters& counters_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
};

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv, {{"one", throughput<carrier, 1>}, {"two", throughput<carrier, 2>}, {"four", throughput<carrier, 4>}});
}

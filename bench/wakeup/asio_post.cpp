// Peer: boost::asio::post(). A wakeup is a handler; posts do not merge, so there is nothing to suppress.
#include "support/contestant.hpp"
#include "wakeup/cases.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace {

using namespace sigev_bench;

class loop {
public:
    loop(void (*handler)(void*), void* argument) : handler_(handler), argument_(argument) {}

    static void before_thread() {}
    static void after_thread() {}

    void run() { context_.run(); }
    void stop() { work_.reset(); }
    void post()
    {
        boost::asio::post(context_, [this] { handler_(argument_); });
    }

private:
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
    void (*handler_)(void*);
    void* argument_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv,
        {{"first", first<loop>},
         {"roundtrip", roundtrip<loop>},
         {"roundtrip.across", roundtrip_across<loop>},
         {"awake", awake<loop>}});
}

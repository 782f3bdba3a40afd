// sigev::event_raw on an io_context of the caller's: the public C++ API, through libsigev.so and Asio's public API.
#include "wakeup/cases.hpp"

#include <sigev/event_raw.hpp>

#include <boost/asio/io_context.hpp>

namespace {

using namespace sigev_bench;

class loop {
public:
    loop(void (*handler)(void*), void* argument) : handler_(handler), argument_(argument) { wait(); }

    static void before_thread() {}
    static void after_thread() {}

    void run() { context_.run(); }
    void stop() { stopped_ = true; }
    void post() { event_.post(); }

private:
    void wait()
    {
        event_.async_wait([this](const boost::system::error_code& ec) {
            unless(!ec, "async_wait");
            handler_(argument_);
            if (!stopped_)
                wait();
        });
    }

    boost::asio::io_context context_{1};
    sigev::basic_event_raw<boost::asio::io_context::executor_type> event_{context_};
    void (*handler_)(void*);
    void* argument_;
    bool stopped_ = false;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, all_of<loop>());
}

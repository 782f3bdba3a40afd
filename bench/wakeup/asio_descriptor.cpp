// Peer: an eventfd as an Asio descriptor, by the public API: wait until it is readable, read it, run the handler, wait again.
#include "wakeup/cases.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <sys/eventfd.h>

namespace {

using namespace sigev_bench;

class loop {
public:
    loop(void (*handler)(void*), void* argument) : handler_(handler), argument_(argument)
    {
        event_.non_blocking(true);
        wait();
    }

    static void before_thread() {}
    static void after_thread() {}

    void run() { context_.run(); }
    void stop() { stopped_ = true; }
    void post()
    {
        const std::uint64_t one = 1;
        unless(::write(event_.native_handle(), &one, sizeof one) == sizeof one, "write");
    }

private:
    void wait()
    {
        event_.async_wait(boost::asio::posix::descriptor_base::wait_read, [this](const boost::system::error_code& ec) {
            std::uint64_t count;
            unless(!ec && ::read(event_.native_handle(), &count, sizeof count) == sizeof count, "read");
            handler_(argument_);
            if (!stopped_)
                wait();
        });
    }

    boost::asio::io_context context_{1};
    boost::asio::posix::stream_descriptor event_{context_, ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    void (*handler_)(void*);
    void* argument_;
    bool stopped_ = false;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, all_of<loop>());
}

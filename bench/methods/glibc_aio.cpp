// Peer: glibc's aio_read() with SIGEV_THREAD: a byte of this program's own file, which is in memory.
#include "methods/cases.hpp"
#include "support/contestant.hpp"

#include <aio.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>

namespace {

using namespace sigev_bench;

class reader {
public:
    explicit reader(void (*function)(sigval))
        : function_(function)
    {
        unless(file_ >= 0, "open");
        request_->aio_fildes = file_;
        request_->aio_buf = &byte_;
        request_->aio_nbytes = 1;
        request_->aio_sigevent.sigev_notify = SIGEV_NONE;
        unless(::aio_read(request_.get()) == 0, "aio_read"); // glibc's own thread comes with the first one
        const aiocb* const all[] = {request_.get()};
        unless(::aio_suspend(all, 1, nullptr) == 0 && ::aio_return(request_.get()) == 1, "aio_suspend");
        request_->aio_sigevent.sigev_notify = SIGEV_THREAD;
        request_->aio_sigevent.sigev_notify_function = &called;
        request_->aio_sigevent.sigev_value.sival_ptr = this;
    }
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;
    ~reader() { ::close(file_); }

    void notify() { unless(::aio_read(request_.get()) == 0, "aio_read"); }
    void finish(std::uint64_t) {}

private:
    static void called(sigval value)
    {
        auto& self = *static_cast<reader*>(value.sival_ptr);
        if (::aio_return(self.request_.get()) == 1)
            self.function_({});
    }

    void (*function_)(sigval);
    int file_ = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    char byte_ = 0;
    const std::unique_ptr<aiocb> request_{new aiocb{}}; // in place it is an error to -Wpedantic
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"cycle.onecore", cycle_onecore<reader>}, {"cycle.across", cycle_across<reader>}});
}

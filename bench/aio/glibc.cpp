// Peer: glibc's aio_*(), a thread for each file.
#include "aio/posix.hpp"
#include "support/contestant.hpp"

namespace {

using namespace sigev_bench;

struct api {
    static void prepare() {}
    static int read(aiocb* r) { return ::aio_read(r); }
    static int write(aiocb* r) { return ::aio_write(r); }
    static int fsync(int operation, aiocb* r) { return ::aio_fsync(operation, r); }
    static int error(const aiocb* r) { return ::aio_error(r); }
    static ssize_t result(aiocb* r) { return ::aio_return(r); }
    static int suspend(const aiocb* const* list, int n) { return ::aio_suspend(list, n, nullptr); }
    static int list(aiocb* const* list, int n) { return ::lio_listio(LIO_WAIT, list, n, nullptr); }
    static int open_queue() { return -1; }
    static void close_queue(int) {}
    static void tell(sigevent&, int) {}
    static void take_events(int, std::size_t) { unless(false, "there are no kqueues"); }
};

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv,
        {{"suspend", reads<posix<api, told::suspend>>},
         {"list", reads<posix<api, told::list>>},
         {"signal", reads<posix<api, told::signal>>},
         {"thread", reads<posix<api, told::thread>>},
         {"direct", direct_reads<posix<api, told::suspend>>},
         {"tmpfs", memory_reads<posix<api, told::suspend>>},
         {"write", writes<posix<api, told::suspend>>}});
}

// sigev, through libsigev.so.
#include "aio/posix.hpp"
#include "support/contestant.hpp"

#include <sigev.h>

#include <sys/resource.h>

#include <fstream>

namespace {

using namespace sigev_bench;

template <std::uint32_t Flags>
struct api {
    static void prepare()
    {
        sigev_aio_options options{};
        options.size = sizeof options;
        options.flags = Flags;
        unless(::sigev_aio_init(&options) == 0, "sigev_aio_init");
    }
    static int read(aiocb* r) { return ::sigev_aio_read(r); }
    static int write(aiocb* r) { return ::sigev_aio_write(r); }
    static int fsync(int operation, aiocb* r) { return ::sigev_aio_fsync(operation, r); }
    static int error(const aiocb* r) { return ::sigev_aio_error(r); }
    static ssize_t result(aiocb* r) { return ::sigev_aio_return(r); }
    static int suspend(const aiocb* const* list, int n) { return ::sigev_aio_suspend(list, n, nullptr); }
    static int list(aiocb* const* list, int n) { return ::sigev_lio_listio(LIO_WAIT, list, n, nullptr); }
    static int open_queue()
    {
        const int queue = ::sigev_kqueue();
        unless(queue >= 0, "sigev_kqueue");
        return queue;
    }
    static void close_queue(int queue) { ::sigev_kqueue_close(queue); }
    static void tell(sigevent& event, int queue)
    {
        event.sigev_notify = SIGEV_KEVENT;
        event.sigev_notify_kqueue = queue;
        event.sigev_notify_kevent_flags = EV_ONESHOT; // once each: without it they stand there until sigev_aio_return()
    }
    static void take_events(int queue, std::size_t n)
    {
        std::array<sigev_kev, 128> events;
        for (std::size_t taken = 0; taken < n;) {
            const int got = ::sigev_kevent(queue, nullptr, 0, events.data(), static_cast<int>(events.size()), nullptr);
            unless(got > 0, "sigev_kevent");
            taken += static_cast<std::size_t>(got);
        }
    }
};
using tried_inside = api<0>;
using queued = api<SIGEV_AIO_ALWAYS_QUEUE>;

std::uint64_t resident_bytes()
{
    std::ifstream file("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    file >> size >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// Bytes of ours for each of n reads that wait for data. The buffers and the aiocbs, which are the program's, are there before.
double memory(std::uint64_t n)
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    tried_inside::prepare();
    int ends[2];
    unless(::pipe2(ends, O_CLOEXEC) == 0, "pipe2");
    std::vector<aiocb> requests(n);
    std::vector<char> bytes(n);
    const auto start = [&](aiocb& r) {
        r = {};
        r.aio_fildes = ends[0];
        r.aio_buf = &bytes[static_cast<std::size_t>(&r - requests.data())];
        r.aio_nbytes = 1;
        r.aio_sigevent.sigev_notify = SIGEV_NONE;
        unless(::sigev_aio_read(&r) == 0, "sigev_aio_read");
    };
    for (aiocb& r : requests)
        r = {};
    constexpr std::size_t first = 100; // what the library takes, however few there are
    for (std::size_t i = 0; i != first; ++i)
        start(requests[i]);
    const std::uint64_t before = resident_bytes();
    for (std::size_t i = first; i != n; ++i)
        start(requests[i]);
    const std::uint64_t after = resident_bytes();
    unless(::sigev_aio_error(&requests[n - 1]) == EINPROGRESS, "a read of an empty pipe is over");
    ::sigev_aio_cancel(ends[0], nullptr);
    ::close(ends[1]); // the end for those that go on
    for (aiocb& r : requests) {
        const aiocb* const one = &r;
        while (::sigev_aio_error(&r) == EINPROGRESS)
            ::sigev_aio_suspend(&one, 1, nullptr);
        ::sigev_aio_return(&r);
    }
    ::close(ends[0]);
    return static_cast<double>(after - before) / static_cast<double>(n - first);
}

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv,
        {{"suspend", reads<posix<tried_inside, told::suspend>>},
         {"list", reads<posix<tried_inside, told::list>>},
         {"signal", reads<posix<tried_inside, told::signal>>},
         {"thread", reads<posix<tried_inside, told::thread>>},
         {"kevent", reads<posix<tried_inside, told::kevent>>},
         {"queued", reads<posix<queued, told::suspend>>},
         {"direct", direct_reads<posix<tried_inside, told::suspend>>},
         {"tmpfs", memory_reads<posix<tried_inside, told::suspend>>},
         {"write", writes<posix<tried_inside, told::suspend>>},
         {"memory", memory},
         {"inside", share_inside<reads<posix<tried_inside, told::suspend>>>},
         {"inside.queued", share_inside<reads<posix<queued, told::suspend>>>},
         {"inside.direct", share_inside<direct_reads<posix<tried_inside, told::suspend>>>},
         {"inside.tmpfs", share_inside<memory_reads<posix<tried_inside, told::suspend>>>},
         {"inside.write", share_inside<writes<posix<tried_inside, told::suspend>>>}});
}

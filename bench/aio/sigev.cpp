// sigev, through libsigev.so.
#include "aio/posix.h"
#include "support/contestant.hpp"

#include <sigev.h>

#include <sys/resource.h>

#include <array>
#include <fstream>
#include <vector>

namespace {

using namespace sigev_bench;

template <std::uint32_t Flags>
void prepare()
{
    sigev_aio_options options{};
    options.size = sizeof options;
    options.flags = Flags;
    unless(::sigev_aio_init(&options) == 0, "sigev_aio_init");
}

int queue()
{
    static const int opened = ::sigev_kqueue();
    unless(opened >= 0, "sigev_kqueue");
    return opened;
}

void tell(sigevent* event)
{
    event->sigev_notify = SIGEV_KEVENT;
    event->sigev_notify_kqueue = queue();
    event->sigev_notify_kevent_flags = EV_ONESHOT; // once each: without it they stand there until sigev_aio_return()
}

void take_events(std::size_t n)
{
    std::array<sigev_kev, most_depth> events;
    for (std::size_t taken = 0; taken < n;) {
        const int got = ::sigev_kevent(queue(), nullptr, 0, events.data(), static_cast<int>(events.size()), nullptr);
        unless(got > 0, "sigev_kevent");
        taken += static_cast<std::size_t>(got);
    }
}

template <std::uint32_t Flags>
constexpr posix_calls calls{
    prepare<Flags>,    sigev_aio_read,    sigev_aio_write,    sigev_aio_fsync, sigev_aio_error,
    sigev_aio_return,  sigev_aio_suspend, sigev_lio_listio,   tell,            take_events,
};
constexpr const posix_calls& tried_inside = calls<0>;
constexpr const posix_calls& queued = calls<SIGEV_AIO_ALWAYS_QUEUE>;

template <const posix_calls& Calls, told How, rounds Measure>
double asked(std::uint64_t depth)
{
    return posix_rounds(&Calls, How, Measure, depth);
}

/// Of 100 requests, how many were over when their call came back.
template <const posix_calls& Calls, rounds Measure>
double share_inside(std::uint64_t depth)
{
    asked<Calls, told_by_suspend, Measure>(depth);
    const posix& counted = *the_requests();
    unless(counted.asked != 0, "nothing was counted");
    return 100.0 * static_cast<double>(counted.over_inside) / static_cast<double>(counted.asked);
}

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
    prepare<0>();
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
        {{"suspend", asked<tried_inside, told_by_suspend, cached_reads>},
         {"list", asked<tried_inside, told_by_list, cached_reads>},
         {"signal", asked<tried_inside, told_by_signal, cached_reads>},
         {"thread", asked<tried_inside, told_by_thread, cached_reads>},
         {"kevent", asked<tried_inside, told_by_kevent, cached_reads>},
         {"queued", asked<queued, told_by_suspend, cached_reads>},
         {"direct", asked<tried_inside, told_by_suspend, direct_reads>},
         {"tmpfs", asked<tried_inside, told_by_suspend, memory_reads>},
         {"write", asked<tried_inside, told_by_suspend, synced_writes>},
         {"memory", memory},
         {"inside", share_inside<tried_inside, cached_reads>},
         {"inside.queued", share_inside<queued, cached_reads>},
         {"inside.direct", share_inside<tried_inside, direct_reads>},
         {"inside.tmpfs", share_inside<tried_inside, memory_reads>},
         {"inside.write", share_inside<tried_inside, synced_writes>}});
}

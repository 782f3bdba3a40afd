// Peer: the aio_*() of the C library that it is linked with: glibc's, with a thread for each file, or musl's, with one for each
// request.
#include "aio/posix.h"
#include "support/contestant.h"

/* Whose pointers are restrict differs. */
static int list(int mode, struct aiocb *const *requests, int n, struct sigevent *event)
{
    return lio_listio(mode, requests, n, event);
}

static const struct posix_calls host = {
    .read = aio_read,
    .write = aio_write,
    .fsync = aio_fsync,
    .error = aio_error,
    .result = aio_return,
    .suspend = aio_suspend,
    .list = list,
};

static double suspended(uint64_t n) { return posix_rounds(&host, told_by_suspend, cached_reads, n); }
static double listed(uint64_t n) { return posix_rounds(&host, told_by_list, cached_reads, n); }
static double signalled(uint64_t n) { return posix_rounds(&host, told_by_signal, cached_reads, n); }
static double called(uint64_t n) { return posix_rounds(&host, told_by_thread, cached_reads, n); }
static double direct(uint64_t n) { return posix_rounds(&host, told_by_suspend, direct_reads, n); }
static double in_tmpfs(uint64_t n) { return posix_rounds(&host, told_by_suspend, memory_reads, n); }
static double written(uint64_t n) { return posix_rounds(&host, told_by_suspend, synced_writes, n); }

int main(int argc, char **argv)
{
    const struct offer offers[] = {
        {"suspend", suspended}, {"list", listed},    {"signal", signalled}, {"thread", called},
        {"direct", direct},     {"tmpfs", in_tmpfs}, {"write", written},
    };
    return compete(argc, argv, offers, sizeof offers / sizeof offers[0]);
}

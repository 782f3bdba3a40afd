// What bench_aio reads and writes: files without a name, in which each page begins with a number of its own.
// In C and C++, as all that musl's contestant needs.
#pragma once

#include "support/unless.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __cplusplus
namespace sigev_bench {
#endif

enum {
    page_size = 4096,
    pages = 256,                  ///< of a file
    pages_of_large = 256 * pages, ///< far more than a processor keeps by itself
    most_files = 64,
};

/// They are made when they are first asked for, and stay as long as the program.
struct files {
    const char *folder;
    unsigned how_many_cached, how_many_direct, how_many_large;
    int cached[most_files];
    int direct[most_files];
    int large[1];
};

/// The number that stands at the beginning of a page.
static inline uint64_t mark_of(size_t file, size_t page) { return (file + 1) * 1000003 + page; }

static inline int make_file(const char *folder, size_t number, size_t length)
{
    static char written[pages][page_size];
    const int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    unless(fd >= 0, "cannot make a file");
    for (size_t first = 0; first != length; first += pages) {
        for (size_t p = 0; p != pages; ++p) {
            const uint64_t mark = mark_of(number, first + p);
            memcpy(written[p], &mark, sizeof mark);
        }
        unless(pwrite(fd, written, sizeof written, (off_t)(first * page_size)) == (ssize_t)sizeof written, "cannot write a file");
    }
    return fd;
}

static inline const int *cached_files(struct files *all)
{
    for (; all->how_many_cached != most_files; ++all->how_many_cached)
        all->cached[all->how_many_cached] = make_file(all->folder, all->how_many_cached, pages);
    return all->cached;
}

/// The same, past the page cache.
static inline const int *direct_files(struct files *all)
{
    const int *cached = cached_files(all);
    for (; all->how_many_direct != most_files; ++all->how_many_direct) {
        char path[64];
        const int fd = cached[all->how_many_direct];
        unless(fsync(fd) == 0, "fsync");
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        all->direct[all->how_many_direct] = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
        unless(all->direct[all->how_many_direct] >= 0, "cannot open a file with O_DIRECT");
    }
    return all->direct;
}

/// One, of pages_of_large. What the page cache holds is a matter of the memory: 1 MiB would be one of the processor's own
/// cache, where a read takes half the time.
static inline const int *large_file(struct files *all)
{
    if (all->how_many_large == 0) {
        all->large[0] = make_file(all->folder, 0, pages_of_large);
        unless(fsync(all->large[0]) == 0, "fsync"); // nobody writes it back while it is read
        all->how_many_large = 1;
    }
    return all->large;
}

/// Beside the program: where it was built there is a disk.
static inline struct files *on_disk(void)
{
    static char folder[PATH_MAX];
    static struct files all;
    if (!all.folder) {
        const ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
        unless(length > 0, "/proc/self/exe");
        *strrchr(folder, '/') = '\0';
        all.folder = folder;
    }
    return &all;
}

static inline struct files *in_memory(void)
{
    static struct files all;
    all.folder = "/dev/shm";
    return &all;
}

#ifdef __cplusplus
} // namespace sigev_bench
#endif

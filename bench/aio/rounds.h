// The measurements of bench_aio, each written once for every contestant: rounds of `depth` requests of 4 KiB, each submitted by a
// call of its own, and waited for; what counts is the median round, by request. What is read is compared with what was written.
// In C and C++, and always inlined: what a contestant supplies is then called directly, whatever language it is in.
#pragma once

#include "aio/files.h"

#include <stdlib.h>
#include <time.h>

#ifdef __cplusplus
namespace sigev_bench {
#endif

enum { most_depth = 128 };

/// What a contestant supplies; it has been made for a depth, and does not use what it has no measurement for. One that submits in
/// batches prepares in read(), and submits in wait().
struct engine_calls {
    void *self;
    void (*read)(void *self, size_t i, int fd, char *page, size_t at); ///< request i of the round starts
    void (*write)(void *self, size_t i, int fd, char *page, size_t at);
    void (*sync)(void *self, int fd);   ///< all of it is on the disk when it returns
    void (*wait)(void *self, size_t n); ///< the n of the round are over, and have moved 4096 bytes
};

// ---- laps ------------------------------------------------------------------------------------------------------------------

enum { fewest_laps = 20, most_laps = 1 << 16 };

struct laps {
    size_t n;
    uint64_t start, before;
    double all[most_laps];
};

static inline uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline struct laps *begin_laps(void)
{
    static struct laps l;
    l.n = 0;
    l.start = l.before = now();
    return &l;
}

/// A round of so many requests has ended. Whether another shall begin.
static inline bool lap(struct laps *l, size_t requests)
{
    const uint64_t long_enough = 150000000;
    const uint64_t at = now();
    l->all[l->n++] = (double)(at - l->before) / (double)requests;
    l->before = at;
    return l->n < fewest_laps || (l->n < most_laps && at - l->start < long_enough);
}

static inline int compare_laps(const void *a, const void *b)
{
    const double left = *(const double *)a;
    const double right = *(const double *)b;
    return (left > right) - (left < right);
}

/// Nanoseconds for each request.
static inline double median_lap(struct laps *l)
{
    qsort(l->all, l->n, sizeof l->all[0], compare_laps);
    return (l->all[(l->n - 1) / 2] + l->all[l->n / 2]) / 2;
}

// ---- rounds ----------------------------------------------------------------------------------------------------------------

static inline size_t dice(uint64_t *state, size_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)((*state >> 32) * below >> 32);
}

static inline char *buffer(size_t i)
{
    static char all[most_depth][page_size] __attribute__((aligned(page_size)));
    return all[i];
}

/// Random reads at this depth, over at most `depth` files of so many pages.
static inline __attribute__((always_inline)) double
reads_of(const struct engine_calls *e, const int *from, size_t depth, size_t length)
{
    // A round has several turns, so that it is longer than the clock's steps.
    const size_t turns = depth < 32 ? 32 / depth : 1;
    const size_t spread = depth == 128 ? most_files : 1;
    uint64_t marks[most_depth];
    uint64_t chance = 42;
    unless(depth != 0 && depth <= most_depth, "no such depth");
    struct laps *const l = begin_laps();
    do {
        for (size_t turn = 0; turn != turns; ++turn) {
            for (size_t i = 0; i != depth; ++i) {
                const size_t file = i % spread;
                const size_t page = dice(&chance, length);
                marks[i] = mark_of(file, page);
                memset(buffer(i), 0, sizeof marks[i]);
                e->read(e->self, i, from[file], buffer(i), page * page_size);
            }
            e->wait(e->self, depth);
            for (size_t i = 0; i != depth; ++i)
                unless(memcmp(buffer(i), &marks[i], sizeof marks[i]) == 0, "a read brought something else");
        }
    } while (lap(l, depth * turns));
    return median_lap(l);
}

static inline __attribute__((always_inline)) double cached_reads(const struct engine_calls *e, size_t depth)
{
    return depth == 128 ? reads_of(e, cached_files(on_disk()), depth, pages)
                        : reads_of(e, large_file(on_disk()), depth, pages_of_large);
}

static inline __attribute__((always_inline)) double direct_reads(const struct engine_calls *e, size_t depth)
{
    return reads_of(e, direct_files(on_disk()), depth, pages);
}

static inline __attribute__((always_inline)) double memory_reads(const struct engine_calls *e, size_t depth)
{
    return reads_of(e, cached_files(in_memory()), depth, pages);
}

/// 64 writes at this depth, and then all of it to the disk.
static inline __attribute__((always_inline)) double synced_writes(const struct engine_calls *e, size_t depth)
{
    const size_t together = 64;
    const int to = cached_files(on_disk())[0];
    uint64_t chance = 42;
    unless(depth != 0 && together % depth == 0, "no such depth");
    struct laps *const l = begin_laps();
    do {
        for (size_t written = 0; written != together; written += depth) {
            for (size_t i = 0; i != depth; ++i) {
                const size_t page = dice(&chance, pages);
                const uint64_t mark = mark_of(0, page);
                memcpy(buffer(i), &mark, sizeof mark);
                e->write(e->self, i, to, buffer(i), page * page_size);
            }
            e->wait(e->self, depth);
        }
        e->sync(e->self, to);
    } while (lap(l, together));
    return median_lap(l);
}

#ifdef __cplusplus
} // namespace sigev_bench
#endif

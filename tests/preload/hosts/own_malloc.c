/* A program that brings its own allocator: every allocation of the process is made by it, and whoever frees what it did not
 * give out, or frees twice, ends the process. What it gives out is full of rubbish, and so is what it has got back.
 *
 * With CALLS the allocator itself calls functions that the drop-in replaces, from the first allocation on, as allocators do
 * that read files in /proc, and profilers that live in one. Who allocates holding a lock that these need stands still. */
#include "../workload.h"

#include <aio.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { alignment = 16, arena_size = 256 << 20, classes = 40 };

struct block {
    uint64_t mark;
    size_t size; /* as it may be used */
    struct block *next;
    void *unused;
};
#define GIVEN 0x67697665u
#define FREE 0x66726565u

static char *arena;
static size_t used;
static struct block *idle[classes]; /* by powers of two */
static atomic_flag held = ATOMIC_FLAG_INIT;
static atomic_ulong given;

static void wrong(const char *what)
{
    (void)!write(2, what, strlen(what));
    _exit(1);
}

#if defined(CALLS)
static atomic_int ready;
static timer_t sampler;
static struct aiocb never;
static atomic_ulong calls;

static void call_what_is_replaced(void)
{
    const int error = errno;
    struct itimerspec value = {{0, 0}, {1000, 0}};
    close(-1);
    dup2(-1, 3);
    close_range(2000000000u, 2000000001u, 0);
    if (atomic_load(&ready)) {
        if (timer_settime(sampler, 0, &value, NULL) != 0 || timer_gettime(sampler, &value) != 0 || value.it_value.tv_sec < 900)
            wrong("wrong: the allocator's timer\n");
        if (timer_getoverrun(sampler) != 0 || aio_error(&never) != 0)
            wrong("wrong: the allocator's calls\n");
        atomic_fetch_add(&calls, 1);
    }
    errno = error;
}
#else
static void call_what_is_replaced(void)
{
}
#endif

static unsigned class_of(size_t size)
{
    unsigned n = 5;
    while (((size_t)1 << n) < size)
        ++n;
    return n;
}

static void *allocate(size_t wanted, size_t align)
{
    const unsigned n = class_of((wanted ? wanted : 1) + (align > alignment ? align : 0));
    struct block *b = NULL;
    call_what_is_replaced();
    if (n >= classes)
        return errno = ENOMEM, NULL;
    while (atomic_flag_test_and_set_explicit(&held, memory_order_acquire))
        ;
    if (align <= alignment && idle[n]) {
        b = idle[n];
        idle[n] = b->next;
    } else {
        static _Alignas(64) char memory[arena_size]; /* pages come as they are touched */
        arena = memory;
        if (used + sizeof *b + ((size_t)1 << n) <= arena_size) {
            uintptr_t at = (uintptr_t)arena + used + sizeof *b;
            at = (at + align - 1) / align * align;
            b = (struct block *)at - 1;
            b->size = (uintptr_t)arena + used + sizeof *b + ((size_t)1 << n) - at;
            used += sizeof *b + ((size_t)1 << n);
        }
    }
    if (b)
        b->mark = GIVEN;
    atomic_flag_clear_explicit(&held, memory_order_release);
    if (!b)
        return errno = ENOMEM, NULL;
    memset(b + 1, 0xa5, b->size);
    atomic_fetch_add(&given, 1);
    return b + 1;
}

static struct block *block_of(void *p)
{
    struct block *const b = (struct block *)p - 1;
    if (!arena || (char *)b < arena || (char *)b >= arena + arena_size)
        wrong("wrong: memory of another allocator is given back\n");
    if (b->mark != GIVEN)
        wrong(b->mark == FREE ? "wrong: memory is given back twice\n" : "wrong: this was never given out\n");
    return b;
}

void *malloc(size_t size)
{
    return allocate(size, alignment);
}

void free(void *p)
{
    if (!p)
        return;
    struct block *const b = block_of(p);
    call_what_is_replaced();
    memset(p, 0x5a, b->size);
    b->mark = FREE;
    if (b->size & (b->size - 1))
        return; /* an aligned one: not used again */
    const unsigned n = class_of(b->size);
    while (atomic_flag_test_and_set_explicit(&held, memory_order_acquire))
        ;
    b->next = idle[n];
    idle[n] = b;
    atomic_flag_clear_explicit(&held, memory_order_release);
}

void *calloc(size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size)
        return errno = ENOMEM, NULL;
    void *const p = allocate(n * size, alignment);
    return p ? memset(p, 0, n * size) : NULL;
}

void *realloc(void *old, size_t size)
{
    void *const p = allocate(size, alignment);
    if (p && old) {
        const size_t before = block_of(old)->size;
        memcpy(p, old, before < size ? before : size);
        free(old);
    }
    return p;
}

void *memalign(size_t align, size_t size)
{
    return allocate(size, align);
}

void *aligned_alloc(size_t align, size_t size)
{
    return allocate(size, align);
}

int posix_memalign(void **p, size_t align, size_t size)
{
    *p = allocate(size, align);
    return *p ? 0 : ENOMEM;
}

void *valloc(size_t size)
{
    return allocate(size, 4096);
}

void *pvalloc(size_t size)
{
    return allocate((size + 4095) / 4096 * 4096, 4096);
}

size_t malloc_usable_size(void *p)
{
    return p ? block_of(p)->size : 0;
}

int main(void)
{
#if defined(CALLS)
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    static char byte;
    int ends[2];
    if (timer_create(CLOCK_MONOTONIC, &event, &sampler) != 0)
        wrong("wrong: timer_create\n");
    never.aio_sigevent.sigev_notify = SIGEV_NONE; /* over, and never asked for its result */
    never.aio_buf = &byte;
    never.aio_nbytes = 1;
    if (pipe(ends) != 0 || write(ends[1], "x", 1) != 1)
        wrong("wrong: pipe\n");
    never.aio_fildes = ends[0];
    if (aio_read(&never) != 0)
        wrong("wrong: aio_read\n");
    const struct aiocb *const list[1] = {&never};
    while (aio_error(&never) == EINPROGRESS)
        aio_suspend(list, 1, NULL);
    atomic_store(&ready, 1);
#endif
    const unsigned long before = atomic_load(&given);
    for (int i = 0; i != 20; ++i) {
        const int timers = use_timers(), aio = use_aio();
        if (timers || aio) {
            printf("timers: %s, requests: %s\n", strerror(timers), strerror(aio));
            return 3;
        }
    }
    if (atomic_load(&given) == before)
        wrong("wrong: nobody has allocated anything: nothing was tested\n");
#if defined(CALLS)
    printf("%lu rounds of calls while somebody allocated\n", atomic_load(&calls));
    atomic_store(&ready, 0);
#endif
    return 0;
}

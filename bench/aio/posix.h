// The calls of POSIX, ours or the host's, in all ways of being told. In C, since musl has no other compiler.
#pragma once

#include "aio/rounds.h"

#include <aio.h>
#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/signalfd.h>

#ifdef __cplusplus
namespace sigev_bench {
#endif

struct posix_calls {
    void (*prepare)(void);
    int (*read)(struct aiocb *);
    int (*write)(struct aiocb *);
    int (*fsync)(int, struct aiocb *);
    int (*error)(const struct aiocb *);
    ssize_t (*result)(struct aiocb *);
    int (*suspend)(const struct aiocb *const *, int, const struct timespec *);
    int (*list)(int, struct aiocb *const *, int, struct sigevent *);
    // Whoever has kqueues:
    void (*tell)(struct sigevent *);
    void (*take_events)(size_t n);
};

enum told { told_by_suspend, told_by_list, told_by_signal, told_by_thread, told_by_kevent };

static inline int told_signal(void) { return SIGRTMIN + 4; }

struct posix {
    const struct posix_calls *calls;
    enum told how;
    struct aiocb requests[most_depth];
    struct aiocb *pointers[most_depth];
    int to_be_called;
    sem_t all_called;
    int signals; ///< a signalfd
    uint64_t asked, over_inside; ///< requests, and those of them that were over when their call came back
};

/// They stay as long as the program: what has failed may still be going on.
static inline struct posix *the_requests(void)
{
    static struct posix p;
    return &p;
}

static inline void one_called(union sigval value)
{
    struct posix *const p = (struct posix *)value.sival_ptr;
    if (__atomic_sub_fetch(&p->to_be_called, 1, __ATOMIC_ACQ_REL) == 0)
        sem_post(&p->all_called);
}

static inline struct aiocb *fill(struct posix *p, size_t i, int fd, char *page, size_t at, int opcode)
{
    struct aiocb *const r = &p->requests[i];
    r->aio_fildes = fd;
    r->aio_buf = page;
    r->aio_nbytes = page_size;
    r->aio_offset = (off_t)at;
    r->aio_lio_opcode = opcode;
    return r;
}

static inline void count(struct posix *p, const struct aiocb *r)
{
    p->over_inside += p->calls->error(r) != EINPROGRESS;
    ++p->asked;
}

static inline void posix_read(void *self, size_t i, int fd, char *page, size_t at)
{
    struct posix *const p = (struct posix *)self;
    struct aiocb *const r = fill(p, i, fd, page, at, LIO_READ);
    if (p->how == told_by_list)
        return;
    unless(p->calls->read(r) == 0, "aio_read");
    count(p, r);
}

static inline void posix_write(void *self, size_t i, int fd, char *page, size_t at)
{
    struct posix *const p = (struct posix *)self;
    struct aiocb *const r = fill(p, i, fd, page, at, LIO_WRITE);
    unless(p->calls->write(r) == 0, "aio_write");
    count(p, r);
}

// As programs do: wait for any of those that go on, and look through them.
static inline void suspend(struct posix *p, size_t n)
{
    const struct posix_calls *const calls = p->calls;
    const struct aiocb *going_on[most_depth];
    size_t left = 0;
    for (size_t i = 0; i != n; ++i)
        if (calls->error(&p->requests[i]) == EINPROGRESS)
            going_on[left++] = &p->requests[i];
    while (left != 0) {
        calls->suspend(going_on, (int)left, NULL);
        size_t still = 0;
        for (size_t i = 0; i != left; ++i)
            if (calls->error(going_on[i]) == EINPROGRESS)
                going_on[still++] = going_on[i];
        left = still;
    }
}

static inline void posix_sync(void *self, int fd)
{
    struct posix *const p = (struct posix *)self;
    struct aiocb *const r = &p->requests[0];
    r->aio_fildes = fd;
    unless(p->calls->fsync(O_SYNC, r) == 0, "aio_fsync");
    suspend(p, 1);
    unless(p->calls->error(r) == 0 && p->calls->result(r) == 0, "aio_fsync");
}

static inline void take_signals(struct posix *p, size_t n)
{
    struct signalfd_siginfo batch[most_depth];
    for (size_t taken = 0; taken < n;) {
        struct pollfd readable = {p->signals, POLLIN, 0};
        unless(poll(&readable, 1, 5000) == 1, "signals have got lost");
        const ssize_t got = read(p->signals, batch, sizeof batch);
        unless(got > 0, "signalfd");
        taken += (size_t)got / sizeof batch[0];
    }
}

static inline void posix_wait(void *self, size_t n)
{
    struct posix *const p = (struct posix *)self;
    switch (p->how) {
    case told_by_suspend: suspend(p, n); break;
    case told_by_list:
        for (size_t i = 0; i != n; ++i)
            p->pointers[i] = &p->requests[i];
        unless(p->calls->list(LIO_WAIT, p->pointers, (int)n, NULL) == 0, "lio_listio");
        break;
    case told_by_signal: take_signals(p, n); break;
    case told_by_thread:
        while (sem_wait(&p->all_called) != 0) {
        }
        __atomic_store_n(&p->to_be_called, (int)n, __ATOMIC_RELEASE);
        break;
    case told_by_kevent: p->calls->take_events(n); break;
    }
    for (size_t i = 0; i != n; ++i)
        unless(p->calls->error(&p->requests[i]) == 0 && p->calls->result(&p->requests[i]) == page_size, "a request has failed");
}

static inline void open_signals(struct posix *p)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, told_signal());
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (p->signals == 0)
        p->signals = signalfd(-1, &set, SFD_CLOEXEC);
    unless(p->signals > 0, "signalfd");
}

typedef double (*rounds)(const struct engine_calls *, size_t depth);

static inline __attribute__((always_inline)) double
posix_rounds(const struct posix_calls *calls, enum told how, rounds measure, uint64_t depth)
{
    struct posix *const p = the_requests();
    const struct engine_calls e = {p, posix_read, posix_write, posix_sync, posix_wait};
    unless(depth != 0 && depth <= most_depth, "no such depth");
    p->calls = calls;
    p->how = how;
    p->to_be_called = (int)depth;
    p->asked = p->over_inside = 0;
    sem_init(&p->all_called, 0, 0);
    if (calls->prepare)
        calls->prepare();
    if (how == told_by_signal)
        open_signals(p);
    for (size_t i = 0; i != depth; ++i) {
        memset(&p->requests[i], 0, sizeof p->requests[i]);
        struct sigevent *const event = &p->requests[i].aio_sigevent;
        event->sigev_notify = how == told_by_signal ? SIGEV_SIGNAL : how == told_by_thread ? SIGEV_THREAD : SIGEV_NONE;
        event->sigev_signo = told_signal();
        if (how == told_by_thread) {
            event->sigev_value.sival_ptr = p;
            event->sigev_notify_function = one_called;
        } else if (how == told_by_kevent) {
            calls->tell(event);
        }
    }
    return measure(&e, depth);
}

#ifdef __cplusplus
} // namespace sigev_bench
#endif

/* sigev_aio_suspend(): C, because it is a cancellation point (sources/aio_ended.h). Holds nothing, so a handler may interrupt it,
 * call it, or leave it. */
#include "sources/aio_ended.h"

#include <sigev.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

/* True: there is nothing to wait for, or what there was has come. */
static bool any_is_over(const struct aiocb *const list[], int entries)
{
    bool any = false;
    for (int i = 0; i < entries; ++i) {
        if (!list[i])
            continue;
        any = true;
        if (sigev_aio_error(list[i]) != EINPROGRESS)
            return true;
    }
    return !any;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

static int deadline_of(const struct timespec *timeout, struct timespec *deadline)
{
    if (timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000)
        return EINVAL;
    if (timeout->tv_sec < 0 || (timeout->tv_sec == 0 && timeout->tv_nsec == 0))
        return EAGAIN;
    clock_gettime(CLOCK_MONOTONIC, deadline);
    deadline->tv_nsec += timeout->tv_nsec;
    if (deadline->tv_nsec >= 1000000000) {
        deadline->tv_nsec -= 1000000000;
        ++deadline->tv_sec;
    }
    if (__builtin_add_overflow(deadline->tv_sec, timeout->tv_sec, &deadline->tv_sec))
        deadline->tv_sec = INT64_MAX;
    return 0;
}

int sigev_aio_suspend(const struct aiocb *const list[], int entries, const struct timespec *timeout)
{
    pthread_testcancel();
    if (entries < 0 || (entries > 0 && !list))
        return fail(EINVAL);
    if (any_is_over(list, entries))
        return 0;
    struct timespec deadline;
    const int error = timeout ? deadline_of(timeout, &deadline) : 0;
    if (error)
        return fail(error);
    for (;;) {
        const uint32_t seen = sigev_aio_ended_look();
        if (any_is_over(list, entries))
            return 0;
        const int ended = sigev_aio_ended_wait(seen, timeout ? &deadline : NULL);
        if (ended == 0)
            continue;
        if (any_is_over(list, entries))
            return 0;
        return fail(ended == ETIMEDOUT ? EAGAIN : ended);
    }
}

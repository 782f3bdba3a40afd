#include "sources/aio_ended.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint32_t count;

uint32_t sigev_aio_ended_look(void)
{
    return __atomic_or_fetch(&count, 1, __ATOMIC_SEQ_CST);
}

/* A raw system call is no cancellation point, so the thread can be cancelled at any instruction while it is in there, and there
 * is nothing to clean up. (A handler that leaves by siglongjmp() leaves the type as it is at that moment, as it does when it
 * interrupts one of libc's own cancellation points.) */
int sigev_aio_ended_wait(uint32_t seen, const struct timespec *deadline)
{
    const int saved = errno;
    int type;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
    const long result =
        syscall(SYS_futex, &count, FUTEX_WAIT_BITSET_PRIVATE, seen, deadline, NULL, FUTEX_BITSET_MATCH_ANY);
    const int error = result == 0 ? 0 : errno;
    pthread_setcanceltype(type, NULL);
    errno = saved;
    return error == EAGAIN ? 0 : error;
}

void sigev_aio_ended_tell(void)
{
    if (!(__atomic_fetch_add(&count, 2, __ATOMIC_SEQ_CST) & 1))
        return;
    __atomic_fetch_and(&count, ~(uint32_t)1, __ATOMIC_SEQ_CST);
    const int saved = errno;
    syscall(SYS_futex, &count, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    errno = saved;
}

#include "told.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

nanoseconds nanoseconds_of(struct timespec time)
{
    return time.tv_sec * second + time.tv_nsec;
}

struct timespec timespec_of(nanoseconds time)
{
    return (struct timespec){.tv_sec = time / second, .tv_nsec = time % second};
}

nanoseconds now(clockid_t clock)
{
    struct timespec time;
    need(clock_gettime(clock, &time) == 0, "clock_gettime: %s", strerror(errno));
    return nanoseconds_of(time);
}

static void on_call(union sigval value)
{
    struct told *told = value.sival_ptr;
    atomic_store(&told->caller, pthread_self());
    atomic_fetch_add(&told->calls, 1);
    if (told->inside)
        told->inside(told);
    sem_post(&told->heard);
}

void tell_by(struct told *told, int method)
{
    static int signals;
    memset(told, 0, sizeof *told);
    told->method = method;
    told->event.sigev_notify = method;
    told->event.sigev_value.sival_ptr = told;
    if (method == SIGEV_SIGNAL)
        told->event.sigev_signo = SIGRTMIN + signals++ % (SIGRTMAX - SIGRTMIN + 1);
    if (method == SIGEV_THREAD)
        told->event.sigev_notify_function = on_call;
    need(sem_init(&told->heard, 0, 0) == 0, "sem_init: %s", strerror(errno));
}

bool sem_wait_within(sem_t *semaphore, nanoseconds within)
{
    const struct timespec end = timespec_of(now(CLOCK_MONOTONIC) + within);
    int result;
    do
        result = sem_clockwait(semaphore, CLOCK_MONOTONIC, &end);
    while (result != 0 && errno == EINTR);
    return result == 0;
}

static bool accepts(struct told *told, nanoseconds within)
{
    const nanoseconds end = now(CLOCK_MONOTONIC) + within;
    sigset_t mine;
    int signo;
    sigemptyset(&mine);
    sigaddset(&mine, told->event.sigev_signo);
    do {
        const nanoseconds left = end - now(CLOCK_MONOTONIC);
        const struct timespec limit = timespec_of(left > 0 ? left : 0);
        signo = sigtimedwait(&mine, &told->info, &limit);
    } while (signo < 0 && errno == EINTR);
    return signo > 0;
}

bool heard(struct told *told, nanoseconds within)
{
    return told->method == SIGEV_SIGNAL ? accepts(told, within) : sem_wait_within(&told->heard, within);
}

const char *name_of_method(int method)
{
    return method == SIGEV_NONE ? "SIGEV_NONE" : method == SIGEV_SIGNAL ? "SIGEV_SIGNAL" : "SIGEV_THREAD";
}

bool wait_until(bool (*look)(void *), void *context, nanoseconds within)
{
    const nanoseconds end = now(CLOCK_MONOTONIC) + within;
    while (!look(context)) {
        if (now(CLOCK_MONOTONIC) >= end)
            return look(context);
        poll(NULL, 0, 1); /* looks a thousand times a second: the others have the processor */
    }
    return true;
}

int status_of(pid_t child, nanoseconds within)
{
    const int descriptor = (int)syscall(SYS_pidfd_open, child, 0);
    struct pollfd ended = {.fd = descriptor, .events = POLLIN};
    int status = 0;
    need(descriptor >= 0, "pidfd_open: %s", strerror(errno));
    if (poll(&ended, 1, (int)(within / ms)) != 1)
        kill(child, SIGKILL);
    close(descriptor);
    need(waitpid(child, &status, 0) == child, "waitpid: %s", strerror(errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#include "workload.h"

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WRONG(what)                                                                                                              \
    do {                                                                                                                         \
        fprintf(stderr, "wrong: %s (errno %d, line %d)\n", what, errno, __LINE__);                                               \
        _exit(1);                                                                                                                \
    } while (0)

static sem_t called;

static void call(union sigval value)
{
    if (value.sival_int != 4711)
        WRONG("the value of a callback");
    sem_post(&called);
}

static int wait_for_call(void)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 30;
    while (sem_timedwait(&called, &end) != 0)
        if (errno != EINTR)
            return -1;
    return 0;
}

static int use_timer(int method)
{
    const struct itimerspec thrice = {{0, 1000000}, {0, 1000000}};
    struct itimerspec old;
    const struct timespec patience = {30, 0};
    struct sigevent event = {0};
    siginfo_t info;
    sigset_t set;
    timer_t timer;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    event.sigev_notify = method;
    event.sigev_value.sival_int = 4711;
    if (method == SIGEV_SIGNAL)
        event.sigev_signo = SIGRTMIN + 1;
    else
        event.sigev_notify_function = call;
    sem_init(&called, 0, 0);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
        return errno;
    if (timer_settime(timer, 0, &thrice, NULL) != 0)
        WRONG("timer_settime");
    for (int i = 0; i != 3; ++i)
        if (method == SIGEV_SIGNAL) {
            int number;
            while ((number = sigtimedwait(&set, &info, &patience)) == -1 && errno == EINTR)
                ;
            if (number != SIGRTMIN + 1 || info.si_code != SI_TIMER || info.si_value.sival_int != 4711)
                WRONG("a timer's signal");
        } else if (wait_for_call() != 0) {
            WRONG("a timer's callback does not come");
        }
    if (timer_getoverrun(timer) < 0)
        WRONG("timer_getoverrun");
    if (timer_settime(timer, 0, &(struct itimerspec){{0, 0}, {0, 0}}, &old) != 0 || old.it_interval.tv_nsec != 1000000)
        WRONG("the old value");
    if (timer_gettime(timer, &old) != 0 || old.it_value.tv_nsec != 0 || old.it_value.tv_sec != 0)
        WRONG("timer_gettime of one that is disarmed");
    if (timer_delete(timer) != 0)
        WRONG("timer_delete");
    return 0;
}

int use_timers(void)
{
    const int error = use_timer(SIGEV_SIGNAL);
    return error ? error : use_timer(SIGEV_THREAD);
}

static int await(struct aiocb *request, ssize_t wanted, const char *what)
{
    const struct aiocb *const list[1] = {request};
    const struct timespec patience = {30, 0};
    while (aio_error(request) == EINPROGRESS)
        if (aio_suspend(list, 1, &patience) != 0 && errno != EINTR)
            WRONG(what);
    const int error = aio_error(request);
    if (error == 0 && aio_return(request) != wanted)
        WRONG(what);
    return error;
}

enum { size = 70000 };

int use_aio(void)
{
    static char out[size], in[size];
    char name[] = "workload-XXXXXX";
    struct aiocb one = {0}, other = {0};
    struct aiocb *const list[3] = {&one, NULL, &other};
    int ends[2], error = 0, fd;
    for (int i = 0; i != size; ++i)
        out[i] = (char)(i * 7 + i / 251);
    memset(in, 0, sizeof in);
    if ((fd = mkstemp(name)) == -1 || pipe(ends) != 0)
        return errno;
    unlink(name);
    sem_init(&called, 0, 0);
    one.aio_fildes = other.aio_fildes = fd;
    one.aio_buf = out;
    one.aio_nbytes = size;
    one.aio_offset = 12345;
    one.aio_sigevent.sigev_notify = SIGEV_THREAD;
    one.aio_sigevent.sigev_notify_function = call;
    one.aio_sigevent.sigev_value.sival_int = 4711;
    if (aio_write(&one) != 0)
        error = errno;
    else if ((error = await(&one, size, "a write")) == 0 && wait_for_call() != 0)
        WRONG("a request's callback does not come");
    memset(&one, 0, sizeof one); /* as many programs do: the sigevent with it */
    one.aio_fildes = fd;
    if (error == 0)
        error = aio_fsync(O_SYNC, &one) != 0 ? errno : await(&one, 0, "aio_fsync");
    one.aio_lio_opcode = other.aio_lio_opcode = LIO_READ;
    one.aio_buf = in;
    other.aio_buf = in + 1000;
    one.aio_nbytes = 1000;
    other.aio_nbytes = size - 1000;
    one.aio_offset = 12345;
    other.aio_offset = 13345;
    if (error == 0 && lio_listio(LIO_WAIT, list, 3, NULL) != 0)
        error = errno;
    if (error == 0 && (aio_return(&one) != 1000 || aio_return(&other) != size - 1000 || memcmp(in, out, size) != 0))
        WRONG("what was read is not what was written");
    one.aio_fildes = ends[0];
    if (error == 0 && aio_read(&one) != 0)
        error = errno;
    else if (error == 0) {
        if (aio_error(&one) == EINPROGRESS && aio_cancel(ends[0], &one) == AIO_NOTCANCELED && write(ends[1], "x", 1) != 1)
            WRONG("write");
        error = await(&one, 1, "a read of a pipe");
        if (error == ECANCELED)
            error = 0;
    }
    close(fd);
    close(ends[0]);
    close(ends[1]);
    return error;
}

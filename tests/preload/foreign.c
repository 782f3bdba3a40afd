/* A program that has timers and requests of libc's when the drop-in comes, by dlopen(): each goes on with whom it began.
 * argv[1]: the library. */
#include <aio.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s (errno %d)\n", what, errno);
        exit(1);
    }
}

static void *library;

static void *theirs(const char *name)
{
    void *function = dlsym(library, name);
    require(function != NULL, name);
    return function;
}

static void expect_signal(int number)
{
    const struct timespec patience = {20, 0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    require(sigtimedwait(&set, NULL, &patience) == number, "the timer's signal does not come");
}

static void timers(void)
{
    struct sigevent event = {0};
    struct itimerspec soon = {{0, 0}, {0, 2000000}}, left;
    timer_t old, fresh;
    int (*const create)(clockid_t, struct sigevent *, timer_t *) = theirs("timer_create");
    int (*const settime)(timer_t, int, const struct itimerspec *, struct itimerspec *) = theirs("timer_settime");
    int (*const gettime)(timer_t, struct itimerspec *) = theirs("timer_gettime");
    int (*const getoverrun)(timer_t) = theirs("timer_getoverrun");
    int (*const delete)(timer_t) = theirs("timer_delete");

    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGRTMIN;
    require(timer_create(CLOCK_MONOTONIC, &event, &old) == 0, "timer_create of libc");
    require(create(CLOCK_MONOTONIC, &event, &fresh) == 0, "timer_create of the drop-in");
    require(old != fresh, "both have one number");
    for (int i = 0; i != 2; ++i) {
        const timer_t timer = i ? fresh : old;
        require(settime(timer, 0, &soon, NULL) == 0, "timer_settime");
        expect_signal(SIGRTMIN);
        require(gettime(timer, &left) == 0 && left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0, "timer_gettime");
        require(getoverrun(timer) == 0, "timer_getoverrun");
        require(delete(timer) == 0, "timer_delete");
        require(delete(timer) == -1 && errno == EINVAL, "timer_delete once more");
    }
}

static void requests(void)
{
    int ends[2];
    char in[2][8];
    struct aiocb old = {0}, fresh = {0};
    const struct aiocb *const both[2] = {&old, &fresh};
    const struct timespec moment = {0, 20000000}, patience = {20, 0};
    int (*const read_)(struct aiocb *) = theirs("aio_read");
    int (*const error)(const struct aiocb *) = theirs("aio_error");
    ssize_t (*const result)(struct aiocb *) = theirs("aio_return");
    int (*const suspend)(const struct aiocb *const[], int, const struct timespec *) = theirs("aio_suspend");
    int (*const cancel)(int, struct aiocb *) = theirs("aio_cancel");

    require(pipe(ends) == 0, "pipe");
    old.aio_fildes = fresh.aio_fildes = ends[0];
    old.aio_buf = in[0];
    fresh.aio_buf = in[1];
    old.aio_nbytes = fresh.aio_nbytes = sizeof in[0];
    old.aio_sigevent.sigev_notify = fresh.aio_sigevent.sigev_notify = SIGEV_NONE;
    require(aio_read(&old) == 0 && read_(&fresh) == 0, "aio_read");
    require(error(&old) == EINPROGRESS && error(&fresh) == EINPROGRESS, "nothing to read, and yet a request is over");
    require(suspend(both, 2, &moment) == -1 && errno == EAGAIN, "aio_suspend ends although both wait");
    require(write(ends[1], "abcdefgh", 8) == 8, "write");
    require(suspend(both, 2, &patience) == 0, "aio_suspend does not end");
    struct aiocb *const first = error(&old) == EINPROGRESS ? &fresh : &old;
    struct aiocb *const last = first == &old ? &fresh : &old;
    require(result(first) == 8 && memcmp(in[first == &fresh], "abcdefgh", 8) == 0, "what was read");
    const struct aiocb *const rest[2] = {NULL, last};
    require(error(last) == EINPROGRESS, "one write, and both are over");
    require(suspend(rest, 2, &moment) == -1 && errno == EAGAIN, "aio_suspend of the last one ends");
    /* Ours waits, and can be cancelled; libc cannot take back what its thread has begun. */
    if (cancel(ends[0], last) == AIO_CANCELED) {
        require(error(last) == ECANCELED && result(last) == -1, "what was cancelled");
        return;
    }
    require(last == &old, "a read that waits cannot be cancelled");
    require(write(ends[1], "ijklmnop", 8) == 8, "write");
    require(suspend(rest, 2, &patience) == 0, "aio_suspend of the last one does not end");
    require(result(last) == 8 && memcmp(in[0], "ijklmnop", 8) == 0, "what was read in the end");
}

int main(int argc, char **argv)
{
    sigset_t set;
    if (argc != 2)
        return 2;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);

    struct sigevent event = {0};
    struct itimerspec later = {{0, 0}, {0, 100000000}};
    timer_t before;
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGRTMIN;
    require(timer_create(CLOCK_MONOTONIC, &event, &before) == 0, "timer_create before the library is there");
    require(timer_settime(before, 0, &later, NULL) == 0, "timer_settime before the library is there");
    library = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
    require(library != NULL, dlerror());
    int (*const delete)(timer_t) = theirs("timer_delete");
    expect_signal(SIGRTMIN);
    require(delete(before) == 0, "timer_delete of a timer that is older than the library");
    timers();
    requests();
    require(dlclose(library) == 0, "dlclose"); /* it stays: its threads may run */
    return 0;
}

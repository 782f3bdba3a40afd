/* strangers CASE: what a program does that knows nothing of the library, with numbers that happen to be the library's.
 *   numbers    a timer_t that nobody gave it
 *   vfork      descriptors of a child that has the parent's memory, and descriptors of its own
 *   last       the main thread ends, and leaves the process to the others
 *   deaf       descriptors closed by system calls of its own
 * Exit status: 0, or 1 and what was wrong. */
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "wrong: %s (%s)\n", what, strerror(errno));
        _exit(1);
    }
}

static int ends_well(pid_t child)
{
    int status;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The kernel counts its timers from 0, and 0 is what a timer_t is that was never set: nobody's. What a signal says of its timer
 * is a number of the kernel's, too, which may be asked about. */
static void numbers(void)
{
    timer_t timer;
    struct itimerspec far = {{0, 0}, {1000, 0}}, soon = {{0, 0}, {0, 1000000}}, left;
    const struct timespec patience = {20, 0};
    struct sigevent event = {0};
    siginfo_t info;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR1;
    require(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
    require(timer_settime(timer, 0, &far, NULL) == 0, "timer_settime");
    for (long i = 0; i != 3; ++i) {
        const timer_t made_up = (timer_t)i;
        errno = 0;
        require(timer_settime(made_up, 0, &soon, NULL) == -1 && errno == EINVAL, "timer_settime of a number that is made up");
        errno = 0;
        require(timer_delete(made_up) == -1 && errno == EINVAL, "timer_delete of a number that is made up");
    }
    require(timer_gettime(timer, &left) == 0 && left.it_value.tv_sec > 900, "the timer, afterwards");
    require(timer_settime(timer, 0, &soon, NULL) == 0, "timer_settime");
    require(sigtimedwait(&set, &info, &patience) == SIGUSR1 && info.si_code == SI_TIMER, "the signal");
    require(timer_getoverrun((timer_t)(long)info.si_timerid) == 0, "timer_getoverrun by what the signal says");
    require(timer_delete(timer) == 0, "timer_delete");
}

enum { most_descriptors = 1024 };

static struct aiocb request;
static int ends[2];

static void begin(void)
{
    static char byte;
    require(pipe(ends) == 0, "pipe");
    request.aio_fildes = ends[0];
    request.aio_buf = &byte;
    request.aio_nbytes = 1;
    request.aio_sigevent.sigev_notify = SIGEV_NONE;
    require(aio_read(&request) == 0, "aio_read");
}

static void await(void)
{
    const struct aiocb *const list[1] = {&request};
    const struct timespec patience = {20, 0};
    require(aio_suspend(list, 1, &patience) == 0 && aio_return(&request) == 1, "a request");
}

/* A child of vfork() replaces and closes what is its own, whatever numbers the parent's library has. */
static void vforks(void)
{
    begin();
    int number = -1;
    for (int i = most_descriptors; number == -1 && i > ends[1]; --i)
        if (fcntl(i, F_GETFD) != -1)
            number = i;
    require(dup2(2, number) == -1 && errno == EBUSY, "the descriptor of a request that waits is not protected");
    const pid_t child = vfork();
    if (child == 0) {
        if (dup2(2, number) != number)
            _exit(1);
        if (close(number) != 0)
            _exit(2);
        _exit(fcntl(number, F_GETFD) == -1 ? 0 : 3);
    }
    require(ends_well(child), "a child of vfork() cannot have a number that the parent's library has");
    require(dup2(2, number) == -1 && errno == EBUSY, "protected no more");
    require(write(ends[1], "x", 1) == 1, "write");
    await();
}

/* The process ends with its last thread: the library's, with nothing left to do, end as those of libc's requests do. */
static void last(void)
{
    const struct aioinit soon = {.aio_threads = 2, .aio_num = 8, .aio_idle_time = 1};
    aio_init(&soon);
    begin();
    require(write(ends[1], "x", 1) == 1, "write");
    await();
    FILE *const file = tmpfile();
    require(file != NULL, "tmpfile");
    request.aio_fildes = fileno(file);
    require(aio_write(&request) == 0, "aio_write");
    await();
    pthread_exit(NULL);
}

/* The library hears of nothing any more, and does not wear out the processor for it: no third of a second in three. */
static void deaf(void)
{
    const struct aioinit soon = {.aio_threads = 2, .aio_num = 8, .aio_idle_time = 1};
    const struct itimerval much = {{0, 0}, {0, 333333}};
    const struct timespec patience = {3, 0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPROF);
    sigprocmask(SIG_BLOCK, &set, NULL);
    aio_init(&soon);
    begin();
    for (int i = 3; i != most_descriptors; ++i)
        syscall(SYS_close, i);
    require(setitimer(ITIMER_PROF, &much, NULL) == 0, "setitimer");
    require(sigtimedwait(&set, NULL, &patience) == -1 && errno == EAGAIN, "somebody is busy with nothing");
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    if (strcmp(argv[1], "numbers") == 0)
        numbers();
    else if (strcmp(argv[1], "vfork") == 0)
        vforks();
    else if (strcmp(argv[1], "last") == 0)
        last();
    else if (strcmp(argv[1], "deaf") == 0)
        deaf();
    else
        return 2;
    return 0;
}

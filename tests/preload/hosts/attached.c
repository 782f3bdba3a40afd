/* attached GDB: a debugger comes to this program while its timer calls and its request waits, looks at its threads, and goes.
 * Both go on afterwards. Exit status 4 where nobody may attach. */
#include "../workload.h"

#include <aio.h>
#include <errno.h>
#include <signal.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static sem_t called;

static void call(union sigval unused)
{
    (void)unused;
    sem_post(&called);
}

static int wait_for_calls(int n)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 30;
    while (sem_trywait(&called) == 0) /* what came before is not what is asked for */
        ;
    while (n != 0) {
        if (sem_timedwait(&called, &end) == 0)
            --n;
        else if (errno != EINTR)
            return -1;
    }
    return 0;
}

/* What it says goes to our standard output; the last line shows that it was there. */
static int visit(const char *gdb)
{
    char pid[16];
    int status;
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* where only ancestors may; EINVAL elsewhere */
    const pid_t child = fork();
    if (child == 0) {
        unsetenv("LD_PRELOAD");
        execlp(gdb, gdb, "-nx", "-batch", "-p", pid, "-ex", "info threads", "-ex", "detach", "-ex", "echo has been here\\n",
               (char *)NULL);
        _exit(127);
    }
    while (waitpid(child, &status, 0) != child)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv)
{
    const struct itimerspec often = {{0, 1000000}, {0, 1000000}};
    const struct timespec patience = {30, 0};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = call};
    struct aiocb request = {.aio_sigevent.sigev_notify = SIGEV_NONE, .aio_nbytes = 1};
    const struct aiocb *const list[1] = {&request};
    char byte = 0;
    int ends[2];
    timer_t timer;
    if (argc != 2 || sem_init(&called, 0, 0) != 0 || pipe(ends) != 0)
        return 1;
    request.aio_fildes = ends[0];
    request.aio_buf = &byte;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &often, NULL) != 0 ||
        aio_read(&request) != 0)
        return 3;
    if (wait_for_calls(5) != 0)
        return fprintf(stderr, "wrong: no calls before anybody came\n"), 1;
    if (visit(argv[1]) != 0)
        return puts("unsupported: a debugger cannot attach here"), 4;
    if (wait_for_calls(5) != 0)
        return fprintf(stderr, "wrong: no calls after the debugger has gone\n"), 1;
    if (aio_error(&request) != EINPROGRESS || write(ends[1], "x", 1) != 1)
        return fprintf(stderr, "wrong: the request did not wait\n"), 1;
    while (aio_error(&request) == EINPROGRESS)
        if (aio_suspend(list, 1, &patience) != 0 && errno != EINTR)
            return fprintf(stderr, "wrong: the request does not end\n"), 1;
    if (aio_return(&request) != 1 || byte != 'x' || timer_delete(timer) != 0)
        return fprintf(stderr, "wrong: what the request has read\n"), 1;
    return use_timers() || use_aio() ? 3 : 0;
}

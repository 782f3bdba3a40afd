/* A program that knows nothing of the library: `counted WHAT... END`, each WHAT once, and then the end.
 *   calls:N     a timer with a function, every millisecond, until N calls have been; then it is deleted
 *   living:N    the same, and it lives on
 *   signals:N   a timer with a blocked signal, every millisecond, until N have been taken or overrun; it lives on
 *   cpu         a timer with a signal on the process's CPU time, until it has come
 *   deadly      a timer whose signal ends the program; then it waits for that
 *   reads:N     reads of the program's own file, of which nobody is told
 *   told:N      the same, told by a function
 *   child:N     fork(): the child does calls:N and ends by _exit()
 *   group:N     sends SIGRTMIN to its process group N times, and counts how many come before SIGRTMIN + 1
 *   scribble    writes into all that is mapped of `sigev run`
 *   exit:N, _exit:N, abort, kill, exec:PROGRAM, stay */
#include <aio.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static sem_t told;

static void must(int holds, const char *what)
{
    if (!holds) {
        perror(what);
        _exit(99);
    }
}

static void post(union sigval value)
{
    (void)value;
    sem_post(&told);
}

static struct sigevent by_function(void)
{
    struct sigevent e = {0};
    e.sigev_notify = SIGEV_THREAD;
    e.sigev_notify_function = post;
    return e;
}

static struct sigevent by_signal(int number)
{
    struct sigevent e = {0};
    e.sigev_notify = SIGEV_SIGNAL;
    e.sigev_signo = number;
    return e;
}

static void take(int n)
{
    while (n-- != 0)
        while (sem_wait(&told) != 0)
            ;
}

static timer_t each_millisecond(clockid_t clock, struct sigevent e)
{
    timer_t timer;
    struct itimerspec value = {{0, 1000000}, {0, 1000000}};
    must(timer_create(clock, &e, &timer) == 0, "timer_create");
    must(timer_settime(timer, 0, &value, NULL) == 0, "timer_settime");
    return timer;
}

/* The library's threads have nothing to do any more: what they were at is counted. */
static void rest(void)
{
    for (int quiet = 0; quiet != 3; ++quiet) {
        DIR *tasks = opendir("/proc/self/task");
        must(tasks != NULL, "tasks");
        for (struct dirent *entry; (entry = readdir(tasks));) {
            char name[300], line[512];
            snprintf(name, sizeof name, "/proc/self/task/%s/stat", entry->d_name);
            FILE *stat = entry->d_name[0] != '.' && atoi(entry->d_name) != getpid() ? fopen(name, "r") : NULL;
            if (!stat)
                continue;
            if (fgets(line, sizeof line, stat) && !strstr(line, ") S "))
                quiet = -1;
            fclose(stat);
        }
        closedir(tasks);
    }
}

static void calls(int n, int and_delete)
{
    timer_t timer = each_millisecond(CLOCK_MONOTONIC, by_function());
    take(n);
    if (and_delete) {
        must(timer_delete(timer) == 0, "timer_delete");
        rest();
    }
}

static void signals(int n)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    each_millisecond(CLOCK_REALTIME, by_signal(SIGUSR1));
    while (n > 0) {
        siginfo_t info;
        if (sigwaitinfo(&set, &info) == SIGUSR1)
            n -= 1 + info.si_overrun;
    }
}

static void nothing(int number)
{
    (void)number;
}

static volatile sig_atomic_t came;
static void note(int number)
{
    (void)number;
    came = 1;
}

static void cpu_time(void)
{
    signal(SIGUSR2, note);
    each_millisecond(CLOCK_PROCESS_CPUTIME_ID, by_signal(SIGUSR2));
    while (!came)
        ;
    signal(SIGUSR2, nothing);
}

static void reads(int n, struct sigevent e)
{
    char buffer[512];
    int fd = open("/proc/self/exe", O_RDONLY);
    must(fd >= 0, "open");
    for (int i = 0; i != n; ++i) {
        struct aiocb request = {0};
        const struct aiocb *list[] = {&request};
        request.aio_fildes = fd;
        request.aio_buf = buffer;
        request.aio_nbytes = sizeof buffer;
        request.aio_sigevent = e;
        must(aio_read(&request) == 0, "aio_read");
        while (aio_error(&request) == EINPROGRESS)
            aio_suspend(list, 1, NULL);
        must(aio_return(&request) == sizeof buffer, "aio_return");
        if (e.sigev_notify == SIGEV_THREAD)
            take(1);
    }
    close(fd);
    rest();
}

static void child(int n)
{
    pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
        calls(n, 1);
        _exit(0);
    }
    int status;
    must(waitpid(pid, &status, 0) == pid && status == 0, "child");
}

static void group(int n)
{
    sigset_t set;
    int signal = 0, count = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigaddset(&set, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    while (n-- > 0)
        must(kill(0, SIGRTMIN) == 0, "kill");
    printf("sent\n");
    fflush(stdout);
    for (; signal != SIGRTMIN + 1; count += signal == SIGRTMIN)
        must(sigwait(&set, &signal) == 0, "sigwait");
    printf("%d came\n", count);
}

static void scribble(void)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    int found = 0;
    must(maps != NULL, "maps");
    while (fgets(line, sizeof line, maps)) {
        unsigned long begin, end;
        if (strstr(line, "sigev-statistics") && sscanf(line, "%lx-%lx", &begin, &end) == 2) {
            for (volatile unsigned char *p = (void *)begin; p != (void *)end; ++p)
                *p = (unsigned char)(0x5b + ((uintptr_t)p >> 7) * 37);
            found = 1;
        }
    }
    fclose(maps);
    must(found, "no mapping");
}

static int is(const char *argument, const char *name, int *number)
{
    const size_t length = strlen(name);
    if (strncmp(argument, name, length) != 0 || (argument[length] != ':' && argument[length] != '\0'))
        return 0;
    *number = argument[length] ? atoi(argument + length + 1) : 0;
    return 1;
}

int main(int argc, char **argv)
{
    struct sigevent nobody = {0};
    nobody.sigev_notify = SIGEV_NONE;
    sem_init(&told, 0, 0);
    for (int i = 1; i < argc; ++i) {
        int n;
        if (is(argv[i], "calls", &n))
            calls(n, 1);
        else if (is(argv[i], "living", &n))
            calls(n, 0);
        else if (is(argv[i], "signals", &n))
            signals(n);
        else if (is(argv[i], "cpu", &n))
            cpu_time();
        else if (is(argv[i], "deadly", &n)) {
            each_millisecond(CLOCK_MONOTONIC, by_signal(SIGALRM));
            for (;;)
                pause();
        } else if (is(argv[i], "reads", &n))
            reads(n, nobody);
        else if (is(argv[i], "told", &n))
            reads(n, by_function());
        else if (is(argv[i], "child", &n))
            child(n);
        else if (is(argv[i], "group", &n))
            group(n);
        else if (is(argv[i], "scribble", &n))
            scribble();
        else if (is(argv[i], "exit", &n))
            exit(n);
        else if (is(argv[i], "_exit", &n))
            _exit(n);
        else if (is(argv[i], "abort", &n))
            abort();
        else if (is(argv[i], "kill", &n))
            kill(getpid(), SIGKILL);
        else if (is(argv[i], "exec", &n)) {
            execlp(argv[i] + 5, argv[i] + 5, (char *)NULL);
            must(0, "exec");
        } else if (is(argv[i], "stay", &n)) {
            printf("%d stays\n", (int)getpid());
            fflush(stdout);
            for (;;)
                pause();
        } else {
            fprintf(stderr, "what is %s?\n", argv[i]);
            return 98;
        }
    }
    return 0;
}

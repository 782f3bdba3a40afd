/* conditions CONDITION... : brings about each condition in turn, then does what an existing program does, and says how it went.
 * Exit status: 0 all of it worked, 3 a call said that it cannot (printed, with the errno), 1 something was wrong, 4 the
 * condition cannot be had here. */
#include "workload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { worked = 0, wrong = 1, refused = 3, unsupported = 4 };

static char **arguments;

static int use_all(const char *when)
{
    const int timers = use_timers();
    const int aio = use_aio();
    if (timers)
        printf("%s: timers: %s\n", when, strerror(timers));
    if (aio)
        printf("%s: requests: %s\n", when, strerror(aio));
    fflush(stdout);
    return timers || aio ? refused : worked;
}

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "wrong: %s (%s)\n", what, strerror(errno));
        _exit(wrong);
    }
}

static int entries(const char *folder)
{
    int n = 0;
    DIR *const all = opendir(folder);
    require(all != NULL, folder);
    while (readdir(all))
        ++n;
    closedir(all);
    return n;
}

static int status_of(pid_t child)
{
    int status;
    require(waitpid(child, &status, 0) == child, "waitpid");
    if (!WIFEXITED(status)) {
        fprintf(stderr, "wrong: a child ended by signal %d\n", WTERMSIG(status));
        return wrong;
    }
    return WEXITSTATUS(status);
}

/* ---- conditions that end the tale themselves ------------------------------------------------------------------------------- */

/* Nothing of the library before first use: one thread, and only the descriptors that the program was given. */
static int idle(void)
{
    require(entries("/proc/self/task") == 3, "more than one thread");
    const int descriptors = entries("/proc/self/fd");
    unsetenv("LD_PRELOAD");
    int ends[2];
    require(pipe(ends) == 0, "pipe");
    const pid_t child = fork();
    if (child == 0) {
        char command[] = "ls /proc/self/fd | wc -l";
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(wrong);
    }
    close(ends[1]);
    char text[16] = "";
    require(read(ends[0], text, sizeof text - 1) > 0, "read");
    require(status_of(child) == 0, "sh");
    /* ls has its folder and the pipe's other end, we have ".", ".." and the folder; neither has anything else. */
    printf("%d entries here, %d there\n", descriptors, atoi(text));
    require(descriptors - 3 <= atoi(text), "descriptors of the library's");
    return worked;
}

static int forks(void)
{
    timer_t timer;
    struct itimerspec often = {{0, 1000000}, {0, 1000000}};
    struct sigevent event = {0};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGRTMIN + 5;
    signal(SIGRTMIN + 5, SIG_IGN);
    require(use_all("before") == worked, "before the fork");
    require(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &often, NULL) == 0, "a timer");
    for (int i = 0; i != 5; ++i) {
        const pid_t child = fork();
        require(child != -1, "fork");
        if (child == 0) {
            require(timer_delete(timer) == -1 && errno == EINVAL, "the child has a timer of its parent's");
            _exit(use_all("child"));
        }
        require(use_all("parent") == worked, "beside the child");
        if (status_of(child) != worked)
            return wrong;
    }
    require(timer_delete(timer) == 0, "the parent's timer after the forks");
    return use_all("after");
}

static void *execute(void *unused)
{
    (void)unused;
    char *const again[] = {arguments[0], NULL};
    execv("/proc/self/exe", again);
    return NULL;
}

static int exec_in_thread(void)
{
    pthread_t thread;
    require(use_all("before") == worked, "before exec");
    require(pthread_create(&thread, NULL, execute, NULL) == 0, "pthread_create");
    pthread_join(thread, NULL);
    return wrong;
}

static sem_t calls;
static void count(union sigval value)
{
    sem_post(value.sival_ptr);
}

static int many(void)
{
    enum { number = 5000 };
    static timer_t timers[number];
    struct sigevent event = {0};
    const struct itimerspec soon = {{0, 0}, {0, 1000000}};
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = count;
    event.sigev_value.sival_ptr = &calls;
    require(sem_init(&calls, 0, 0) == 0, "sem_init");
    for (int i = 0; i != number; ++i)
        require(timer_create(CLOCK_REALTIME, &event, &timers[i]) == 0, "timer_create");
    for (int i = 0; i != number; ++i)
        require(timer_settime(timers[i], 0, &soon, NULL) == 0, "timer_settime");
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 30;
    for (int i = 0; i != number;) {
        const int answer = sem_timedwait(&calls, &end);
        require(answer == 0 || errno == EINTR, "not every timer called");
        i += answer == 0;
    }
    require(entries("/proc/self/task") < 300, "a thread a timer");
    for (int i = 0; i != number; ++i)
        require(timer_delete(timers[i]) == 0, "timer_delete");
    return worked;
}

/* ---- conditions for what comes after them -------------------------------------------------------------------------------------- */

static int limit(int resource, rlim_t value)
{
    struct rlimit both;
    require(getrlimit(resource, &both) == 0, "getrlimit");
    both.rlim_cur = value;
    if (both.rlim_max != RLIM_INFINITY && both.rlim_max < value)
        return unsupported;
    require(setrlimit(resource, &both) == 0, "setrlimit");
    return worked;
}

static int another_user(void)
{
    if (geteuid() != 0)
        return worked; /* the limit binds already */
    return setgid(60001) == 0 && setuid(60001) == 0 ? worked : unsupported;
}

static int no_threads(void)
{
    const int answer = another_user();
    return answer ? answer : limit(RLIMIT_NPROC, 0);
}

static int chroot_without_proc(void)
{
    char name[] = "root-XXXXXX";
    if (geteuid() != 0)
        return unsupported;
    require(mkdtemp(name) != NULL, "mkdtemp");
    const int here = open(name, O_RDONLY | O_DIRECTORY);
    if (chroot(name) != 0)
        return unsupported; /* for want of a capability */
    require(chdir("/") == 0, "chdir");
    (void)here;
    return worked;
}

static int refuse(int call, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return unsupported;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? worked : unsupported;
}

static int unlimited_stack(void)
{
    char *const again[] = {arguments[0], NULL};
    const int answer = limit(RLIMIT_STACK, RLIM_INFINITY);
    if (answer)
        return answer;
    execv("/proc/self/exe", again);
    return wrong;
}

/* A program that closes all that it does not know: what it opens next gets the numbers. Whoever goes on writing to those writes
 * into these files. */
enum { canaries = 200 };
static int canary[canaries];

static void keep_canaries(void)
{
    for (int i = 0; i != canaries; ++i) {
        char name[] = "canary-XXXXXX";
        canary[i] = mkstemp(name);
        if (canary[i] == -1)
            break;
        unlink(name);
        require(write(canary[i], "untouched", 9) == 9, "write");
    }
}

static void look_at_canaries(void)
{
    char text[16];
    for (int i = 0; i != canaries && canary[i] > 0; ++i) {
        require(pread(canary[i], text, sizeof text, 0) == 9 && memcmp(text, "untouched", 9) == 0, "somebody wrote to my file");
        require(lseek(canary[i], 0, SEEK_CUR) == 9, "somebody read my file");
        require(close(canary[i]) == 0, "somebody closed my file");
    }
}

static int close_all(const char *how)
{
    struct rlimit both;
    require(use_all("before") == worked, "before closing");
    if (strcmp(how, "closefrom") == 0)
        closefrom(3);
    else if (strcmp(how, "close_range") == 0)
        require(close_range(3, ~0u, 0) == 0, "close_range");
    else if (strcmp(how, "close") == 0) {
        require(getrlimit(RLIMIT_NOFILE, &both) == 0, "getrlimit");
        for (int i = 3; i < (int)both.rlim_cur && i < 70000; ++i)
            close(i);
    } else {
        for (int i = 3; i < 1024; ++i)
            if (fcntl(i, F_GETFD) != -1 || i < 100)
                dup2(2, i);
        for (int i = 3; i < 1024; ++i)
            close(i);
    }
    keep_canaries();
    const int answer = use_all("after");
    look_at_canaries();
    return answer;
}

static int bring_about(const char *condition)
{
    static const struct {
        const char *name;
        int call;
    } calls_[] = {{"eventfd2", SYS_eventfd2},       {"timerfd_create", SYS_timerfd_create}, {"membarrier", SYS_membarrier},
                  {"clone3", SYS_clone3},           {"epoll_create1", SYS_epoll_create1},   {"preadv2", SYS_preadv2},
                  {"pidfd_open", SYS_pidfd_open},   {"timer_create", SYS_timer_create},     {"madvise", SYS_madvise}};
    if (strcmp(condition, "idle") == 0)
        exit(idle());
    if (strcmp(condition, "forks") == 0)
        exit(forks());
    if (strcmp(condition, "exec_in_thread") == 0)
        exit(exec_in_thread());
    if (strcmp(condition, "many") == 0)
        exit(many());
    if (strncmp(condition, "closes:", 7) == 0)
        exit(close_all(condition + 7));
    if (strcmp(condition, "rlimit_nofile_16") == 0) {
        closefrom(3); /* what whoever has started us has left open */
        return limit(RLIMIT_NOFILE, 16);
    }
    if (strcmp(condition, "rlimit_nproc") == 0)
        return no_threads();
    if (strcmp(condition, "rlimit_as") == 0)
        return limit(RLIMIT_AS, 64u << 20);
    if (strcmp(condition, "unlimited_stack") == 0)
        return unlimited_stack();
    if (strcmp(condition, "chroot_without_proc") == 0)
        return chroot_without_proc();
    for (size_t i = 0; i != sizeof calls_ / sizeof *calls_; ++i)
        if (strcmp(condition, calls_[i].name) == 0)
            return refuse(calls_[i].call, EPERM);
    fprintf(stderr, "there is no condition %s\n", condition);
    return wrong;
}

/* Before the library has been initialised, perhaps, and after main(). */
__attribute__((constructor(101))) static void early(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "constructor") == 0)
        require(use_all("constructor") == worked, "in a constructor");
}
static int in_destructor;
__attribute__((destructor(101))) static void late(void)
{
    if (in_destructor)
        require(use_all("destructor") == worked, "in a destructor");
}

int main(int argc, char **argv)
{
    arguments = argv;
    in_destructor = argc > 1 && strcmp(argv[1], "destructor") == 0;
    for (int i = 1; i < argc && !in_destructor && strcmp(argv[1], "constructor") != 0; ++i) {
        const int answer = bring_about(argv[i]);
        if (answer) {
            printf("%s\n", answer == unsupported ? "unsupported: the condition cannot be had here" : "");
            return answer;
        }
    }
    return use_all("then");
}

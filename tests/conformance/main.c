/* The program of one column: all assertions, compiled for one implementation.
 *
 *     conformance_libc --list        their ids, rules and sources, one a line, with tabs between
 *     conformance_libc ID            tries one; the exit status is its, the last line says the status and why
 *     conformance_libc --image ID W  what execute_new_image() runs
 *
 * The body runs in a child, in a process group of its own: what outlives it is ended with it. */
#include "assertion.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { deadline_seconds = 20 };

static struct assertion *first;
static const struct assertion *running;
static const char *image;
static const char *volatile topic;

void add_assertion(struct assertion *assertion)
{
    struct assertion **end = &first;
    while (*end)
        end = &(*end)->next;
    *end = assertion;
}

void about(const char *what)
{
    topic = what;
}

const char *new_image(void)
{
    return image;
}

void execute_new_image(const char *word)
{
    char *const arguments[] = {(char *)"conformance", (char *)"--image", (char *)running->id, (char *)word, NULL};
    execv("/proc/self/exe", arguments);
    end_with(UNRESOLVED, __FILE__, __LINE__, "execv: %s", strerror(errno));
}

static const char *name_of(int status)
{
    switch (status) {
    case PASS: return "pass";
    case FAIL: return "fail";
    case UNRESOLVED: return "unresolved";
    case UNSUPPORTED: return "unsupported";
    case UNTESTED: return "untested";
    default: return "no status";
    }
}

void end_with(enum status status, const char *file, int line, const char *format, ...)
{
    const char *slash = strrchr(file, '/');
    va_list arguments;
    flockfile(stdout);
    printf("%s: ", name_of(status));
    if (topic)
        printf("%s: ", topic);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    if (status == FAIL || status == UNRESOLVED)
        printf(" (%s:%d)", slash ? slash + 1 : file, line);
    printf("\n");
    fflush(stdout);
    _exit(status);
}

/* Real-time signals and SIGALRM are blocked before there is a second thread: bodies accept them by sigtimedwait(). */
static void run(const struct assertion *it)
{
    const struct rlimit none = {0, 0};
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    for (int signo = SIGRTMIN; signo <= SIGRTMAX; ++signo)
        sigaddset(&blocked, signo);
    setrlimit(RLIMIT_CORE, &none);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    running = it;
    it->body();
    printf("pass\n");
    fflush(stdout);
    _exit(PASS);
}

static int wait_for(pid_t child)
{
    const struct timespec end = {.tv_sec = deadline_seconds};
    sigset_t ended;
    int status = 0;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    if (sigtimedwait(&ended, NULL, &end) != SIGCHLD) {
        printf("fail: does not end within %d s\n", deadline_seconds);
        kill(-child, SIGKILL);
        waitpid(child, &status, 0);
        return FAIL;
    }
    waitpid(child, &status, 0);
    kill(-child, SIGKILL);
    if (WIFSIGNALED(status)) {
        printf("fail: ended by signal %d, %s\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
        return FAIL;
    }
    return WEXITSTATUS(status);
}

static int try(const struct assertion *it)
{
    sigset_t ended;
    sigset_t before;
    pid_t child;
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ended, &before);
    child = fork();
    if (child < 0) {
        printf("unresolved: fork: %s\n", strerror(errno));
        return UNRESOLVED;
    }
    if (child == 0) {
        setpgid(0, 0);
        sigprocmask(SIG_SETMASK, &before, NULL);
        run(it);
    }
    setpgid(child, child);
    return wait_for(child);
}

int main(int count, char **arguments)
{
    const int is_image = count == 4 && strcmp(arguments[1], "--image") == 0;
    const char *wanted = is_image ? arguments[2] : count == 2 ? arguments[1] : "";
    for (const struct assertion *it = first; it; it = it->next) {
        if (strcmp(wanted, "--list") == 0)
            printf("%s\t%s\t%s\n", it->id, it->rule, it->source);
        if (strcmp(wanted, it->id) != 0)
            continue;
        image = is_image ? arguments[3] : NULL;
        if (is_image)
            run(it);
        return try(it);
    }
    if (strcmp(wanted, "--list") == 0)
        return 0;
    fprintf(stderr, "usage: %s --list | ID\n", arguments[0]);
    return UNRESOLVED;
}

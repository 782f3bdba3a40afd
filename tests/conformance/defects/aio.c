/* What has been found broken in asynchronous input and output elsewhere, and is no rule of a page by itself. */
#include "lowered.h"
#include "requests.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { more_than_its_threads = 30 };
static struct request waiting[more_than_its_threads];
static struct channel held[more_than_its_threads];

/* As many reads that wait as an implementation with few threads can serve, and then some. */
static void keep_all_threads(void)
{
    for (int i = 0; i != more_than_its_threads; ++i) {
        held[i] = empty_pipe();
        prepare(&waiting[i], held[i].read, 0, 1, SIGEV_NONE);
        queue_read(&waiting[i]);
    }
}

static void let_all_threads_go(void)
{
    for (int i = 0; i != more_than_its_threads; ++i)
        put(held[i].write, "x");
    for (int i = 0; i != more_than_its_threads; ++i)
        check(ends(&waiting[i]), "what had to wait does not end");
}

ASSERTION(defects, 11, "cancelling the first of a descriptor's requests before it was begun strands none of the others",
          "aio_cancel: DESCRIPTION")
{
    static struct request requests[3];
    const struct channel channel = empty_pipe();
    keep_all_threads();
    for (int i = 0; i != 3; ++i) {
        prepare(&requests[i], channel.read, 0, 1, SIGEV_NONE);
        queue_read(&requests[i]);
    }
    check(aio_cancel(channel.read, &requests[0].cb) == AIO_CANCELED, "it is not cancelled");
    let_all_threads_go();
    put(channel.write, "xx");
    for (int i = 1; i != 3; ++i)
        check(wait_until(has_ended, &requests[i], 3 * second), "request %d never ends", i);
}

ASSERTION(defects, 12, "a notification that finds no room does not change the request's result, and comes when there is room",
          "none: no text permits it")
{
    static struct request request;
    const struct channel channel = empty_pipe();
    prepare(&request, channel.read, 0, 5, SIGEV_SIGNAL);
    queue_read(&request);
    const rlim_t before = limit_to(RLIMIT_SIGPENDING, 0);
    put(channel.write, "hello");
    must_transfer(&request, 5);
    check(memcmp(request.buffer, "hello", 5) == 0, "other bytes");
    limit_to(RLIMIT_SIGPENDING, before);
    check(heard(&request.told, patience), "nothing is told");
}

ASSERTION(defects, 13, "a signal that is none is refused by the call, or does not change the result", "none: no text permits it")
{
    static struct request request;
    prepare(&request, file_of("01234", O_RDONLY), 0, 5, SIGEV_NONE);
    request.cb.aio_sigevent.sigev_notify = SIGEV_SIGNAL;
    request.cb.aio_sigevent.sigev_signo = 65;
    if (aio_read(&request.cb) != 0) {
        check(errno == EINVAL, "aio_read: %s", strerror(errno));
        return;
    }
    must_transfer(&request, 5);
}

ASSERTION(defects, 14, "a method that is none is refused: else nobody would be told, and nobody would know",
          "none: SIGEV_KEVENT of a program for another system is such a number")
{
    static struct request request;
    prepare(&request, file_of("01234", O_RDONLY), 0, 5, SIGEV_NONE);
    request.cb.aio_sigevent.sigev_notify = 77;
    check(aio_read(&request.cb) == -1, "it is taken");
    check(errno == EINVAL, "aio_read: %s", strerror(errno));
}

static sem_t go_on;
static sem_t inside;

static void stay(struct told *told)
{
    (void)told;
    sem_post(&inside);
    sem_wait_within(&go_on, patience);
}

ASSERTION(defects, 15, "a signal that the program has blocked in all its threads does not reach a function's thread",
          "none: the mask of that thread is implementation-defined")
{
    static struct request request;
    static struct told sent;
    need(sem_init(&go_on, 0, 0) == 0 && sem_init(&inside, 0, 0) == 0, "sem_init");
    tell_by(&sent, SIGEV_SIGNAL);
    prepare(&request, file_of("01234", O_RDONLY), 0, 5, SIGEV_THREAD);
    request.told.inside = stay;
    queue_read(&request);
    check(sem_wait_within(&inside, patience), "no call");
    need(kill(getpid(), sent.event.sigev_signo) == 0, "kill: %s", strerror(errno));
    sem_post(&go_on);
    check(heard(&request.told, patience), "the function does not return");
    check(heard(&sent, patience), "whoever waits for the signal does not get it");
}

ASSERTION(defects, 16, "a write to a socket is not behind a read of it that waits for the answer",
          "none: no text says that requests on one descriptor wait for each other")
{
    static struct request requests[2];
    int ends[2];
    need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair: %s", strerror(errno));
    prepare(&requests[0], ends[0], 0, 6, SIGEV_NONE);
    queue_read(&requests[0]);
    must_wait(&requests[0]);
    prepare_text(&requests[1], ends[0], 0, "question", SIGEV_NONE);
    queue_write(&requests[1]);
    check(wait_until(has_ended, &requests[1], 3 * second), "the write waits for the read");
    put(ends[1], "answer");
    must_transfer(&requests[0], 6);
    must_transfer(&requests[1], 8);
}

/* Of the process's threads. */
static bool all_others_sleep(void *unused)
{
    bool asleep = true;
    DIR *threads = opendir("/proc/self/task");
    need(threads, "/proc/self/task: %s", strerror(errno));
    for (struct dirent *entry; (entry = readdir(threads));) {
        char name[64];
        char line[512] = "";
        snprintf(name, sizeof name, "/proc/self/task/%.20s/stat", entry->d_name);
        FILE *file = entry->d_name[0] == '.' || atoi(entry->d_name) == gettid() ? NULL : fopen(name, "re");
        if (!file)
            continue;
        if (fgets(line, sizeof line, file)) {
            const char *end = strrchr(line, ')');
            asleep = asleep && end && end[2] == 'S';
        }
        fclose(file);
    }
    closedir(threads);
    return unused == NULL && asleep;
}

ASSERTION(defects, 17, "a forked child can queue requests of its own, also where its parent has requests that wait",
          "fork: DESCRIPTION; aio_read: DESCRIPTION")
{
    static struct request parents;
    static struct request childs;
    const struct channel channel = empty_pipe();
    prepare(&parents, channel.read, 0, 5, SIGEV_NONE);
    queue_read(&parents);
    prepare(&childs, file_of("01234", O_RDONLY), 0, 5, SIGEV_NONE);
    queue_read(&childs);
    must_transfer(&childs, 5);
    need(wait_until(all_others_sleep, NULL, patience), "a thread that has nothing to do does not sleep");
    must_wait(&parents);
    const pid_t child = fork();
    need(child >= 0, "fork: %s", strerror(errno));
    if (child == 0) {
        prepare(&childs, file_of("01234", O_RDONLY), 0, 5, SIGEV_NONE);
        if (aio_read(&childs.cb) != 0)
            _exit(10);
        if (!wait_until(has_ended, &childs, 3 * second))
            _exit(11);
        _exit(aio_return(&childs.cb) == 5 ? 0 : 12);
    }
    const int status = status_of(child, patience);
    check(status == 0, "in the child: %s", status == 10 ? "aio_read fails" : "the request does not end well");
    put(channel.write, "hello");
    must_transfer(&parents, 5);
}

ASSERTION(defects, 18, "whoever closes a descriptor, and gets its number again, does not redirect what was queued on it",
          "close: DESCRIPTION")
{
    static struct request request;
    char found[8] = "";
    const int first = file_of("", O_RDWR);
    const int again = dup(first);
    keep_all_threads();
    prepare_text(&request, first, 0, "hello", SIGEV_NONE);
    queue_write(&request);
    need(again >= 0 && close(first) == 0, "close: %s", strerror(errno));
    const int other = file_of("", O_RDWR);
    need(dup2(other, first) == first, "dup2: %s", strerror(errno));
    let_all_threads_go();
    check(ends(&request), "it does not end");
    check(pread(other, found, 5, 0) == 0, "it is written to the file that has the number now");
    check(pread(again, found, 5, 0) == 5 && memcmp(found, "hello", 5) == 0, "it is not written");
}

ASSERTION(defects, 19, "SIGEV_THREAD: a request that was queued can tell, also where no thread can be made any more",
          "timer_create: RATIONALE (what telling needs is reserved beforehand)")
{
    static struct request request;
    become_nobody();
    const struct channel channel = empty_pipe();
    prepare(&request, channel.read, 0, 5, SIGEV_THREAD);
    queue_read(&request);
    must_wait(&request);
    limit_to(RLIMIT_NPROC, 0);
    put(channel.write, "hello");
    must_transfer(&request, 5);
    check(heard(&request.told, 2 * second), "the notification is lost");
}

ASSERTION(defects, 20, "a zeroed aio_sigevent (on Linux: SIGEV_SIGNAL and signal 0) is taken, and tells nobody",
          "none: programs do that")
{
    static struct request request;
    sigset_t pending;
    prepare(&request, file_of("01234", O_RDONLY), 0, 5, SIGEV_NONE);
    memset(&request.cb.aio_sigevent, 0, sizeof request.cb.aio_sigevent);
    queue_read(&request);
    must_transfer(&request, 5);
    need(sigpending(&pending) == 0, "sigpending: %s", strerror(errno));
    check(sigisemptyset(&pending), "a signal is pending");
}

ASSERTION(defects, 21, "of a list, each request tells before the list does", "none: who has heard of the list asks each for its result")
{
    static struct request requests[4];
    static struct told told;
    struct aiocb *list[4];
    const int file = file_of("0123456789", O_RDONLY);
    tell_by(&told, SIGEV_SIGNAL);
    for (int i = 0; i != 4; ++i) { /* all on the list's signal: queued in order */
        prepare(&requests[i], file, i, 5, SIGEV_NONE);
        requests[i].cb.aio_lio_opcode = LIO_READ;
        requests[i].cb.aio_sigevent = told.event;
        requests[i].cb.aio_sigevent.sigev_value.sival_int = i + 1;
        list[i] = &requests[i].cb;
    }
    told.event.sigev_value.sival_int = 100;
    check(lio_listio(LIO_NOWAIT, list, 4, &told.event) == 0, "lio_listio: %s", strerror(errno));
    for (int i = 0; i != 5; ++i) {
        check(heard(&told, patience), "%d of 5 signals", i);
        check((told.info.si_value.sival_int == 100) == (i == 4), "number %d is that of %s", i,
              i == 4 ? "a request" : "the list");
    }
}

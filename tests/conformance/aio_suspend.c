/* aio_suspend() */
#include "requests.h"

static int suspend(struct request *request, nanoseconds within)
{
    const struct aiocb *const list[1] = {&request->cb};
    const struct timespec limit = timespec_of(within);
    return aio_suspend(list, 1, &limit);
}

ASSERTION(aio_suspend, 1, "returns 0 at once where a request of the list has ended already", "aio_suspend: DESCRIPTION")
{
    static struct request ended;
    static struct request waiting;
    const struct aiocb *const list[2] = {&waiting.cb, &ended.cb};
    prepare(&ended, file_of("01234", O_RDONLY), 0, 5, SIGEV_NONE);
    queue_read(&ended);
    check(ends(&ended), "it does not end");
    prepare(&waiting, empty_pipe().read, 0, 5, SIGEV_NONE);
    queue_read(&waiting);
    check(aio_suspend(list, 2, NULL) == 0, "aio_suspend: %s", strerror(errno));
    must_wait(&waiting);
}

static struct channel written;

static void *write_soon(void *unused)
{
    check(sem_wait_within(unused, patience), "nobody says go on");
    put(written.write, "hello");
    return NULL;
}

ASSERTION(aio_suspend, 2, "waits until a request of the list has ended", "aio_suspend: DESCRIPTION")
{
    static struct request requests[2];
    static sem_t go_on;
    pthread_t writer;
    const struct aiocb *const list[2] = {&requests[0].cb, &requests[1].cb};
    written = empty_pipe();
    need(sem_init(&go_on, 0, 0) == 0 && pthread_create(&writer, NULL, write_soon, &go_on) == 0, "pthread_create");
    prepare(&requests[0], empty_pipe().read, 0, 5, SIGEV_NONE);
    prepare(&requests[1], written.read, 0, 5, SIGEV_NONE);
    queue_read(&requests[0]);
    queue_read(&requests[1]);
    must_wait(&requests[1]);
    sem_post(&go_on);
    check(aio_suspend(list, 2, NULL) == 0, "aio_suspend: %s", strerror(errno));
    check(has_ended(&requests[1]), "it returns, and none has ended");
    must_transfer(&requests[1], 5);
    must_wait(&requests[0]);
}

ASSERTION(aio_suspend, 3, "null pointers in the list are left out", "aio_suspend: DESCRIPTION")
{
    static struct request request;
    const struct aiocb *const list[3] = {NULL, &request.cb, NULL};
    prepare(&request, file_of("01234", O_RDONLY), 0, 5, SIGEV_NONE);
    queue_read(&request);
    check(aio_suspend(list, 3, NULL) == 0, "aio_suspend: %s", strerror(errno));
    must_transfer(&request, 5);
}

ASSERTION(aio_suspend, 4, "EAGAIN when the time is over and none has ended; not before", "aio_suspend: DESCRIPTION, ERRORS")
{
    static struct request request;
    prepare(&request, empty_pipe().read, 0, 5, SIGEV_NONE);
    queue_read(&request);
    for (int i = 0; i != 3; ++i) {
        const nanoseconds time = i * 7 * ms;
        const nanoseconds before = now(CLOCK_MONOTONIC);
        check(suspend(&request, time) == -1, "it returns, and none has ended");
        check(errno == EAGAIN, "aio_suspend: %s", strerror(errno));
        check(now(CLOCK_MONOTONIC) >= before + time, "it returns early");
    }
    must_wait(&request);
}

static atomic_int handled;

static void on_signal(int signo)
{
    (void)signo;
    atomic_fetch_add(&handled, 1);
}

static pthread_t sleeper;

static void *interrupt(void *finished)
{
    while (sem_trywait(finished) != 0) {
        pthread_kill(sleeper, SIGUSR1);
        sem_wait_within(finished, 5 * ms) ? sem_post(finished) : 0;
    }
    return NULL;
}

ASSERTION(aio_suspend, 5, "EINTR when a signal handler has run; the request goes on", "aio_suspend: ERRORS")
{
    static struct request request;
    static sem_t finished;
    pthread_t other;
    const struct sigaction action = {.sa_handler = on_signal};
    const struct channel channel = empty_pipe();
    need(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction: %s", strerror(errno));
    prepare(&request, channel.read, 0, 5, SIGEV_NONE);
    queue_read(&request);
    sleeper = pthread_self();
    need(sem_init(&finished, 0, 0) == 0 && pthread_create(&other, NULL, interrupt, &finished) == 0, "pthread_create");
    const int result = suspend(&request, patience);
    const int error = errno;
    sem_post(&finished);
    need(pthread_join(other, NULL) == 0, "pthread_join");
    check(result == -1 && error == EINTR, "it goes on waiting: %s", strerror(error));
    must_wait(&request);
    put(channel.write, "hello");
    must_transfer(&request, 5);
}

static void *wait_in_thread(void *request)
{
    return suspend(request, patience) == 0 ? request : NULL;
}

ASSERTION(aio_suspend, 6, "several threads can wait for one request", "aio_suspend: DESCRIPTION")
{
    static struct request request;
    pthread_t threads[4];
    const struct channel channel = empty_pipe();
    prepare(&request, channel.read, 0, 5, SIGEV_NONE);
    queue_read(&request);
    for (int i = 0; i != 4; ++i)
        need(pthread_create(&threads[i], NULL, wait_in_thread, &request) == 0, "pthread_create");
    put(channel.write, "hello");
    for (int i = 0; i != 4; ++i) {
        void *got = NULL;
        need(pthread_join(threads[i], &got) == 0, "pthread_join");
        check(got == &request, "thread %d waits in vain", i);
    }
}

ASSERTION(aio_suspend, 7, "it is a cancellation point, and leaves nothing behind", "2.9.5.2 Cancellation Points")
{
    static struct request request;
    pthread_t thread;
    void *got = NULL;
    const struct channel channel = empty_pipe();
    prepare(&request, channel.read, 0, 5, SIGEV_NONE);
    queue_read(&request);
    need(pthread_create(&thread, NULL, wait_in_thread, &request) == 0, "pthread_create");
    need(pthread_cancel(thread) == 0, "pthread_cancel");
    const nanoseconds before = now(CLOCK_MONOTONIC);
    need(pthread_join(thread, &got) == 0, "pthread_join");
    check(got == PTHREAD_CANCELED && now(CLOCK_MONOTONIC) - before < patience, "the thread is not cancelled in it");
    put(channel.write, "hello");
    must_transfer(&request, 5);
}

static struct request looked_at;
static sem_t looked;
static atomic_int wrong;

static void suspend_in_handler(int signo)
{
    const int before = errno;
    (void)signo;
    if (suspend(&looked_at, 0) != 0)
        atomic_store(&wrong, 1);
    sem_post(&looked);
    errno = before;
}

static void *interrupt_often(void *unused)
{
    for (int i = 0; i != 300; ++i) {
        pthread_kill(sleeper, SIGUSR1);
        check(sem_wait_within(&looked, patience), "the handler does not return");
    }
    return unused;
}

static atomic_int over;

static void *attack(void *unused)
{
    interrupt_often(unused);
    atomic_store(&over, 1);
    return unused;
}

ASSERTION(aio_suspend, 8, "it may be called in a signal handler", "2.4.3 Signal Actions (async-signal-safe functions)")
{
    static struct request other;
    pthread_t thread;
    const struct sigaction action = {.sa_handler = suspend_in_handler};
    need(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction: %s", strerror(errno));
    const int file = file_of("01234", O_RDONLY);
    prepare(&looked_at, file, 0, 5, SIGEV_NONE);
    queue_read(&looked_at);
    check(ends(&looked_at), "it does not end");
    sleeper = pthread_self();
    need(sem_init(&looked, 0, 0) == 0 && pthread_create(&thread, NULL, attack, NULL) == 0, "pthread_create");
    while (!atomic_load(&over)) {
        prepare(&other, file, 0, 5, SIGEV_NONE);
        queue_read(&other);
        must_transfer(&other, 5);
    }
    check(atomic_load(&wrong) == 0, "a call in the handler fails");
}

ASSERTION(aio_suspend, 9, "a list that has nothing in it is not waited for", "none: the host's aio_suspend(3) returns 0 at once")
{
    const struct aiocb *const list[1] = {NULL};
    const struct timespec limit = timespec_of(patience);
    check(aio_suspend(list, 0, &limit) == 0, "aio_suspend: %s", strerror(errno));
}

/* aio_error() */
#include "requests.h"

ASSERTION(aio_error, 1, "EINPROGRESS while the request is not over, 0 when it has ended well", "aio_error: RETURN VALUE")
{
    static struct request request;
    const struct channel channel = empty_pipe();
    prepare(&request, channel.read, 0, 5, SIGEV_NONE);
    queue_read(&request);
    for (int i = 0; i != 1000; ++i)
        must_wait(&request);
    put(channel.write, "hello");
    check(ends(&request), "it does not end");
    check(aio_error(&request.cb) == 0, "it says %d", aio_error(&request.cb));
}

ASSERTION(aio_error, 2, "the error of an operation that has failed, as read, write or fsync would have set it",
          "aio_error: RETURN VALUE")
{
    static struct request request;
    prepare(&request, open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0, 5, SIGEV_NONE);
    queue_read(&request);
    check(ends(&request), "it does not end");
    check(aio_error(&request.cb) == EISDIR, "it says %d", aio_error(&request.cb));
}

static int answer(const struct aiocb *request)
{
    const int result = aio_error(request);
    return result == -1 ? errno : result;
}

ASSERTION(aio_error, 3, "EINVAL for an aiocb that was never queued, or whose result has been taken", "aio_error: ERRORS (may fail)")
{
    static struct request requests[2];
    prepare(&requests[0], file_of("01234", O_RDONLY), 0, 5, SIGEV_NONE);
    check(answer(&requests[0].cb) == EINVAL, "never queued: it says %d", answer(&requests[0].cb));
    prepare(&requests[1], file_of("01234", O_RDONLY), 0, 5, SIGEV_NONE);
    queue_read(&requests[1]);
    must_transfer(&requests[1], 5);
    check(answer(&requests[1].cb) == EINVAL, "taken: it says %d", answer(&requests[1].cb));
}

enum { rounds = 200 };
static struct request handled[2];
static sem_t finished;
static atomic_int wrong;
static int files[2];

/* Looks at the request that has ended, takes its result; the body queues the next. */
static void on_end(int signo, siginfo_t *info, void *context)
{
    static int count;
    const int before = errno;
    struct request *request = &handled[signo == handled[1].told.event.sigev_signo];
    (void)info, (void)context;
    if (aio_error(&request->cb) != 0 || aio_return(&request->cb) != 5)
        atomic_store(&wrong, 1);
    ++count;
    sem_post(&finished);
    errno = before;
}

ASSERTION(aio_error, 4, "aio_error and aio_return may be called in a signal handler",
          "2.4.3 Signal Actions (async-signal-safe functions)")
{
    struct sigaction action = {.sa_sigaction = on_end, .sa_flags = SA_SIGINFO};
    sigset_t mine;
    static struct request other;
    need(sem_init(&finished, 0, 0) == 0, "sem_init");
    sigemptyset(&mine);
    for (int i = 0; i != 2; ++i) {
        files[i] = file_of("0123456789", O_RDONLY);
        prepare(&handled[i], files[i], i, 5, SIGEV_SIGNAL);
        need(sigaction(handled[i].told.event.sigev_signo, &action, NULL) == 0, "sigaction: %s", strerror(errno));
        sigaddset(&mine, handled[i].told.event.sigev_signo);
    }
    need(pthread_sigmask(SIG_UNBLOCK, &mine, NULL) == 0, "pthread_sigmask");
    const int file = file_of("0123456789", O_RDONLY);
    for (int i = 0; i != rounds; ++i) {
        queue_read(&handled[i % 2]);
        do { /* what the handler interrupts */
            prepare(&other, file, 3, 5, SIGEV_NONE);
            queue_read(&other);
            must_transfer(&other, 5);
            free(malloc(100));
        } while (sem_trywait(&finished) != 0);
    }
    check(atomic_load(&wrong) == 0, "a call in the handler fails");
}

/* lio_listio() */
#include "requests.h"

static int files[4];

/* Four reads of files: "hello", at offsets 0 to 3. */
static void four_reads(struct request requests[4], struct aiocb *list[4], int method)
{
    for (int i = 0; i != 4; ++i) {
        if (!files[i])
            files[i] = file_of("0123456789", O_RDWR);
        prepare(&requests[i], files[i], i, 5, method);
        requests[i].cb.aio_lio_opcode = LIO_READ;
        list[i] = &requests[i].cb;
    }
}

ASSERTION(lio_listio, 1, "LIO_WAIT: returns 0 when all of the list have ended", "lio_listio: DESCRIPTION")
{
    static struct request requests[4];
    struct aiocb *list[4];
    four_reads(requests, list, SIGEV_NONE);
    requests[3].cb.aio_lio_opcode = LIO_WRITE;
    strcpy(requests[3].buffer, "abcde");
    check(lio_listio(LIO_WAIT, list, 4, NULL) == 0, "lio_listio: %s", strerror(errno));
    for (int i = 0; i != 4; ++i) {
        check(has_ended(&requests[i]), "request %d has not ended", i);
        must_transfer(&requests[i], 5);
        check(i == 3 || requests[i].buffer[0] == '0' + i, "other bytes");
    }
    char found[5];
    check(pread(files[3], found, 5, 3) == 5 && memcmp(found, "abcde", 5) == 0, "nothing is written");
}

ASSERTION(lio_listio, 2, "LIO_WAIT: the sigevent of the list is not looked at", "lio_listio: DESCRIPTION")
{
    static struct request requests[4];
    static struct told told;
    struct aiocb *list[4];
    four_reads(requests, list, SIGEV_NONE);
    tell_by(&told, SIGEV_SIGNAL);
    check(lio_listio(LIO_WAIT, list, 4, &told.event) == 0, "lio_listio: %s", strerror(errno));
    check(!heard(&told, 20 * ms), "it is told");
}

ASSERTION(lio_listio, 3, "LIO_NOWAIT: returns at once; the list tells, by its sigevent, when all of it have ended",
          "lio_listio: DESCRIPTION")
{
    static struct request requests[3][2];
    static struct told told[3];
    for (int m = 1; m != 3; ++m) {
        const struct channel channels[2] = {empty_pipe(), empty_pipe()};
        struct aiocb *list[2];
        about(name_of_method(methods[m]));
        for (int i = 0; i != 2; ++i) {
            prepare(&requests[m][i], channels[i].read, 0, 5, SIGEV_NONE);
            requests[m][i].cb.aio_lio_opcode = LIO_READ;
            list[i] = &requests[m][i].cb;
        }
        tell_by(&told[m], methods[m]);
        check(lio_listio(LIO_NOWAIT, list, 2, &told[m].event) == 0, "lio_listio: %s", strerror(errno));
        put(channels[0].write, "hello");
        must_transfer(&requests[m][0], 5);
        must_wait(&requests[m][1]);
        check(!heard(&told[m], 10 * ms), "told when half of it has ended");
        put(channels[1].write, "hello");
        check(heard(&told[m], patience), "nothing is told");
        check(has_ended(&requests[m][1]), "told before the last has ended");
        check(!heard(&told[m], 10 * ms), "told twice");
        if (methods[m] == SIGEV_SIGNAL)
            check(told[m].info.si_code == SI_ASYNCIO && told[m].info.si_value.sival_ptr == &told[m], "another siginfo");
    }
}

ASSERTION(lio_listio, 4, "each request tells by its own aio_sigevent as well, in both modes",
          "lio_listio: DESCRIPTION; aio_read: DESCRIPTION")
{
    static struct request requests[2][4];
    static struct told told;
    struct aiocb *list[4];
    tell_by(&told, SIGEV_THREAD);
    for (int mode = 0; mode != 2; ++mode) {
        about(mode ? "LIO_NOWAIT" : "LIO_WAIT");
        four_reads(requests[mode], list, SIGEV_THREAD);
        check(lio_listio(mode ? LIO_NOWAIT : LIO_WAIT, list, 4, &told.event) == 0, "lio_listio: %s", strerror(errno));
        for (int i = 0; i != 4; ++i)
            check(heard(&requests[mode][i].told, patience), "request %d does not tell", i);
        if (mode)
            check(heard(&told, patience), "the list does not tell");
    }
}

ASSERTION(lio_listio, 5, "LIO_NOWAIT without a sigevent: the list tells nobody", "lio_listio: DESCRIPTION")
{
    static struct request requests[4];
    struct aiocb *list[4];
    sigset_t pending;
    four_reads(requests, list, SIGEV_NONE);
    check(lio_listio(LIO_NOWAIT, list, 4, NULL) == 0, "lio_listio: %s", strerror(errno));
    for (int i = 0; i != 4; ++i)
        must_transfer(&requests[i], 5);
    need(sigpending(&pending) == 0, "sigpending: %s", strerror(errno));
    check(sigisemptyset(&pending), "a signal is pending");
}

ASSERTION(lio_listio, 6, "null pointers and LIO_NOP are left out", "lio_listio: DESCRIPTION")
{
    static struct request requests[4];
    struct aiocb *list[4];
    four_reads(requests, list, SIGEV_NONE);
    requests[1].cb.aio_lio_opcode = LIO_NOP;
    list[2] = NULL;
    check(lio_listio(LIO_WAIT, list, 4, NULL) == 0, "lio_listio: %s", strerror(errno));
    must_transfer(&requests[0], 5);
    must_transfer(&requests[3], 5);
    check(requests[1].buffer[0] == '\0' && requests[2].buffer[0] == '\0', "they are carried out");
}

ASSERTION(lio_listio, 7, "LIO_NOWAIT and a list that has nothing in it: it tells, as all of it have ended",
          "lio_listio: DESCRIPTION")
{
    static struct told told[3];
    struct aiocb *list[2] = {NULL, NULL};
    for (int m = 1; m != 3; ++m) {
        about(name_of_method(methods[m]));
        tell_by(&told[m], methods[m]);
        check(lio_listio(LIO_NOWAIT, list, 2, &told[m].event) == 0, "lio_listio: %s", strerror(errno));
        check(heard(&told[m], patience), "nothing is told");
    }
}

ASSERTION(lio_listio, 8, "EINVAL for a mode that is none; nothing is queued", "lio_listio: ERRORS")
{
    static struct request requests[4];
    struct aiocb *list[4];
    four_reads(requests, list, SIGEV_SIGNAL);
    check(lio_listio(99, list, 4, NULL) == -1, "it is taken");
    check(errno == EINVAL, "lio_listio: %s", strerror(errno));
    for (int i = 0; i != 4; ++i)
        check(!heard(&requests[i].told, 10 * ms), "request %d is carried out", i);
}

ASSERTION(lio_listio, 9, "LIO_WAIT: EIO where one has failed; its status says how, and the others are carried out",
          "lio_listio: DESCRIPTION, ERRORS")
{
    static struct request requests[4];
    struct aiocb *list[4];
    four_reads(requests, list, SIGEV_NONE);
    requests[1].cb.aio_fildes = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    check(lio_listio(LIO_WAIT, list, 4, NULL) == -1, "it returns 0");
    check(errno == EIO, "lio_listio: %s", strerror(errno));
    for (int i = 0; i != 4; ++i)
        if (i == 1)
            must_fail(&requests[i], 0, EISDIR);
        else
            must_transfer(&requests[i], 5);
}

ASSERTION(lio_listio, 10, "LIO_NOWAIT: a bad descriptor is the request's error, EBADF; the others are carried out, and all is told",
          "lio_listio: DESCRIPTION, ERRORS")
{
    static struct request requests[4];
    static struct told told;
    struct aiocb *list[4];
    four_reads(requests, list, SIGEV_NONE);
    tell_by(&told, SIGEV_SIGNAL);
    requests[2].cb.aio_fildes = 1000;
    if (lio_listio(LIO_NOWAIT, list, 4, &told.event) != 0)
        check(errno == EIO, "lio_listio: %s", strerror(errno));
    check(heard(&told, patience), "nothing is told");
    for (int i = 0; i != 4; ++i)
        if (i == 2)
            must_fail(&requests[i], 0, EBADF);
        else
            must_transfer(&requests[i], 5);
}

ASSERTION(lio_listio, 11, "an aio_lio_opcode that is none: EINVAL, by the call or as the request's status",
          "lio_listio: DESCRIPTION, ERRORS")
{
    static struct request request;
    struct aiocb *list[1] = {&request.cb};
    prepare(&request, file_of("01234", O_RDONLY), 0, 5, SIGEV_NONE);
    request.cb.aio_lio_opcode = 4711;
    if (lio_listio(LIO_WAIT, list, 1, NULL) == -1 && errno == EINVAL)
        return;
    check(errno == EIO, "lio_listio: %s", strerror(errno));
    must_fail(&request, 0, EINVAL);
}

static pthread_t sleeper;
static sem_t finished;

static void on_signal(int signo)
{
    (void)signo;
}

static void *interrupt(void *unused)
{
    do
        pthread_kill(sleeper, SIGUSR1);
    while (!sem_wait_within(&finished, 5 * ms));
    return unused;
}

/* Where the frame of lio_listio() has been. */
__attribute__((noinline)) static void use_the_stack(void)
{
    volatile char bytes[16384];
    memset((char *)bytes, 0xff, sizeof bytes);
}

ASSERTION(lio_listio, 12, "LIO_WAIT: EINTR when a signal handler has run; the requests go on and end well",
          "lio_listio: DESCRIPTION, ERRORS")
{
    static struct request requests[2];
    struct aiocb *list[2] = {&requests[0].cb, &requests[1].cb};
    const struct channel channels[2] = {empty_pipe(), empty_pipe()};
    const struct sigaction action = {.sa_handler = on_signal};
    pthread_t other;
    need(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction: %s", strerror(errno));
    for (int i = 0; i != 2; ++i) {
        prepare(&requests[i], channels[i].read, 0, 5, SIGEV_NONE);
        requests[i].cb.aio_lio_opcode = LIO_READ;
    }
    sleeper = pthread_self();
    need(sem_init(&finished, 0, 0) == 0 && pthread_create(&other, NULL, interrupt, NULL) == 0, "pthread_create");
    const int result = lio_listio(LIO_WAIT, list, 2, NULL);
    const int error = errno;
    sem_post(&finished);
    need(pthread_join(other, NULL) == 0, "pthread_join");
    check(result == -1 && error == EINTR, "it goes on waiting: %s", strerror(error));
    use_the_stack();
    for (int i = 0; i != 2; ++i) {
        must_wait(&requests[i]);
        put(channels[i].write, "hello");
    }
    for (int i = 0; i != 2; ++i)
        must_transfer(&requests[i], 5);
}

__attribute__((noinline)) static void queue_and_forget(struct request requests[2], struct told *told)
{
    struct aiocb *list[2] = {&requests[0].cb, &requests[1].cb};
    struct sigevent event = told->event;
    check(lio_listio(LIO_NOWAIT, list, 2, &event) == 0, "lio_listio: %s", strerror(errno));
    memset(&event, 0xff, sizeof event);
    memset(list, 0xff, sizeof list);
}

ASSERTION(lio_listio, 13, "LIO_NOWAIT: list and sigevent may be gone when it returns", "lio_listio: DESCRIPTION (asks nothing of them)")
{
    static struct request requests[3][2];
    static struct told told[3];
    for (int m = 1; m != 3; ++m) {
        const struct channel channels[2] = {empty_pipe(), empty_pipe()};
        about(name_of_method(methods[m]));
        for (int i = 0; i != 2; ++i) {
            prepare(&requests[m][i], channels[i].read, 0, 5, SIGEV_NONE);
            requests[m][i].cb.aio_lio_opcode = LIO_READ;
        }
        tell_by(&told[m], methods[m]);
        queue_and_forget(requests[m], &told[m]);
        use_the_stack();
        for (int i = 0; i != 2; ++i)
            put(channels[i].write, "hello");
        check(heard(&told[m], patience), "nothing is told");
    }
}

ASSERTION(lio_listio, 14, "a bad aio_reqprio: EINVAL, and then nothing is queued; or as the request's status",
          "lio_listio: ERRORS (nothing is initiated with other errors than EAGAIN, EINTR and EIO)")
{
    static struct request requests[4];
    struct aiocb *list[4];
    four_reads(requests, list, SIGEV_SIGNAL);
    requests[3].cb.aio_reqprio = -1;
    if (lio_listio(LIO_WAIT, list, 4, NULL) == -1 && errno == EINVAL) {
        for (int i = 0; i != 4; ++i)
            check(!heard(&requests[i].told, 10 * ms), "request %d is carried out all the same", i);
        return;
    }
    check(errno == EIO, "lio_listio: %s", strerror(errno));
    must_fail(&requests[3], 0, EINVAL);
}

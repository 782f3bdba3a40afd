/* aio_fsync() */
#include "requests.h"

#include <sys/mman.h>

static void queue_fsync(struct request *request, int operation)
{
    check(aio_fsync(operation, &request->cb) == 0, "aio_fsync: %s", strerror(errno));
}

/* Writes that follow each other take their time; a file in memory is synchronized in none, unless they are waited for. */
static void covers(int operation)
{
    enum { count = 60, length = 200000 };
    static struct request writes[count];
    static struct request sync;
    static char bytes[length];
    const int file = memfd_create("conformance", MFD_CLOEXEC);
    need(file >= 0 && fcntl(file, F_SETFL, O_APPEND) == 0, "memfd_create: %s", strerror(errno));
    for (int i = 0; i != count; ++i) {
        prepare(&writes[i], file, 0, length, SIGEV_NONE);
        writes[i].cb.aio_buf = bytes;
        queue_write(&writes[i]);
    }
    prepare(&sync, file, 0, 0, SIGEV_NONE);
    queue_fsync(&sync, operation);
    while (!has_ended(&sync)) /* no deadline but that of the assertion: the look after it has to come at once */
        continue;
    for (int i = 0; i != count; ++i)
        check(has_ended(&writes[i]), "it has ended, and write %d, which was queued before it, has not", i);
    must_transfer(&sync, 0);
}

ASSERTION(aio_fsync, 1, "O_SYNC: ends when all that was queued before it for the file has ended", "aio_fsync: DESCRIPTION")
{
    covers(O_SYNC);
}

ASSERTION(aio_fsync, 2, "O_DSYNC: the same", "aio_fsync: DESCRIPTION")
{
    covers(O_DSYNC);
}

ASSERTION(aio_fsync, 3, "EINVAL for an operation that is neither", "aio_fsync: ERRORS")
{
    static struct request request;
    prepare(&request, file_of("", O_RDWR), 0, 0, SIGEV_NONE);
    check(aio_fsync(O_RDWR, &request.cb) == -1 && errno == EINVAL, "it is taken");
}

ASSERTION(aio_fsync, 4, "EBADF for a descriptor that is none", "aio_fsync: ERRORS")
{
    static struct request request;
    prepare(&request, 1000, 0, 0, SIGEV_NONE);
    check(aio_fsync(O_SYNC, &request.cb) == -1 && errno == EBADF, "it is taken");
}

ASSERTION(aio_fsync, 5, "EBADF for a descriptor that is not open for writing", "aio_fsync: ERRORS (by the call, or later)")
{
    static struct request request;
    prepare(&request, file_of("", O_RDONLY), 0, 0, SIGEV_NONE);
    must_fail(&request, aio_fsync(O_SYNC, &request.cb), EBADF);
}

ASSERTION(aio_fsync, 6, "EINVAL for a file that cannot be synchronized", "aio_fsync: ERRORS (by the call, or later)")
{
    static struct request request;
    prepare(&request, empty_pipe().write, 0, 0, SIGEV_NONE);
    must_fail(&request, aio_fsync(O_SYNC, &request.cb), EINVAL);
}

ASSERTION(aio_fsync, 7, "when it has ended its owner is told, as aio_sigevent says", "aio_fsync: DESCRIPTION")
{
    static struct request requests[3];
    const int file = file_of("text", O_RDWR);
    for (int m = 0; m != 3; ++m) {
        about(name_of_method(methods[m]));
        prepare(&requests[m], file, 0, 0, methods[m]);
        queue_fsync(&requests[m], O_SYNC);
        if (methods[m] != SIGEV_NONE)
            check(heard(&requests[m].told, patience), "nothing is told");
        must_transfer(&requests[m], 0);
    }
}

ASSERTION(aio_fsync, 8, "but for aio_fildes and aio_sigevent nothing of the aiocb is looked at", "aio_fsync: DESCRIPTION")
{
    static struct request request;
    prepare(&request, file_of("text", O_RDWR), -7, 12345, SIGEV_SIGNAL);
    request.cb.aio_buf = NULL;
    request.cb.aio_lio_opcode = 4711;
    request.cb.aio_reqprio = -5;
    queue_fsync(&request, O_SYNC);
    check(heard(&request.told, patience), "nothing is told");
    must_transfer(&request, 0);
}

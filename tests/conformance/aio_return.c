/* aio_return() */
#include "requests.h"

ASSERTION(aio_return, 1, "what read, write or fsync would have returned", "aio_return: RETURN VALUE")
{
    static struct request requests[3];
    const int file = file_of("0123456789", O_RDWR);
    prepare(&requests[0], file, 6, 20, SIGEV_NONE);
    queue_read(&requests[0]);
    must_transfer(&requests[0], 4);
    prepare_text(&requests[1], file, 2, "abc", SIGEV_NONE);
    queue_write(&requests[1]);
    must_transfer(&requests[1], 3);
    prepare(&requests[2], file, 0, 0, SIGEV_NONE);
    check(aio_fsync(O_SYNC, &requests[2].cb) == 0, "aio_fsync: %s", strerror(errno));
    must_transfer(&requests[2], 0);
}

ASSERTION(aio_return, 2, "-1 for an operation that has failed", "aio_return: RETURN VALUE")
{
    static struct request request;
    prepare(&request, open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0, 5, SIGEV_NONE);
    queue_read(&request);
    check(ends(&request), "it does not end");
    check(aio_return(&request.cb) == -1, "another result");
}

ASSERTION(aio_return, 3, "the result can be taken once: then EINVAL", "aio_return: DESCRIPTION, ERRORS (may fail)")
{
    static struct request request;
    prepare(&request, file_of("01234", O_RDONLY), 0, 5, SIGEV_NONE);
    queue_read(&request);
    must_transfer(&request, 5);
    check(aio_return(&request.cb) == -1, "it can be taken again");
    check(errno == EINVAL, "aio_return: %s", strerror(errno));
}

ASSERTION(aio_return, 4, "afterwards the aiocb can be used for another request", "aio_return: DESCRIPTION")
{
    static struct request request;
    const int file = file_of("0123456789", O_RDONLY);
    for (int i = 0; i != 300; ++i) {
        prepare(&request, file, i % 5, 5, SIGEV_NONE);
        queue_read(&request);
        must_transfer(&request, 5);
        check(request.buffer[0] == '0' + i % 5, "other bytes");
    }
}

ASSERTION(aio_return, 5, "whoever does not want the result need not take it",
          "none: programs queue one aiocb for ever, without aio_return")
{
    static struct request request;
    const int file = file_of("0123456789", O_RDONLY);
    for (int i = 0; i != 300; ++i) {
        prepare(&request, file, i % 5, 5, SIGEV_NONE);
        queue_read(&request);
        check(ends(&request), "it does not end");
        check(request.buffer[0] == '0' + i % 5, "other bytes");
    }
}

ASSERTION(aio_return, 6, "EINVAL for an aiocb that was never queued", "aio_return: ERRORS (may fail)")
{
    static struct request request;
    prepare(&request, file_of("01234", O_RDONLY), 0, 5, SIGEV_NONE);
    check(aio_return(&request.cb) == -1, "it has a result");
    check(errno == EINVAL, "aio_return: %s", strerror(errno));
}

ASSERTION(aio_return, 7, "when the status is final nothing of the aiocb is used any more", "aio_read: DESCRIPTION")
{
    static struct request requests[20];
    const int file = file_of("0123456789", O_RDONLY);
    for (int i = 0; i != 20; ++i) {
        struct aiocb cb;
        prepare(&requests[i], file, 0, 5, SIGEV_THREAD);
        cb = requests[i].cb; /* on the stack, with the told of the request */
        check(aio_read(&cb) == 0, "aio_read: %s", strerror(errno));
        while (aio_error(&cb) == EINPROGRESS)
            continue;
        memset(&cb, 0xff, sizeof cb);
        check(heard(&requests[i].told, patience), "nothing is told after the aiocb was used for something else");
    }
}

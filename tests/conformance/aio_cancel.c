/* aio_cancel() */
#include "requests.h"

/* What POSIX says of a request that was cancelled. */
static void must_be_canceled(struct request *request)
{
    const int status = aio_error(&request->cb);
    check(status == ECANCELED, "cancelled, and its status is: %s", strerror(status));
    check(aio_return(&request->cb) == -1, "cancelled, and its result is not -1");
}

ASSERTION(aio_cancel, 1, "a request that waits: AIO_CANCELED, and ECANCELED and -1; or AIO_NOTCANCELED, and it goes on",
          "aio_cancel: DESCRIPTION")
{
    static struct request request;
    const struct channel channel = empty_pipe();
    prepare(&request, channel.read, 0, 5, SIGEV_NONE);
    queue_read(&request);
    must_wait(&request);
    switch (aio_cancel(channel.read, &request.cb)) {
    case AIO_CANCELED: must_be_canceled(&request); break;
    case AIO_NOTCANCELED:
        must_wait(&request);
        put(channel.write, "hello");
        must_transfer(&request, 5);
        break;
    default: check(0, "it is said to have ended");
    }
}

ASSERTION(aio_cancel, 2, "a request that has ended: AIO_ALLDONE, and it is what it was", "aio_cancel: DESCRIPTION")
{
    static struct request request;
    const int file = file_of("01234", O_RDONLY);
    prepare(&request, file, 0, 5, SIGEV_NONE);
    queue_read(&request);
    check(ends(&request), "it does not end");
    check(aio_cancel(file, &request.cb) == AIO_ALLDONE, "it does not say so");
    must_transfer(&request, 5);
}

ASSERTION(aio_cancel, 3, "without a request: all those on the descriptor; the answer fits what has become of them",
          "aio_cancel: DESCRIPTION")
{
    enum { count = 4 };
    static struct request requests[count];
    const struct channel channel = empty_pipe();
    int left = 0;
    for (int i = 0; i != count; ++i) {
        prepare(&requests[i], channel.read, 0, 1, SIGEV_NONE);
        queue_read(&requests[i]);
    }
    const int answer = aio_cancel(channel.read, NULL);
    for (int i = 0; i != count; ++i)
        if (aio_error(&requests[i].cb) == EINPROGRESS)
            ++left;
        else
            must_be_canceled(&requests[i]);
    check(answer == (left ? AIO_NOTCANCELED : AIO_CANCELED), "the answer is %d, and %d are in progress", answer, left);
    for (int i = 0; i != left; ++i)
        put(channel.write, "x");
    for (int i = 0; i != count; ++i)
        check(ends(&requests[i]), "what was not cancelled does not end");
}

ASSERTION(aio_cancel, 4, "a descriptor on which nothing is queued: AIO_ALLDONE", "aio_cancel: DESCRIPTION")
{
    check(aio_cancel(empty_pipe().read, NULL) == AIO_ALLDONE, "it does not say so");
}

ASSERTION(aio_cancel, 5, "EBADF for a descriptor that is none", "aio_cancel: ERRORS")
{
    check(aio_cancel(1000, NULL) == -1, "it is taken");
    check(errno == EBADF, "aio_cancel: %s", strerror(errno));
}

ASSERTION(aio_cancel, 6, "a request that was cancelled tells its owner as any other", "aio_cancel: DESCRIPTION")
{
    static struct request first[3];
    static struct request requests[3];
    for (int m = 1; m != 3; ++m) {
        const struct channel channel = empty_pipe();
        about(name_of_method(methods[m]));
        prepare(&first[m], channel.read, 0, 1, SIGEV_NONE); /* is being carried out: need not let itself be cancelled */
        queue_read(&first[m]);
        prepare(&requests[m], channel.read, 0, 1, methods[m]);
        queue_read(&requests[m]);
        if (aio_cancel(channel.read, &requests[m].cb) != AIO_CANCELED)
            untested("a request behind another is not cancelled");
        check(heard(&requests[m].told, patience), "nothing is told");
        must_be_canceled(&requests[m]);
        check(!heard(&requests[m].told, 10 * ms), "told twice");
    }
}

ASSERTION(aio_cancel, 7, "requests on other descriptors are left alone", "aio_cancel: DESCRIPTION")
{
    static struct request requests[2];
    const struct channel channels[2] = {empty_pipe(), empty_pipe()};
    for (int i = 0; i != 2; ++i) {
        prepare(&requests[i], channels[i].read, 0, 5, SIGEV_NONE);
        queue_read(&requests[i]);
    }
    aio_cancel(channels[0].read, NULL);
    must_wait(&requests[1]);
    put(channels[1].write, "hello");
    must_transfer(&requests[1], 5);
}

ASSERTION(aio_cancel, 8, "those that were not cancelled go on, also behind one that was", "aio_cancel: DESCRIPTION")
{
    enum { count = 4 };
    static struct request requests[count];
    const struct channel channel = empty_pipe();
    for (int i = 0; i != count; ++i) {
        prepare(&requests[i], channel.read, 0, 1, SIGEV_NONE);
        queue_read(&requests[i]);
    }
    const int answer = aio_cancel(channel.read, &requests[1].cb);
    for (int i = 0; i != (answer == AIO_CANCELED ? count - 1 : count); ++i)
        put(channel.write, "x");
    for (int i = 0; i != count; ++i)
        check(wait_until(has_ended, &requests[i], 3 * second), "request %d does not end, after request 1 was cancelled", i);
}

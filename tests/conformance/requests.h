/* A request for asynchronous input or output, and how its owner is told of it; files and pipes to try it on. */
#ifndef SIGEV_TESTS_REQUESTS_H
#define SIGEV_TESTS_REQUESTS_H

#include "column.h"
#include "told.h"

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int methods[3] = {SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD};

struct request {
    struct aiocb cb;
    struct told told;
    char buffer[64];
};

/* Reads into, or writes from, the request's own buffer. */
static inline void prepare(struct request *request, int descriptor, off_t offset, size_t length, int method)
{
    memset(&request->cb, 0, sizeof request->cb);
    if (!request->told.event.sigev_value.sival_ptr || request->told.method != method)
        tell_by(&request->told, method);
    request->cb.aio_fildes = descriptor;
    request->cb.aio_offset = offset;
    request->cb.aio_buf = request->buffer;
    request->cb.aio_nbytes = length;
    request->cb.aio_sigevent = request->told.event;
}

static inline void prepare_text(struct request *request, int descriptor, off_t offset, const char *text, int method)
{
    prepare(request, descriptor, offset, strlen(text), method);
    strcpy(request->buffer, text);
}

static inline bool has_ended(void *request)
{
    return aio_error(&((struct request *)request)->cb) != EINPROGRESS;
}

static inline bool ends(struct request *request)
{
    return wait_until(has_ended, request, patience);
}

static inline void queue_read(struct request *request)
{
    check(aio_read(&request->cb) == 0, "aio_read: %s", strerror(errno));
}

static inline void queue_write(struct request *request)
{
    check(aio_write(&request->cb) == 0, "aio_write: %s", strerror(errno));
}

/* It ends well, with that many bytes. */
static inline void must_transfer(struct request *request, ssize_t length)
{
    check(ends(request), "the request does not end");
    const int error = aio_error(&request->cb);
    check(error == 0, "the request's status is: %s", strerror(error));
    const ssize_t result = aio_return(&request->cb);
    check(result == length, "aio_return: %zd, not %zd", result, length);
}

/* The call says so, or the status of the request does: POSIX leaves that open for this error. */
static inline void must_fail(struct request *request, int result, int error)
{
    if (result != 0) {
        check(errno == error, "the call says: %s", strerror(errno));
        return;
    }
    check(ends(request), "the request does not end");
    const int status = aio_error(&request->cb);
    check(status == error, "the request's status is: %s", strerror(status));
    check(aio_return(&request->cb) == -1, "aio_return is not -1");
}

/* A new file with that text, without a name. */
static inline int file_of(const char *text, int flags)
{
    char name[] = "/tmp/sigev-conformance-XXXXXX";
    const int first = mkstemp(name);
    need(first >= 0, "mkstemp: %s", strerror(errno));
    need(write(first, text, strlen(text)) == (ssize_t)strlen(text), "write: %s", strerror(errno));
    const int descriptor = open(name, flags | O_CLOEXEC);
    need(descriptor >= 0, "open: %s", strerror(errno));
    unlink(name);
    close(first);
    return descriptor;
}

struct channel {
    int read;
    int write;
};

static inline struct channel empty_pipe(void)
{
    int ends[2];
    need(pipe2(ends, O_CLOEXEC) == 0, "pipe2: %s", strerror(errno));
    return (struct channel){ends[0], ends[1]};
}

/* A pipe that takes no byte more. */
static inline struct channel full_pipe(void)
{
    static char bytes[4096];
    const struct channel channel = empty_pipe();
    const int flags = fcntl(channel.write, F_GETFL);
    need(fcntl(channel.write, F_SETFL, flags | O_NONBLOCK) == 0, "fcntl: %s", strerror(errno));
    while (write(channel.write, bytes, sizeof bytes) > 0)
        continue;
    need(fcntl(channel.write, F_SETFL, flags) == 0, "fcntl: %s", strerror(errno));
    return channel;
}

static inline void put(int descriptor, const char *text)
{
    need(write(descriptor, text, strlen(text)) == (ssize_t)strlen(text), "write: %s", strerror(errno));
}

/* It is in progress, and will be until somebody does something. */
static inline void must_wait(struct request *request)
{
    const int status = aio_error(&request->cb);
    check(status == EINPROGRESS, "the request does not wait: %s", strerror(status));
}

#endif

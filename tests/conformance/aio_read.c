/* aio_read() */
#include "requests.h"

#include <limits.h>
#include <sys/wait.h>

ASSERTION(aio_read, 1, "reads aio_nbytes from aio_offset on into aio_buf, as lseek and read would", "aio_read: DESCRIPTION")
{
    static struct request requests[3];
    const int file = file_of("0123456789abcdef", O_RDONLY);
    for (int i = 0; i != 3; ++i) {
        prepare(&requests[i], file, 4 * i, 5, SIGEV_NONE);
        queue_read(&requests[i]);
    }
    for (int i = 0; i != 3; ++i) {
        must_transfer(&requests[i], 5);
        check(memcmp(requests[i].buffer, "0123456789abcdef" + 4 * i, 5) == 0, "other bytes");
        check(requests[i].buffer[5] == '\0', "more bytes than asked for");
    }
}

ASSERTION(aio_read, 2, "returns 0 when the request is queued, and does not wait for it", "aio_read: DESCRIPTION, RETURN VALUE")
{
    static struct request request;
    const struct channel channel = empty_pipe();
    prepare(&request, channel.read, 0, 5, SIGEV_NONE);
    queue_read(&request);
    must_wait(&request);
    put(channel.write, "hello");
    must_transfer(&request, 5);
    check(memcmp(request.buffer, "hello", 5) == 0, "other bytes");
}

ASSERTION(aio_read, 3, "at the end of the file it reads what there is, and beyond it nothing", "aio_read: DESCRIPTION; read")
{
    static struct request request;
    const int file = file_of("0123456789", O_RDONLY);
    prepare(&request, file, 7, 10, SIGEV_NONE);
    queue_read(&request);
    must_transfer(&request, 3);
    prepare(&request, file, 100, 10, SIGEV_NONE);
    queue_read(&request);
    must_transfer(&request, 0);
}

ASSERTION(aio_read, 4, "when it has ended its owner is told, as aio_sigevent says; SI_ASYNCIO and the value with a signal",
          "aio_read: DESCRIPTION; <signal.h>")
{
    static struct request requests[3];
    for (int m = 0; m != 3; ++m) {
        const struct channel channel = empty_pipe();
        struct request *request = &requests[m];
        about(name_of_method(methods[m]));
        prepare(request, channel.read, 0, 5, methods[m]);
        queue_read(request);
        if (methods[m] != SIGEV_NONE)
            check(!heard(&request->told, 10 * ms), "told before it has ended");
        put(channel.write, "hello");
        if (methods[m] != SIGEV_NONE)
            check(heard(&request->told, patience), "nothing is told");
        check(methods[m] == SIGEV_NONE || has_ended(request), "told, and still in progress");
        must_transfer(request, 5);
        if (methods[m] == SIGEV_SIGNAL) {
            check(request->told.info.si_code == SI_ASYNCIO, "si_code is %d", request->told.info.si_code);
            check(request->told.info.si_value.sival_ptr == &request->told, "another value");
        }
        if (methods[m] != SIGEV_NONE)
            check(!heard(&request->told, 10 * ms), "told twice");
    }
}

ASSERTION(aio_read, 5, "aio_lio_opcode is not looked at", "aio_read: DESCRIPTION")
{
    static struct request request;
    const int file = file_of("0123456789", O_RDWR);
    prepare_text(&request, file, 2, "xxxxx", SIGEV_NONE);
    request.cb.aio_lio_opcode = LIO_WRITE;
    queue_read(&request);
    must_transfer(&request, 5);
    check(memcmp(request.buffer, "23456", 5) == 0, "other bytes");
}

ASSERTION(aio_read, 6, "EBADF for a descriptor that is none, or not open for reading", "aio_read: ERRORS (by the call, or later)")
{
    static struct request requests[2];
    const struct channel channel = empty_pipe();
    prepare(&requests[0], 1000, 0, 5, SIGEV_NONE);
    must_fail(&requests[0], aio_read(&requests[0].cb), EBADF);
    prepare(&requests[1], channel.write, 0, 5, SIGEV_NONE);
    must_fail(&requests[1], aio_read(&requests[1].cb), EBADF);
}

ASSERTION(aio_read, 7, "EINVAL for an offset that is none", "aio_read: ERRORS (by the call, or later)")
{
    static struct request request;
    prepare(&request, file_of("0123456789", O_RDONLY), -1, 5, SIGEV_NONE);
    must_fail(&request, aio_read(&request.cb), EINVAL);
}

ASSERTION(aio_read, 8, "EINVAL for an aio_reqprio that is none; 0 is one", "aio_read: ERRORS (by the call, or later)")
{
    static struct request request;
    const int file = file_of("0123456789", O_RDONLY);
    prepare(&request, file, 0, 5, SIGEV_NONE);
    request.cb.aio_reqprio = -1;
    must_fail(&request, aio_read(&request.cb), EINVAL);
    request.cb.aio_reqprio = INT_MAX;
    must_fail(&request, aio_read(&request.cb), EINVAL);
    request.cb.aio_reqprio = 0;
    queue_read(&request);
    must_transfer(&request, 5);
}

ASSERTION(aio_read, 9, "a request that waits does not hold up others on other files", "aio_read: DESCRIPTION")
{
    enum { count = 30 };
    static struct request waiting[count];
    static struct request request;
    struct channel channels[count];
    for (int i = 0; i != count; ++i) {
        channels[i] = empty_pipe();
        prepare(&waiting[i], channels[i].read, 0, 1, SIGEV_NONE);
        queue_read(&waiting[i]);
    }
    prepare(&request, file_of("0123456789", O_RDONLY), 0, 5, SIGEV_NONE);
    queue_read(&request);
    check(wait_until(has_ended, &request, 3 * second), "it waits for %d reads of pipes", (int)count);
    must_transfer(&request, 5);
    for (int i = 0; i != count; ++i) {
        must_wait(&waiting[i]);
        put(channels[i].write, "x");
    }
    for (int i = 0; i != count; ++i)
        must_transfer(&waiting[i], 1);
}

ASSERTION(aio_read, 10, "a forked child has none of its parent's requests; the parent's goes on, and tells the parent once",
          "fork: DESCRIPTION")
{
    static struct request request;
    const struct channel channel = empty_pipe();
    prepare(&request, channel.read, 0, 5, SIGEV_SIGNAL);
    queue_read(&request);
    const pid_t child = fork();
    need(child >= 0, "fork: %s", strerror(errno));
    if (child == 0)
        _exit(heard(&request.told, 100 * ms) ? 1 : 0);
    put(channel.write, "hello");
    check(heard(&request.told, patience), "nothing is told");
    must_transfer(&request, 5);
    check(status_of(child, patience) == 0, "the child is told of it, or does not end");
    check(!heard(&request.told, 10 * ms), "told twice");
}

ASSERTION(aio_read, 11, "offsets go beyond 2^31", "aio_read: DESCRIPTION; <aio.h>")
{
    static struct request request;
    const off_t far = (off_t)5 << 30;
    const int file = file_of("", O_RDWR);
    need(pwrite(file, "far", 3, far) == 3, "pwrite: %s", strerror(errno));
    prepare(&request, file, far, 3, SIGEV_NONE);
    queue_read(&request);
    must_transfer(&request, 3);
    check(memcmp(request.buffer, "far", 3) == 0, "other bytes");
}

ASSERTION(aio_read, 12, "a read of a directory fails with EISDIR", "aio_read: ERRORS; read: ERRORS")
{
    static struct request request;
    prepare(&request, open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0, 5, SIGEV_NONE);
    must_fail(&request, aio_read(&request.cb), EISDIR);
}

ASSERTION(aio_read, 13, "exec: the new image is told nothing of what was queued before", "exec: DESCRIPTION")
{
    static struct request request;
    if (!new_image()) {
        static char word[32];
        int ends[2];
        need(pipe(ends) == 0, "pipe: %s", strerror(errno)); /* which the new image has, too */
        prepare(&request, ends[0], 0, 5, SIGEV_SIGNAL);
        queue_read(&request);
        must_wait(&request);
        const int signo = request.told.event.sigev_signo;
        for (int i = 0, value = signo * 1000 + ends[1]; i != 6; ++i, value /= 10)
            word[5 - i] = (char)('0' + value % 10);
        execute_new_image(word);
    }
    const int value = atoi(new_image());
    tell_by(&request.told, SIGEV_SIGNAL);
    request.told.event.sigev_signo = value / 1000;
    put(value % 1000, "hello");
    check(!heard(&request.told, 100 * ms), "it is told");
}

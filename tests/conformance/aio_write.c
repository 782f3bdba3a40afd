/* aio_write() */
#include "requests.h"

#include <limits.h>
#include <sys/resource.h>

static void must_hold(int file, off_t offset, const char *text)
{
    char found[256] = "";
    const size_t length = strlen(text);
    need(pread(file, found, length, offset) == (ssize_t)length, "pread");
    check(memcmp(found, text, length) == 0, "the file has \"%.*s\", not \"%s\"", (int)length, found, text);
}

ASSERTION(aio_write, 1, "writes aio_nbytes from aio_buf at aio_offset, as lseek and write would", "aio_write: DESCRIPTION")
{
    static struct request requests[2];
    const int file = file_of("0123456789", O_RDWR);
    prepare_text(&requests[0], file, 2, "abc", SIGEV_NONE);
    prepare_text(&requests[1], file, 8, "wxyz", SIGEV_NONE);
    queue_write(&requests[0]);
    queue_write(&requests[1]);
    must_transfer(&requests[0], 3);
    must_transfer(&requests[1], 4);
    must_hold(file, 0, "01abc567wxyz");
}

/* Long and short ones by turns: out of order, a short one would be faster. */
ASSERTION(aio_write, 2, "with O_APPEND writes are appended in the order of the calls", "aio_write: DESCRIPTION")
{
    enum { count = 100, longest = 100000, rounds = 6 };
    static struct request requests[count];
    static char bytes[count][longest];
    static char found[longest];
    for (int i = 0; i != count; ++i)
        memset(bytes[i], 'A' + i % 26, sizeof bytes[i]);
    for (int round = 0; round != rounds; ++round) {
        const int file = file_of("", O_RDWR | O_APPEND);
        for (int i = 0; i != count; ++i) {
            prepare(&requests[i], file, 0, i % 2 ? 2 : longest, SIGEV_NONE);
            requests[i].cb.aio_buf = bytes[i];
            queue_write(&requests[i]);
        }
        for (int i = 0; i != count; ++i)
            must_transfer(&requests[i], i % 2 ? 2 : longest);
        for (int i = 0; i != count; ++i) {
            const ssize_t length = i % 2 ? 2 : longest;
            need(read(file, found, (size_t)length) == length, "read: %s", strerror(errno));
            check(memcmp(found, bytes[i], (size_t)length) == 0, "write %d is not behind the one that was queued before it", i);
        }
        close(file);
    }
}

ASSERTION(aio_write, 3, "returns 0 when the request is queued, and does not wait for it", "aio_write: DESCRIPTION, RETURN VALUE")
{
    static struct request request;
    static char bytes[4096];
    const struct channel channel = full_pipe();
    prepare_text(&request, channel.write, 0, "hello", SIGEV_NONE);
    queue_write(&request);
    must_wait(&request);
    need(read(channel.read, bytes, sizeof bytes) > 0, "read: %s", strerror(errno));
    must_transfer(&request, 5);
}

ASSERTION(aio_write, 4, "EBADF for a descriptor that is none, or not open for writing", "aio_write: ERRORS (by the call, or later)")
{
    static struct request requests[2];
    prepare_text(&requests[0], 1000, 0, "hello", SIGEV_NONE);
    must_fail(&requests[0], aio_write(&requests[0].cb), EBADF);
    prepare_text(&requests[1], file_of("01234", O_RDONLY), 0, "hello", SIGEV_NONE);
    must_fail(&requests[1], aio_write(&requests[1].cb), EBADF);
}

ASSERTION(aio_write, 5, "EINVAL for an offset or an aio_reqprio that is none", "aio_write: ERRORS (by the call, or later)")
{
    static struct request requests[2];
    const int file = file_of("01234", O_RDWR);
    prepare_text(&requests[0], file, -1, "hello", SIGEV_NONE);
    must_fail(&requests[0], aio_write(&requests[0].cb), EINVAL);
    prepare_text(&requests[1], file, 0, "hello", SIGEV_NONE);
    requests[1].cb.aio_reqprio = -1;
    must_fail(&requests[1], aio_write(&requests[1].cb), EINVAL);
    must_hold(file, 0, "01234");
}

ASSERTION(aio_write, 6, "when it has ended its owner is told, as aio_sigevent says", "aio_write: DESCRIPTION")
{
    static struct request requests[3];
    static char bytes[4096];
    for (int m = 0; m != 3; ++m) {
        const struct channel channel = full_pipe();
        about(name_of_method(methods[m]));
        prepare_text(&requests[m], channel.write, 0, "hello", methods[m]);
        queue_write(&requests[m]);
        if (methods[m] != SIGEV_NONE)
            check(!heard(&requests[m].told, 10 * ms), "told before it has ended");
        need(read(channel.read, bytes, sizeof bytes) > 0, "read: %s", strerror(errno));
        if (methods[m] != SIGEV_NONE)
            check(heard(&requests[m].told, patience), "nothing is told");
        must_transfer(&requests[m], 5);
    }
}

ASSERTION(aio_write, 7, "aio_lio_opcode is not looked at", "aio_write: DESCRIPTION")
{
    static struct request request;
    const int file = file_of("01234", O_RDWR);
    prepare_text(&request, file, 0, "abc", SIGEV_NONE);
    request.cb.aio_lio_opcode = LIO_READ;
    queue_write(&request);
    must_transfer(&request, 3);
    must_hold(file, 0, "abc34");
}

ASSERTION(aio_write, 8, "EFBIG for what lies beyond the limit of a file's size", "aio_write: ERRORS (by the call, or later)")
{
    static struct request request;
    const struct rlimit limit = {4096, 4096};
    const int file = file_of("", O_RDWR);
    signal(SIGXFSZ, SIG_IGN);
    need(setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit: %s", strerror(errno));
    prepare_text(&request, file, 4096, "hello", SIGEV_NONE);
    must_fail(&request, aio_write(&request.cb), EFBIG);
}

ASSERTION(aio_write, 9, "what the write itself fails with is the request's status: EPIPE", "aio_write: ERRORS; write: ERRORS")
{
    static struct request request;
    const struct channel channel = empty_pipe();
    signal(SIGPIPE, SIG_IGN);
    close(channel.read);
    prepare_text(&request, channel.write, 0, "hello", SIGEV_NONE);
    must_fail(&request, aio_write(&request.cb), EPIPE);
}

ASSERTION(aio_write, 10, "offsets go beyond 2^31", "aio_write: DESCRIPTION; <aio.h>")
{
    static struct request request;
    const off_t far = (off_t)5 << 30;
    const int file = file_of("", O_RDWR);
    prepare_text(&request, file, far, "far", SIGEV_NONE);
    queue_write(&request);
    must_transfer(&request, 3);
    must_hold(file, far, "far");
}

/* The AIO part of sigev.h from C99, over the host's own <aio.h>: writes, syncs and reads back.
 * Exit status 0: as it should. */
#define _POSIX_C_SOURCE 200809L

#include <sigev.h>

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ssize_t result_of(struct aiocb *request)
{
    while (sigev_aio_error(request) == EINPROGRESS)
        sched_yield();
    return sigev_aio_return(request);
}

int main(void)
{
    char name[] = "/tmp/sigev-aio-XXXXXX";
    char text[] = "written";
    char back[sizeof text] = "";
    struct aiocb request;
    struct sigev_ledger total;
    int file = mkstemp(name);
    if (file < 0 || unlink(name) != 0)
        return 1;

    memset(&request, 0, sizeof request);
    request.aio_fildes = file;
    request.aio_buf = text;
    request.aio_nbytes = sizeof text;
    request.aio_sigevent.sigev_notify = SIGEV_NONE;
    if (sigev_aio_write(&request) != 0 || result_of(&request) != (ssize_t)sizeof text)
        return 2;
    if (sigev_aio_fsync(O_SYNC, &request) != 0 || result_of(&request) != 0)
        return 3;
    request.aio_buf = back;
    if (sigev_aio_submit_on(0, LIO_READ, &request) != 0 || result_of(&request) != (ssize_t)sizeof text)
        return 4;
    if (strcmp(back, text) != 0)
        return 5;
    if (sigev_aio_return(&request) != -1 || errno != EINVAL)
        return 6;
    if (close(file) != 0 || sigev_shutdown() != 0)
        return 7;
    if (sigev_ledger_total(SIGEV_SOURCE_AIO, -1, &total) != 0 ||
        total.raised != total.delivered + total.merged + total.pending + total.discarded)
        return 8;
    return 0;
}

/* sigev/posix.h - the names of POSIX, served by libsigev: for programs that are compiled anew.
 *
 * Included after or instead of <time.h>, <signal.h> and <aio.h>, it makes timer_create(), aio_read() and the others of their
 * families name the functions of sigev.h, for what stands below it in this source file. Link with libsigev. All that
 * exchange timers or requests have to be compiled so: a timer_t of libc's is EINVAL here, as any foreign handle, and so is an
 * aiocb that libc was given. (For programs that cannot be compiled anew there is libsigev-posix.so: sigev-posix(7).)
 *
 * The names are macros without parameters, so that &timer_settime and (timer_settime)(...) mean ours as well; a member of a
 * program's own that bears one of them is renamed alike, which harms nothing where all who name it include this.
 */
#ifndef SIGEV_POSIX_H
#define SIGEV_POSIX_H

#include <aio.h>
#include <signal.h>
#include <time.h>

#include <sigev.h>

#define timer_create sigev_timer_create
#define timer_delete sigev_timer_delete
#define timer_getoverrun sigev_timer_getoverrun
#define timer_gettime sigev_timer_gettime
#define timer_settime sigev_timer_settime

#define aio_cancel sigev_aio_cancel
#define aio_error sigev_aio_error
#define aio_fsync sigev_aio_fsync
#define aio_read sigev_aio_read
#define aio_return sigev_aio_return
#define aio_suspend sigev_aio_suspend
#define aio_write sigev_aio_write
#define lio_listio sigev_lio_listio

#if defined(__USE_GNU) && defined(__GLIBC__)
/* Of glibc's struct the number of threads and their idle time mean something here; the function has no way to fail. */
static __inline__ void sigev_posix_aio_init(const struct aioinit *init)
{
    struct sigev_aio_options options = {sizeof(struct sigev_aio_options), 0, 0, 0, 0};
    if (init->aio_threads > 0)
        options.threads = (uint32_t)init->aio_threads;
    if (init->aio_idle_time > 0)
        options.idle_milliseconds = (uint32_t)init->aio_idle_time * 1000;
    (void)sigev_aio_init(&options);
}
#    define aio_init sigev_posix_aio_init
#endif

/* With 64-bit offsets, as all 64-bit hosts have them, these are the same functions on the same structure. */
#define aio_cancel64 sigev_aio_cancel
#define aio_error64 sigev_aio_error
#define aio_fsync64 sigev_aio_fsync
#define aio_read64 sigev_aio_read
#define aio_return64 sigev_aio_return
#define aio_suspend64 sigev_aio_suspend
#define aio_write64 sigev_aio_write
#define lio_listio64 sigev_lio_listio

#endif

/* Asks for every name that the drop-in replaces, in the way that the macros say: with plain or 64-bit offsets, and with the
 * oldest versions that libc has of it where OLDEST is defined. Nothing of it is called: tests/preload/bindings.cmake reads
 * what the dynamic linker says of the bindings. */
#include <aio.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#if defined(OLDEST)
#    if defined(__x86_64__)
#        define TIMER(name) __asm__(".symver " #name "," #name "@GLIBC_2.3.3")
#        define AIO(name) __asm__(".symver " #name "," #name "@GLIBC_2.2.5")
#    else
#        define TIMER(name) __asm__(".symver " #name "," #name "@GLIBC_2.17")
#        define AIO TIMER
#    endif
TIMER(timer_create);
TIMER(timer_delete);
TIMER(timer_getoverrun);
TIMER(timer_gettime);
TIMER(timer_settime);
AIO(aio_cancel);
AIO(aio_error);
AIO(aio_fsync);
AIO(aio_init);
AIO(aio_read);
AIO(aio_return);
AIO(aio_suspend);
AIO(aio_write);
AIO(lio_listio);
AIO(aio_cancel64);
AIO(aio_error64);
AIO(aio_fsync64);
AIO(aio_read64);
AIO(aio_return64);
AIO(aio_suspend64);
AIO(aio_write64);
AIO(lio_listio64);
#endif

typedef void (*function)(void);

/* As a plug-in it is only loaded, and bound. */
extern const function wanted[];
const function wanted[] = {
    (function)timer_create,  (function)timer_delete,   (function)timer_getoverrun, (function)timer_gettime,
    (function)timer_settime, (function)aio_cancel,     (function)aio_error,        (function)aio_fsync,
    (function)aio_init,      (function)aio_read,       (function)aio_return,       (function)aio_suspend,
    (function)aio_write,     (function)lio_listio,
#if defined(BOTH)
    (function)aio_cancel64,  (function)aio_error64,    (function)aio_fsync64,      (function)aio_read64,
    (function)aio_return64,  (function)aio_suspend64,  (function)aio_write64,      (function)lio_listio64,
#endif
};

#if !defined(PLUGIN)
int main(void)
{
    return printf("%zu names\n", sizeof wanted / sizeof *wanted) < 0;
}
#endif

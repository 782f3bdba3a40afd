/* The column of libsigev.so: POSIX's names, and the functions of sigev.h. */
#include <aio.h>
#include <signal.h>
#include <time.h>

#include <sigev.h>

#define timer_create sigev_timer_create
#define timer_settime sigev_timer_settime
#define timer_gettime sigev_timer_gettime
#define timer_getoverrun sigev_timer_getoverrun
#define timer_delete sigev_timer_delete

#define aio_read sigev_aio_read
#define aio_write sigev_aio_write
#define aio_fsync sigev_aio_fsync
#define aio_error sigev_aio_error
#define aio_return sigev_aio_return
#define aio_suspend sigev_aio_suspend
#define aio_cancel sigev_aio_cancel
#define lio_listio sigev_lio_listio

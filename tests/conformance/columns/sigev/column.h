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

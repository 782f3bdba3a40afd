/* The column of the host's C library: the names are what they are. */
#include <aio.h>
#include <signal.h>
#include <time.h>

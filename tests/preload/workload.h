/* What an existing program does with timers and asynchronous I/O: all of it, checked, in the way that is common. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

/* Each returns 0, or the errno of the call that failed; ends the process with status 1 when something is wrong that no errno
 * excuses. */
int use_timers(void);
int use_aio(void);

#endif

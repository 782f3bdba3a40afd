/* The event count of requests that end: what aio_suspend() sleeps on. C, because the wait is a C file (sources/aio_ended.c):
 * it is a cancellation point, and a frame of C++ above it that catches or is noexcept would end the process.
 *
 *   bit 0    somebody sleeps, or is about to
 *   the rest how many times requests have ended
 *
 * Who waits: sets bit 0, keeps what the word then is, looks at the requests, sleeps as long as the word is what it was. Who
 * ends requests: status first, then adds 2; found bit 0: clears it, then wakes all. Who has set the bit after the addition
 * finds the status; who before, is woken or does not sleep. While those who were woken are on their way the bit is clear, so
 * the requests that end meanwhile cost no system call.
 *
 * Nothing has to be handed back: who leaves in the middle (siglongjmp, cancellation, exit, a forked child) leaves a bit, and
 * that costs one wake of nobody. */
#ifndef SIGEV_SOURCES_AIO_ENDED_H
#define SIGEV_SOURCES_AIO_ENDED_H

#include <stdint.h>
#include <time.h>

#if defined(__cplusplus)
extern "C" {
#endif

/* Returns what to wait for. Async-signal-safe, as all of these. */
uint32_t sigev_aio_ended_look(void);

/* Until the count is not `seen`: 0, or at *deadline (CLOCK_MONOTONIC; NULL: for ever) ETIMEDOUT, or EINTR. A cancellation
 * point. */
int sigev_aio_ended_wait(uint32_t seen, const struct timespec *deadline);

/* After the status of one or more requests has become final. */
void sigev_aio_ended_tell(void);

#if defined(__cplusplus)
}
#endif

#endif

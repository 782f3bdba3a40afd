/* The trampoline of the threads that run callbacks. It is C, so that no frame above a callback catches or forbids an
 * exception: pthread_exit() and cancellation unwind through to the start of the thread, as they would in a thread that the
 * program made itself, and an exception that nobody catches ends in the program's own terminate handler. */
#ifndef SIGEV_CORE_WORKER_MAIN_H
#define SIGEV_CORE_WORKER_MAIN_H

#include <sigev.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A reading of the processor's counter, as sigev::sys::ticks. */
struct sigev_worker_ticks {
    uint64_t count;
    uint32_t processor;
};

/* What to call: one of the two. And when that was, where there is a counter. */
struct sigev_worker_call {
    void (*function)(union sigval value);
    int (*deliver)(void *context, void *target, const struct sigev_notification *notification);
    void *context;
    void *target;
    const struct sigev_notification *notification;
    int has_counter;
    struct sigev_worker_ticks called;
    struct sigev_worker_ticks returned;
};

/* Start routine; `worker` is the runtime's. */
void *sigev_worker_main(void *worker);

/* The runtime's side. next: waits for a call, leading the reactor meanwhile if that is this thread's turn; 0: leave. done:
 * `call` has returned, and its answer stands. gone: the thread ends (pthread_exit, cancellation), in a call or right after. */
int sigev_worker_next(void *worker, struct sigev_worker_call *call);
void sigev_worker_done(void *worker, int verdict, const struct sigev_worker_call *call);
void sigev_worker_gone(void *worker);

#ifdef __cplusplus
}
#endif

#endif

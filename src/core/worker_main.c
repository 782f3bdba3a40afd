#include "core/worker_main.h"

#include <pthread.h>
#include <stddef.h>

#if defined(__x86_64__)
#    include <x86intrin.h>
#endif

/* Right before and right behind the function, so that what lies between is its own. */
static inline void read_counter(struct sigev_worker_call *call, struct sigev_worker_ticks *out)
{
#if defined(__x86_64__)
    if (call->has_counter)
        out->count = __rdtscp(&out->processor);
#else
    (void)call;
    (void)out;
#endif
}

void *sigev_worker_main(void *worker)
{
    struct sigev_worker_call call;

    pthread_cleanup_push(sigev_worker_gone, worker);
    while (sigev_worker_next(worker, &call)) {
        int verdict = SIGEV_DELIVERED;
        read_counter(&call, &call.called);
        if (call.function)
            call.function(call.notification->value);
        else
            verdict = call.deliver(call.context, call.target, call.notification);
        read_counter(&call, &call.returned);
        /* None can hit below frames that may not be unwound, of whichever type the callback has left it. */
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
        sigev_worker_done(worker, verdict, &call);
        /* A cancellation that came too late for the callback is acted upon here, where it belongs to this callback, whose
         * answer stands, and not to the next one. */
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
        pthread_testcancel();
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    }
    pthread_cleanup_pop(0);
    return NULL;
}

#include "core/worker_main.h"

#include <pthread.h>
#include <stddef.h>

void *sigev_worker_main(void *worker)
{
    struct sigev_worker_call call;

    pthread_cleanup_push(sigev_worker_gone, worker);
    while (sigev_worker_next(worker, &call)) {
        int verdict = SIGEV_DELIVERED;
        if (call.function)
            call.function(call.notification->value);
        else
            verdict = call.deliver(call.context, call.target, call.notification);
        /* A cancellation that came too late for the callback is acted upon here, where it belongs to this callback, and
         * not to the next one. */
        pthread_testcancel();
        sigev_worker_done(worker, verdict);
    }
    pthread_cleanup_pop(0);
    return NULL;
}

/* A program that uses libsigev.so by its own names, and libc's beside it: two libraries that do not know of each other. */
#include "../workload.h"

#include <sigev.h>

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>

static sem_t called;

static void call(union sigval unused)
{
    (void)unused;
    sem_post(&called);
}

int main(void)
{
    const struct itimerspec thrice = {{0, 1000000}, {0, 1000000}};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = call};
    struct timespec end;
    timer_t timer;
    sem_init(&called, 0, 0);
    if (sigev_timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || sigev_timer_settime(timer, 0, &thrice, NULL) != 0)
        return 3;
    for (int i = 0; i != 3; ++i) {
        const int timers = use_timers(), aio = use_aio();
        if (timers || aio)
            return printf("timers: %d, requests: %d\n", timers, aio), 3;
        clock_gettime(CLOCK_REALTIME, &end);
        end.tv_sec += 30;
        while (sem_timedwait(&called, &end) != 0)
            if (errno != EINTR)
                return fprintf(stderr, "wrong: the library's own timer does not call\n"), 1;
    }
    return sigev_timer_delete_wait(timer) || sigev_shutdown();
}

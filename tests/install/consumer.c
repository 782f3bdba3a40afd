/* A C program of somebody's: a timer that calls a function, on the library that it finds where it is told to look. */
#define _GNU_SOURCE
#include <semaphore.h>
#include <sigev.h>
#include <stdio.h>

static void on_tick(union sigval value)
{
    sem_post(value.sival_ptr);
}

int main(void)
{
    sem_t ticks;
    timer_t timer;
    const struct itimerspec each_ms = {.it_value.tv_nsec = 1000000, .it_interval.tv_nsec = 1000000};
    struct sigevent call = {
        .sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_tick, .sigev_value.sival_ptr = &ticks};

    if (sem_init(&ticks, 0, 0) || sigev_timer_create(CLOCK_MONOTONIC, &call, &timer) ||
        sigev_timer_settime(timer, 0, &each_ms, NULL))
        return perror("sigev"), 1;
    for (int i = 0; i < 3; ++i)
        if (sem_wait(&ticks))
            return 1;
    if (sigev_timer_delete_wait(timer) || sigev_shutdown())
        return 1;
    puts("three ticks");
    return 0;
}

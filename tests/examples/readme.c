/* A timer calls a function, a file read sends a signal: any source, any method. */
#define _GNU_SOURCE
#include <aio.h>
#include <fcntl.h>
#include <semaphore.h>
#include <sigev.h>
#include <stdio.h>

static void on_tick(union sigval value) { sem_post(value.sival_ptr); }

int main(int argc, char **argv)
{
    char text[512];
    sem_t ticks;
    sigset_t told;
    timer_t timer;
    struct sigevent call = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_tick, .sigev_value.sival_ptr = &ticks};
    struct itimerspec each_ms = {.it_value.tv_nsec = 1000000, .it_interval.tv_nsec = 1000000};
    struct aiocb file = {.aio_fildes = open(argv[argc - 1], O_RDONLY), .aio_buf = text, .aio_nbytes = sizeof text,
                         .aio_sigevent = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN}};
    sigemptyset(&told);
    sigaddset(&told, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &told, NULL);
    if (sem_init(&ticks, 0, 0) || sigev_timer_create(CLOCK_MONOTONIC, &call, &timer) ||
        sigev_timer_settime(timer, 0, &each_ms, NULL) || sigev_aio_read(&file)) {
        perror("sigev");
        return 1;
    }
    for (int i = 1; i <= 3; ++i) {
        sem_wait(&ticks);
        printf("tick %d\n", i);
    }
    sigwaitinfo(&told, NULL);
    ssize_t n = sigev_aio_return(&file);
    if (n < 0)
        perror(argv[argc - 1]);
    else
        printf("read %zd bytes\n", n);
    return n < 0 || sigev_timer_delete_wait(timer) || sigev_shutdown();
}

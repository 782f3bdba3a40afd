/* Two threads that use the processor for a while, each by its own clock. */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

static void *use_the_processor(void *unused)
{
    struct timespec used;
    do {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    } while (used.tv_sec == 0 && used.tv_nsec < 300000000);
    return unused;
}

int main(void)
{
    pthread_t other;
    if (pthread_create(&other, NULL, use_the_processor, NULL) != 0)
        return 1;
    use_the_processor(NULL);
    return pthread_join(other, NULL) || puts("done") < 0;
}

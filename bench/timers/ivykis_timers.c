#include "timers/ivykis_timers.h"

#include <iv.h>

#include <stdlib.h>

struct ivykis_timers {
    size_t n;
    struct iv_timer all[];
};

static void (*on_expiry)(void);

static void expired(void *nothing)
{
    (void)nothing;
    on_expiry();
}

struct ivykis_timers *ivykis_timers_open(size_t n, void (*handler)(void))
{
    struct ivykis_timers *timers = calloc(1, sizeof *timers + n * sizeof timers->all[0]);
    if (!timers)
        return NULL;
    if (!iv_inited())
        iv_init();
    on_expiry = handler;
    timers->n = n;
    for (size_t i = 0; i != n; ++i) {
        IV_TIMER_INIT(&timers->all[i]);
        timers->all[i].handler = expired;
    }
    return timers;
}

void ivykis_timers_close(struct ivykis_timers *timers)
{
    for (size_t i = 0; i != timers->n; ++i)
        if (iv_timer_registered(&timers->all[i]))
            iv_timer_unregister(&timers->all[i]);
    free(timers);
}

void ivykis_timers_begin(void) { iv_invalidate_now(); }

void ivykis_timers_arm(struct ivykis_timers *timers, size_t i, uint64_t ns)
{
    struct iv_timer *t = &timers->all[i];
    if (iv_timer_registered(t))
        iv_timer_unregister(t);
    iv_validate_now(); /* reads the clock only when it was invalidated, as in a loop's turn */
    t->expires = iv_now;
    t->expires.tv_sec += (time_t)(ns / 1000000000u);
    t->expires.tv_nsec += (long)(ns % 1000000000u);
    if (t->expires.tv_nsec >= 1000000000) {
        t->expires.tv_nsec -= 1000000000;
        t->expires.tv_sec += 1;
    }
    iv_timer_register(t);
}

uint64_t ivykis_timers_left(struct ivykis_timers *timers, size_t i)
{
    const struct iv_timer *t = &timers->all[i];
    iv_invalidate_now();
    iv_validate_now();
    if (!iv_timer_registered(t))
        return 0;
    return (uint64_t)((t->expires.tv_sec - iv_now.tv_sec) * 1000000000 + (t->expires.tv_nsec - iv_now.tv_nsec));
}

void ivykis_timers_run(void) { iv_main(); }
void ivykis_timers_stop(void) { iv_quit(); }

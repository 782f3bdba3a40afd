/* A timer and how its owner is told of it. */
#ifndef SIGEV_TESTS_TIMERS_H
#define SIGEV_TESTS_TIMERS_H

#include "column.h"
#include "told.h"

#include <errno.h>
#include <string.h>

struct timer {
    timer_t id;
    clockid_t clock;
    int error; /* of timer_create() */
    struct told told;
};

static const int methods[3] = {SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD};

/* False only where it is EAGAIN: the signal queue is the user's, and another process may have filled it for a moment. */
static inline bool is_created(void *timer)
{
    struct timer *self = timer;
    self->error = timer_create(self->clock, &self->told.event, &self->id) == 0 ? 0 : errno;
    return self->error != EAGAIN;
}

/* Creates it. A clock that timers may lack (ENOTSUP) is an optional part. */
static inline void make(struct timer *timer, clockid_t clock, int method)
{
    if (!timer->told.event.sigev_value.sival_ptr || timer->told.method != method) /* again: on the same signal */
        tell_by(&timer->told, method);
    timer->clock = clock;
    wait_until(is_created, timer, 3 * second);
    if (timer->error == ENOTSUP)
        unsupported("timer_create: no timers on clock %d", (int)clock);
    check(timer->error == 0, "timer_create: %s", strerror(timer->error));
}

static inline struct itimerspec spec_of(nanoseconds value, nanoseconds interval)
{
    return (struct itimerspec){.it_value = timespec_of(value), .it_interval = timespec_of(interval)};
}

static inline void set(struct timer *timer, int flags, nanoseconds value, nanoseconds interval)
{
    const struct itimerspec spec = spec_of(value, interval);
    check(timer_settime(timer->id, flags, &spec, NULL) == 0, "timer_settime: %s", strerror(errno));
}

static inline nanoseconds left_of(struct timer *timer)
{
    struct itimerspec spec;
    memset(&spec, 0x5a, sizeof spec);
    check(timer_gettime(timer->id, &spec) == 0, "timer_gettime: %s", strerror(errno));
    check(spec.it_value.tv_nsec >= 0 && spec.it_value.tv_nsec < second, "timer_gettime: it_value.tv_nsec is %ld",
          spec.it_value.tv_nsec);
    return nanoseconds_of(spec.it_value);
}

static inline bool has_run_down(void *timer)
{
    return left_of(timer) == 0;
}

/* Whether it expires within so much time, once; for SIGEV_NONE: whether nothing is left of it then. */
static inline bool expires(struct timer *timer, nanoseconds within)
{
    return timer->told.method == SIGEV_NONE ? wait_until(has_run_down, timer, within) : heard(&timer->told, within);
}

static inline void drop(struct timer *timer)
{
    check(timer_delete(timer->id) == 0, "timer_delete: %s", strerror(errno));
}

/* Until another timer of the same clock has expired, which is set to do so after so much time. */
static inline void let_pass(clockid_t clock, nanoseconds time)
{
    static struct timer other;
    make(&other, clock, SIGEV_SIGNAL);
    set(&other, 0, time, 0);
    check(heard(&other.told, time + patience), "a timer of %lld ns never expires", time);
    drop(&other);
}

/* For what is to be done before a timer expires: whether that time has come already. These timers are disarmed or deleted; what
 * they have told of is heard, so that it can be tried again, with more time. */
static inline bool was_too_slow(struct timer *timers, int count, nanoseconds time)
{
    if (now(CLOCK_MONOTONIC) < time)
        return false;
    let_pass(CLOCK_MONOTONIC, 20 * ms); /* for calls that are on their way */
    for (int i = 0; i != count; ++i)
        while (timers[i].told.method != SIGEV_NONE && heard(&timers[i].told, 0))
            continue;
    return true;
}

#endif

/* timer_delete() */
#include "timers.h"

ASSERTION(timer_delete, 1, "returns 0, and the id is that of no timer any more", "timer_delete: DESCRIPTION, RETURN VALUE")
{
    static struct timer timers[2];
    for (int m = 0; m != 2; ++m) { /* SIGEV_THREAD: timer_delete.6 */
        struct itimerspec spec = spec_of(second, 0);
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_MONOTONIC, methods[m]);
        drop(&timers[m]);
        check(timer_gettime(timers[m].id, &spec) == -1 && errno == EINVAL, "timer_gettime knows it");
        check(timer_settime(timers[m].id, 0, &spec, NULL) == -1 && errno == EINVAL, "timer_settime knows it");
        check(timer_getoverrun(timers[m].id) == -1 && errno == EINVAL, "timer_getoverrun knows it");
    }
}

ASSERTION(timer_delete, 2, "an armed timer is disarmed: it tells nobody any more", "timer_delete: DESCRIPTION")
{
    static struct timer timers[3];
    nanoseconds start, time = 10 * ms;
    do {
        time *= 2;
        for (int m = 0; m != 3; ++m)
            make(&timers[m], CLOCK_MONOTONIC, methods[m]);
        start = now(CLOCK_MONOTONIC);
        for (int m = 0; m != 3; ++m)
            set(&timers[m], 0, time, 20 * ms);
        for (int m = 0; m != 3; ++m)
            drop(&timers[m]);
    } while (was_too_slow(timers, 3, start + time));
    let_pass(CLOCK_MONOTONIC, 3 * time);
    for (int m = 1; m != 3; ++m) {
        about(name_of_method(methods[m]));
        check(!heard(&timers[m].told, 0), "it tells");
    }
}

ASSERTION(timer_delete, 3, "EINVAL for an id that is none", "timer_delete: ERRORS (may fail)")
{
    static struct timer timer;
    make(&timer, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    /* One that the implementation has never given out; glibc takes what has the highest bit set for an address. */
    check(timer_delete((timer_t)((unsigned long)timer.id ^ 0x12345670UL)) == -1, "it is deleted");
    check(errno == EINVAL, "timer_delete: %s", strerror(errno));
}

ASSERTION(timer_delete, 4, "EINVAL for a timer that is deleted already", "timer_delete: ERRORS (may fail)")
{
    static struct timer timers[2];
    for (int m = 0; m != 2; ++m) {
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_MONOTONIC, methods[m]);
        drop(&timers[m]);
        check(timer_delete(timers[m].id) == -1, "it is deleted twice");
        check(errno == EINVAL, "timer_delete: %s", strerror(errno));
    }
}

static struct timer itself;
static int answer = -1;

static void delete_itself(struct told *told)
{
    (void)told;
    answer = timer_delete(itself.id);
}

ASSERTION(timer_delete, 5, "SIGEV_THREAD: the function may delete its own timer", "timer_delete: DESCRIPTION")
{
    make(&itself, CLOCK_MONOTONIC, SIGEV_THREAD);
    itself.told.inside = delete_itself;
    set(&itself, 0, 2 * ms, 0);
    check(heard(&itself.told, patience), "no call, or no end of it");
    check(answer == 0, "it is not deleted");
    static struct timer next;
    make(&next, CLOCK_MONOTONIC, SIGEV_THREAD);
    set(&next, 0, 2 * ms, 0);
    check(heard(&next.told, patience), "a timer after it is not heard");
}

ASSERTION(timer_delete, 6, "SIGEV_THREAD: the id of a deleted timer is EINVAL, also after others were created",
          "timer_delete: DESCRIPTION, ERRORS (may fail)")
{
    static struct timer timer;
    static struct timer next;
    struct itimerspec spec;
    make(&timer, CLOCK_MONOTONIC, SIGEV_THREAD);
    drop(&timer);
    make(&next, CLOCK_MONOTONIC, SIGEV_THREAD);
    check(next.id != timer.id, "the next timer has the same id");
    check(timer_gettime(timer.id, &spec) == -1 && errno == EINVAL, "timer_gettime knows it");
    check(timer_delete(timer.id) == -1 && errno == EINVAL, "it is deleted twice");
    set(&next, 0, ms, 0);
    check(heard(&next.told, patience), "the next timer is not heard");
}

ASSERTION(timer_delete, 7, "what becomes of a signal that is pending is not said, and nothing else comes of it",
          "timer_delete: DESCRIPTION (unspecified)")
{
    static struct timer timer;
    static struct timer next;
    make(&timer, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    set(&timer, 0, ms, ms);
    let_pass(CLOCK_MONOTONIC, 10 * ms);
    drop(&timer);
    make(&next, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    set(&next, 0, ms, 0);
    check(heard(&next.told, patience), "another timer is not heard");
    heard(&timer.told, 0); /* kept or dropped */
    check(!heard(&timer.told, 20 * ms), "a second signal of the deleted timer");
}

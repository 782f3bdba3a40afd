/* timer_getoverrun() */
#include "timers.h"

#include <limits.h>
#include <unistd.h>

static int overrun_of(struct timer *timer)
{
    const int overrun = timer_getoverrun(timer->id);
    check(overrun >= 0, "timer_getoverrun: %s", strerror(errno));
    return overrun;
}

/* How many periods have ended by then, of a timer that began at `start`. */
static nanoseconds periods(nanoseconds start, nanoseconds interval, nanoseconds then)
{
    return (then - start) / interval;
}

ASSERTION(timer_getoverrun, 1, "only one signal of a timer is queued at a time", "timer_getoverrun: DESCRIPTION")
{
    static struct timer timer;
    make(&timer, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    set(&timer, TIMER_ABSTIME, now(CLOCK_MONOTONIC) + ms, 2 * ms);
    let_pass(CLOCK_MONOTONIC, 30 * ms);
    const nanoseconds start = now(CLOCK_MONOTONIC);
    check(heard(&timer.told, patience), "no signal");
    if (heard(&timer.told, 0)) /* then the next period has ended meanwhile */
        check(!heard(&timer.told, 0) || now(CLOCK_MONOTONIC) - start >= 2 * ms, "more than one were queued");
}

ASSERTION(timer_getoverrun, 2,
          "the count is that of the expirations between the queueing of the signal and its delivery, that one included",
          "timer_getoverrun: DESCRIPTION")
{
    static struct timer timer;
    const nanoseconds interval = 5 * ms;
    make(&timer, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    const nanoseconds start = now(CLOCK_MONOTONIC) + ms;
    set(&timer, TIMER_ABSTIME, start, interval);
    let_pass(CLOCK_MONOTONIC, 43 * ms);
    const nanoseconds earliest = periods(start, interval, now(CLOCK_MONOTONIC));
    check(heard(&timer.told, patience), "no signal");
    const nanoseconds latest = periods(start, interval, now(CLOCK_MONOTONIC));
    const int overrun = overrun_of(&timer);
    check(overrun >= earliest && overrun <= latest, "%d, not %lld to %lld", overrun, earliest, latest);
}

ASSERTION(timer_getoverrun, 3, "the count stays that of the last delivery until there is another one",
          "timer_getoverrun: DESCRIPTION")
{
    static struct timer timer;
    const nanoseconds interval = 5 * ms;
    make(&timer, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    const nanoseconds start = now(CLOCK_MONOTONIC) + ms;
    set(&timer, TIMER_ABSTIME, start, interval);
    let_pass(CLOCK_MONOTONIC, 33 * ms);
    check(heard(&timer.told, patience), "no signal");
    const int first = overrun_of(&timer);
    let_pass(CLOCK_MONOTONIC, 23 * ms);
    check(overrun_of(&timer) == first, "%d, and %d later, without a delivery between", first, overrun_of(&timer));
    const nanoseconds earliest = periods(start, interval, now(CLOCK_MONOTONIC));
    check(heard(&timer.told, patience), "no second signal");
    const nanoseconds latest = periods(start, interval, now(CLOCK_MONOTONIC));
    const int both = first + 1 + overrun_of(&timer);
    check(both >= earliest && both <= latest, "both signals stand for %d, not %lld to %lld", both + 1, earliest + 1, latest + 1);
}

ASSERTION(timer_getoverrun, 4, "the count goes no further than DELAYTIMER_MAX", "timer_getoverrun: DESCRIPTION")
{
    static struct timer timer;
    const long most = sysconf(_SC_DELAYTIMER_MAX);
    need(most > 0 && most <= INT_MAX, "DELAYTIMER_MAX is %ld", most);
    make(&timer, CLOCK_REALTIME, SIGEV_SIGNAL);
    set(&timer, TIMER_ABSTIME, 1, 1); /* each nanosecond since 1970 */
    check(heard(&timer.told, patience), "no signal");
    const int overrun = overrun_of(&timer);
    set(&timer, 0, 0, 0);
    check(overrun == most, "%d, not %ld", overrun, most);
}

ASSERTION(timer_getoverrun, 5, "the count of a delivery that stands for one expiration is 0", "timer_getoverrun: DESCRIPTION")
{
    static struct timer timers[3];
    for (int m = 1; m != 3; ++m) {
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_MONOTONIC, methods[m]);
        set(&timers[m], TIMER_ABSTIME, now(CLOCK_MONOTONIC) - 10 * second + ms, second);
        check(expires(&timers[m], patience), "it does not expire");
        set(&timers[m], 0, 2 * ms, 0); /* the count before is another */
        check(expires(&timers[m], patience), "it does not expire again");
        check(overrun_of(&timers[m]) == 0, "%d", overrun_of(&timers[m]));
    }
}

ASSERTION(timer_getoverrun, 6, "EINVAL for an id that is none", "timer_getoverrun: ERRORS (may fail)")
{
    static struct timer timer;
    make(&timer, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    check(timer_getoverrun((timer_t)((unsigned long)timer.id ^ 0x12345670UL)) == -1, "it is said");
    check(errno == EINVAL, "timer_getoverrun: %s", strerror(errno));
}

static struct timer busy;
static sem_t go_on;
static atomic_int inside;
static int overrun_inside[2];

static void take_long(struct told *told)
{
    const int call = atomic_load(&told->calls);
    check(atomic_fetch_add(&inside, 1) == 0, "two calls of one timer at once");
    if (call == 1)
        check(sem_wait_within(&go_on, patience), "nobody says go on");
    if (call <= 2)
        overrun_inside[call - 1] = timer_getoverrun(busy.id);
    atomic_fetch_sub(&inside, 1);
}

ASSERTION(timer_getoverrun, 7, "SIGEV_THREAD: calls do not overlap; the count is that of the expirations which a call stands for",
          "none: POSIX speaks of signals only; sigev_timer(3)")
{
    const nanoseconds interval = 5 * ms;
    need(sem_init(&go_on, 0, 0) == 0, "sem_init");
    make(&busy, CLOCK_MONOTONIC, SIGEV_THREAD);
    busy.told.inside = take_long;
    const nanoseconds start = now(CLOCK_MONOTONIC) + ms;
    set(&busy, TIMER_ABSTIME, start, interval);
    /* When another timer of that kind has told, what was due before it has been counted, however slow the machine is. */
    static struct timer other;
    const nanoseconds then = start + 52 * ms;
    make(&other, CLOCK_MONOTONIC, SIGEV_THREAD);
    set(&other, TIMER_ABSTIME, then, 0);
    check(heard(&other.told, patience), "another timer is not heard");
    const nanoseconds earliest = periods(start, interval, then);
    sem_post(&go_on);
    check(heard(&busy.told, patience) && heard(&busy.told, patience), "no second call");
    const nanoseconds latest = periods(start, interval, now(CLOCK_MONOTONIC));
    set(&busy, 0, 0, 0);
    const int both = overrun_inside[0] + 1 + overrun_inside[1];
    check(both >= earliest - 1 && both <= latest, "two calls stand for %d, not for %lld to %lld", both + 1, earliest, latest + 1);
}

ASSERTION(timer_getoverrun, 8, "si_overrun of the signal is the same count",
          "none: sigaction(2) of the host; [timer_getoverrun: DESCRIPTION]")
{
    static struct timer timer;
    make(&timer, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    for (int i = 0; i != 3; ++i) {
        const nanoseconds start = now(CLOCK_MONOTONIC) - (10 + i) * second + 100 * ms;
        set(&timer, TIMER_ABSTIME, start, second);
        check(heard(&timer.told, patience), "no signal");
        const nanoseconds latest = periods(start, second, now(CLOCK_MONOTONIC));
        const int overrun = overrun_of(&timer);
        check(timer.told.info.si_overrun == overrun, "%d in the signal, %d by the call", timer.told.info.si_overrun, overrun);
        check(overrun >= 9 + i && overrun <= latest, "%d, not %d to %lld", overrun, 9 + i, latest);
    }
}

/* clock_settime(), as far as it speaks of timers.
 *
 * Whoever sets the clock sets it for the whole machine: that is done only for who asks for it, and put back at once. */
#include "timers.h"

#include <stdlib.h>

static nanoseconds stepped;
static nanoseconds real_minus_monotonic;

static void step(nanoseconds by)
{
    const struct timespec time = timespec_of(now(CLOCK_REALTIME) + by);
    if (clock_settime(CLOCK_REALTIME, &time) != 0)
        unsupported("clock_settime: %s", strerror(errno));
    stepped += by;
}

static void put_back(void)
{
    if (stepped != 0)
        step(real_minus_monotonic + now(CLOCK_MONOTONIC) - now(CLOCK_REALTIME));
    stepped = 0;
}

/* A failed check ends the process by _exit(): the clock is put back before each one. */
static void only_if_asked_for(void)
{
    if (!getenv("SIGEV_TEST_STEP_CLOCK"))
        untested("it sets the clock of the machine: SIGEV_TEST_STEP_CLOCK=1 asks for it");
    real_minus_monotonic = now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC);
}

ASSERTION(clock_settime, 1, "an absolute timer on CLOCK_REALTIME goes by the new time, and expires at once where that is past",
          "clock_settime: DESCRIPTION")
{
    only_if_asked_for();
    for (int m = 0; m != 3; ++m) {
        static struct timer timers[3];
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_REALTIME, methods[m]);
        set(&timers[m], TIMER_ABSTIME, now(CLOCK_REALTIME) + 1500 * ms, 0);
        const nanoseconds before = now(CLOCK_MONOTONIC);
        step(2 * second);
        const bool told = expires(&timers[m], second);
        const nanoseconds after = now(CLOCK_MONOTONIC);
        put_back();
        check(told && after - before < 1500 * ms, "it does not expire when the clock is set past its time");
    }
}

ASSERTION(clock_settime, 2, "a relative timer on CLOCK_REALTIME is not affected, nor is one on another clock",
          "clock_settime: DESCRIPTION")
{
    only_if_asked_for();
    for (int m = 0; m != 3; ++m) {
        static struct timer timers[2][3];
        nanoseconds left[2];
        about(name_of_method(methods[m]));
        make(&timers[0][m], CLOCK_REALTIME, methods[m]);
        make(&timers[1][m], CLOCK_MONOTONIC, methods[m]);
        set(&timers[0][m], 0, 100 * second, 0);
        set(&timers[1][m], TIMER_ABSTIME, now(CLOCK_MONOTONIC) + 100 * second, 0);
        step(2 * second);
        left[0] = left_of(&timers[0][m]);
        left[1] = left_of(&timers[1][m]);
        put_back();
        for (int i = 0; i != 2; ++i)
            check(left[i] > 99 * second && left[i] <= 100 * second, "%lld ns are left of %s", left[i],
                  i == 0 ? "a relative time" : "a time on CLOCK_MONOTONIC");
    }
}

ASSERTION(clock_settime, 3, "CLOCK_MONOTONIC cannot be set: EINVAL, and its timers go on", "clock_settime: ERRORS")
{
    static struct timer timer;
    const struct timespec time = timespec_of(now(CLOCK_MONOTONIC) + 1000 * second);
    make(&timer, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    set(&timer, 0, 100 * second, 0);
    check(clock_settime(CLOCK_MONOTONIC, &time) == -1 && errno == EINVAL, "it is set");
    const nanoseconds left = left_of(&timer);
    check(left > 10 * second && left <= 100 * second, "%lld ns left", left);
}

ASSERTION(clock_settime, 4, "a clock that is set to what it is: its timers, absolute and relative, expire, and not early",
          "clock_settime: DESCRIPTION")
{
    for (int m = 0; m != 3; ++m) {
        static struct timer timers[2][3];
        about(name_of_method(methods[m]));
        for (int i = 0; i != 2; ++i)
            make(&timers[i][m], CLOCK_REALTIME, methods[m]);
        const nanoseconds due = now(CLOCK_REALTIME) + 30 * ms;
        const nanoseconds relative = now(CLOCK_MONOTONIC) + 20 * ms;
        set(&timers[0][m], TIMER_ABSTIME, due, 0);
        set(&timers[1][m], 0, 20 * ms, 0);
        step(0);
        check(expires(&timers[1][m], patience), "a relative one does not expire");
        check(now(CLOCK_MONOTONIC) >= relative, "a relative one expires early");
        check(expires(&timers[0][m], patience), "an absolute one does not expire");
        check(now(CLOCK_REALTIME) >= due, "an absolute one expires early");
    }
}

/* timer_gettime() */
#include "timers.h"

ASSERTION(timer_gettime, 1, "says the time until the next expiry, by the timer's clock", "timer_gettime: DESCRIPTION")
{
    const clockid_t clocks[2] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
    for (int c = 0; c != 2; ++c)
        for (int m = 0; m != 3; ++m) {
            static struct timer timer;
            about(name_of_method(methods[m]));
            make(&timer, clocks[c], methods[m]);
            const nanoseconds before = now(CLOCK_MONOTONIC);
            set(&timer, 0, 100 * second + 1, 0);
            const nanoseconds after = now(CLOCK_MONOTONIC);
            let_pass(CLOCK_MONOTONIC, 2 * ms);
            const nanoseconds look = now(CLOCK_MONOTONIC);
            const nanoseconds left = left_of(&timer);
            const nanoseconds looked = now(CLOCK_MONOTONIC);
            /* 1 ms: two clocks, which are not read at once */
            check(left <= after + 100 * second + ms - look, "%lld ns left, %lld ns after it was set", left, look - after);
            check(left >= before + 100 * second - ms - looked, "%lld ns left, %lld ns after it was set", left, looked - before);
            drop(&timer);
        }
}

ASSERTION(timer_gettime, 2, "says zero of a timer that is not armed: was never, was disarmed, has expired",
          "timer_gettime: DESCRIPTION")
{
    static struct timer timers[3];
    for (int m = 0; m != 3; ++m) {
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_MONOTONIC, methods[m]);
        check(left_of(&timers[m]) == 0, "never armed");
        set(&timers[m], 0, 100 * second, 0);
        check(left_of(&timers[m]) != 0, "armed, and nothing is left");
        if (methods[m] != SIGEV_NONE) { /* timer_settime.21 */
            set(&timers[m], 0, 0, 0);
            check(left_of(&timers[m]) == 0, "disarmed");
        }
        set(&timers[m], 0, 2 * ms, 0);
        check(expires(&timers[m], patience), "it does not expire");
        check(left_of(&timers[m]) == 0, "expired");
    }
}

ASSERTION(timer_gettime, 3, "what is left is relative, also of a timer that is armed with an absolute time",
          "timer_gettime: DESCRIPTION")
{
    const clockid_t clocks[2] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
    for (int c = 0; c != 2; ++c)
        for (int m = 0; m != 3; ++m) {
            static struct timer timer;
            about(name_of_method(methods[m]));
            make(&timer, clocks[c], methods[m]);
            const nanoseconds due = now(clocks[c]) + 100 * second;
            set(&timer, TIMER_ABSTIME, due, 0);
            const nanoseconds look = now(clocks[c]);
            const nanoseconds left = left_of(&timer);
            const nanoseconds looked = now(clocks[c]);
            check(left <= due - look && left >= due - looked, "%lld ns left, between %lld and %lld", left, due - looked,
                  due - look);
            drop(&timer);
        }
}

ASSERTION(timer_gettime, 4, "it_interval is the reload value that was set last", "timer_gettime: DESCRIPTION")
{
    static struct timer timers[3];
    for (int m = 0; m != 3; ++m) {
        const nanoseconds intervals[3] = {123456789, 7 * second + 1, 0};
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_MONOTONIC, methods[m]);
        for (int i = 0; i != 3; ++i) {
            struct itimerspec spec;
            set(&timers[m], 0, 100 * second, intervals[i]);
            check(timer_gettime(timers[m].id, &spec) == 0, "timer_gettime: %s", strerror(errno));
            check(nanoseconds_of(spec.it_interval) == intervals[i], "%lld ns set, %lld ns said", intervals[i],
                  nanoseconds_of(spec.it_interval));
        }
    }
}

ASSERTION(timer_gettime, 5, "of a periodic timer it says the time until the next expiry, however many have been",
          "timer_gettime: DESCRIPTION")
{
    static struct timer timers[3];
    const nanoseconds interval = 3 * ms + 77;
    for (int m = 0; m != 3; ++m) {
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_MONOTONIC, methods[m]);
        const nanoseconds start = now(CLOCK_MONOTONIC) + ms;
        set(&timers[m], TIMER_ABSTIME, start, interval);
        let_pass(CLOCK_MONOTONIC, 20 * ms);
        for (int i = 0; i != 20; ++i) {
            const nanoseconds look = now(CLOCK_MONOTONIC);
            const nanoseconds left = left_of(&timers[m]);
            const nanoseconds looked = now(CLOCK_MONOTONIC);
            /* Some instant between both looks, and what is left from it, come to a multiple of the interval. */
            const nanoseconds first = (look + left - start + interval - 1) / interval * interval;
            check(left > 0 && left <= interval, "%lld ns left of %lld", left, interval);
            /* One that is due and not yet dealt with has 1 ns left. */
            check(first <= looked + left - start || left == 1, "%lld ns left: off its grid", left);
        }
        set(&timers[m], 0, 0, 0);
    }
}

ASSERTION(timer_gettime, 6, "EINVAL for an id that is none", "timer_gettime: ERRORS (may fail)")
{
    static struct timer timer;
    struct itimerspec spec;
    make(&timer, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    check(timer_gettime((timer_t)((unsigned long)timer.id ^ 0x12345670UL), &spec) == -1, "it is said");
    check(errno == EINVAL, "timer_gettime: %s", strerror(errno));
}

ASSERTION(timer_gettime, 7, "what is left of a timer on a CPU-time clock goes by that clock",
          "timer_gettime: DESCRIPTION (_POSIX_CPUTIME)")
{
    static struct timer timer;
    make(&timer, CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL);
    const nanoseconds before = now(CLOCK_PROCESS_CPUTIME_ID);
    set(&timer, 0, 100 * second, 0);
    let_pass(CLOCK_MONOTONIC, 30 * ms); /* a time in which the process has the processor hardly at all */
    const nanoseconds left = left_of(&timer);
    const nanoseconds used = now(CLOCK_PROCESS_CPUTIME_ID) - before;
    check(left <= 100 * second && left >= 100 * second - used - 10 * ms, "%lld ns left after %lld", left, used);
}

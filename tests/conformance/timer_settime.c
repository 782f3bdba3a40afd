/* timer_settime() */
#include "timers.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>

static const clockid_t clocks[2] = {CLOCK_REALTIME, CLOCK_MONOTONIC};

ASSERTION(timer_settime, 1, "arms a timer whose it_value is not zero", "timer_settime: DESCRIPTION")
{
    for (int c = 0; c != 2; ++c)
        for (int m = 0; m != 3; ++m) {
            static struct timer timers[2][3];
            about(name_of_method(methods[m]));
            make(&timers[c][m], clocks[c], methods[m]);
            set(&timers[c][m], 0, 3 * ms, 0);
            check(expires(&timers[c][m], patience), "it does not expire");
        }
}

ASSERTION(timer_settime, 2, "disarms a timer when it_value is zero", "timer_settime: DESCRIPTION")
{
    static struct timer timers[3];
    nanoseconds start, time = 15 * ms;
    for (int m = 1; m != 3; ++m) /* SIGEV_NONE: timer_settime.21 */
        make(&timers[m], CLOCK_MONOTONIC, methods[m]);
    do {
        time *= 2;
        start = now(CLOCK_MONOTONIC);
        for (int m = 1; m != 3; ++m)
            set(&timers[m], 0, time, 10 * ms);
        for (int m = 1; m != 3; ++m) {
            about(name_of_method(methods[m]));
            set(&timers[m], 0, 0, 10 * ms);
            check(left_of(&timers[m]) == 0, "it has time left");
        }
    } while (was_too_slow(&timers[1], 2, start + time));
    let_pass(CLOCK_MONOTONIC, 2 * time);
    for (int m = 1; m != 3; ++m) {
        about(name_of_method(methods[m]));
        check(!heard(&timers[m].told, 0), "it tells");
    }
}

ASSERTION(timer_settime, 3, "an armed timer gets the new time in place of the old one, be it later or earlier",
          "timer_settime: DESCRIPTION")
{
    for (int m = 0; m != 3; ++m) {
        static struct timer timers[2][3];
        about(name_of_method(methods[m]));
        nanoseconds first, due, time = 10 * ms;
        make(&timers[0][m], CLOCK_MONOTONIC, methods[m]);
        for (;;) {
            time *= 2;
            first = now(CLOCK_MONOTONIC) + time;
            due = first + 40 * ms;
            set(&timers[0][m], TIMER_ABSTIME, first, 0);
            set(&timers[0][m], TIMER_ABSTIME, due, 0);
            if (now(CLOCK_MONOTONIC) < first)
                break;
            set(&timers[0][m], 0, 0, 0);
            was_too_slow(&timers[0][m], 1, first);
        }
        check(expires(&timers[0][m], patience), "set to later, it does not expire");
        check(now(CLOCK_MONOTONIC) >= due, "set to later, it expires when it was to before");
        make(&timers[1][m], CLOCK_MONOTONIC, methods[m]);
        set(&timers[1][m], 0, 1000 * second, 0);
        set(&timers[1][m], 0, 5 * ms, 0);
        check(expires(&timers[1][m], patience), "set to earlier, it does not expire");
    }
}

ASSERTION(timer_settime, 4, "a relative time counts from the call, and is never cut short", "timer_settime: DESCRIPTION")
{
    for (int c = 0; c != 2; ++c)
        for (int m = 0; m != 3; ++m) {
            static struct timer timers[2][3];
            about(name_of_method(methods[m]));
            make(&timers[c][m], clocks[c], methods[m]);
            for (int i = 0; i != 8; ++i) {
                const nanoseconds value = 1 + i * 765432;
                const nanoseconds before = now(clocks[c]);
                set(&timers[c][m], 0, value, 0);
                check(expires(&timers[c][m], patience), "%lld ns: it does not expire", value);
                check(now(clocks[c]) >= before + value, "%lld ns: it expires early", value);
            }
        }
}

ASSERTION(timer_settime, 5, "TIMER_ABSTIME: it expires when the clock reaches the time, and not before",
          "timer_settime: DESCRIPTION")
{
    for (int c = 0; c != 2; ++c)
        for (int m = 0; m != 3; ++m) {
            static struct timer timers[2][3];
            about(name_of_method(methods[m]));
            make(&timers[c][m], clocks[c], methods[m]);
            for (int i = 0; i != 8; ++i) {
                const nanoseconds due = now(clocks[c]) + 500000 + i * 765432;
                set(&timers[c][m], TIMER_ABSTIME, due, 0);
                check(expires(&timers[c][m], patience), "it does not expire");
                check(now(clocks[c]) >= due, "it expires early");
            }
        }
}

ASSERTION(timer_settime, 6, "TIMER_ABSTIME and a time that is past: the call succeeds, and the expiry is told of at once",
          "timer_settime: DESCRIPTION")
{
    for (int c = 0; c != 2; ++c)
        for (int m = 0; m != 3; ++m) {
            static struct timer timers[2][3];
            const nanoseconds past[3] = {1, now(clocks[c]) / 2, now(clocks[c]) - 1};
            about(name_of_method(methods[m]));
            make(&timers[c][m], clocks[c], methods[m]);
            for (int i = 0; i != 3; ++i) {
                set(&timers[c][m], TIMER_ABSTIME, past[i], 0);
                check(expires(&timers[c][m], patience), "it does not expire");
            }
        }
}

ASSERTION(timer_settime, 7, "with an it_interval that is not zero it expires again and again, never before its time",
          "timer_settime: DESCRIPTION")
{
    const nanoseconds interval = 3 * ms + 1;
    for (int c = 0; c != 2; ++c)
        for (int m = 1; m != 3; ++m) {
            static struct timer timers[2][3];
            about(name_of_method(methods[m]));
            make(&timers[c][m], clocks[c], methods[m]);
            const nanoseconds start = now(clocks[c]) + 5 * ms;
            set(&timers[c][m], TIMER_ABSTIME, start, interval);
            for (int i = 0; i != 6; ++i) {
                check(heard(&timers[c][m].told, patience), "told %d times", i);
                check(now(clocks[c]) >= start + i * interval, "number %d comes early", i);
            }
            set(&timers[c][m], 0, 0, 0);
        }
}

ASSERTION(timer_settime, 8, "with an it_interval of zero it expires once", "timer_settime: DESCRIPTION")
{
    static struct timer timers[3];
    for (int m = 0; m != 3; ++m) {
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_MONOTONIC, methods[m]);
        set(&timers[m], 0, 2 * ms, 2 * ms);
        set(&timers[m], 0, 5 * ms, 0);
        /* what the first setting has told of, on a slow machine */
        let_pass(CLOCK_MONOTONIC, 10 * ms);
        check(expires(&timers[m], patience), "it does not expire");
        check(left_of(&timers[m]) == 0, "it is still armed");
    }
    for (int m = 1; m != 3; ++m)
        while (heard(&timers[m].told, 0))
            continue;
    let_pass(CLOCK_MONOTONIC, 20 * ms);
    for (int m = 1; m != 3; ++m) {
        about(name_of_method(methods[m]));
        check(!heard(&timers[m].told, 0), "it expires again");
    }
}

ASSERTION(timer_settime, 9, "a time between two that the clock can tell apart is rounded up: 1 ns is not nothing",
          "timer_settime: DESCRIPTION")
{
    for (int c = 0; c != 2; ++c)
        for (int m = 0; m != 3; ++m) {
            static struct timer timers[2][3];
            about(name_of_method(methods[m]));
            make(&timers[c][m], clocks[c], methods[m]);
            set(&timers[c][m], 0, 1, 0);
            check(expires(&timers[c][m], patience), "1 ns: it does not expire");
        }
}

ASSERTION(timer_settime, 10, "the period's error does not add up: after hundreds the timer is where it would be",
          "timer_settime: DESCRIPTION (quantization)")
{
    static struct timer timer;
    const nanoseconds interval = 100001;
    make(&timer, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    const nanoseconds start = now(CLOCK_MONOTONIC) + ms;
    set(&timer, TIMER_ABSTIME, start, interval);
    nanoseconds expirations = 0;
    nanoseconds end = 0;
    while (end < start + 500 * interval) {
        check(heard(&timer.told, patience), "it stops after %lld", expirations);
        expirations += 1 + timer_getoverrun(timer.id);
        end = now(CLOCK_MONOTONIC);
        check(expirations - 1 <= (end - start) / interval, "%lld expirations in %lld ns", expirations, end - start);
    }
    const nanoseconds look = now(CLOCK_MONOTONIC);
    const nanoseconds left = left_of(&timer);
    const nanoseconds looked = now(CLOCK_MONOTONIC);
    const nanoseconds first = (look + left - start + interval - 1) / interval * interval;
    check(first <= looked + left - start || left == 1, "off its grid after %lld", expirations);
}

ASSERTION(timer_settime, 11, "ovalue is what timer_gettime would have said: time left, and the interval; or zero",
          "timer_settime: DESCRIPTION")
{
    static struct timer timers[3];
    for (int m = 0; m != 3; ++m) {
        const struct itimerspec first = spec_of(100 * second, 7 * second);
        const struct itimerspec second_one = spec_of(300 * second, 0);
        struct itimerspec old;
        memset(&old, 0x5a, sizeof old);
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_MONOTONIC, methods[m]);
        check(timer_settime(timers[m].id, 0, &first, &old) == 0, "timer_settime: %s", strerror(errno));
        check(nanoseconds_of(old.it_value) == 0 && nanoseconds_of(old.it_interval) == 0, "not armed, and not zero");
        const nanoseconds before = left_of(&timers[m]);
        check(timer_settime(timers[m].id, 0, &second_one, &old) == 0, "timer_settime: %s", strerror(errno));
        check(nanoseconds_of(old.it_value) <= before && nanoseconds_of(old.it_value) > 50 * second, "%lld ns, before %lld",
              nanoseconds_of(old.it_value), before);
        check(nanoseconds_of(old.it_interval) == 7 * second, "another interval");
        check(timer_settime(timers[m].id, 0, &(struct itimerspec){{0, 0}, {0, 0}}, &old) == 0, "timer_settime: %s",
              strerror(errno));
        check(nanoseconds_of(old.it_value) > 250 * second && nanoseconds_of(old.it_interval) == 0, "another value");
    }
}

ASSERTION(timer_settime, 12, "ovalue is relative, also when the time was set as an absolute one", "timer_settime: DESCRIPTION")
{
    for (int c = 0; c != 2; ++c)
        for (int m = 0; m != 3; ++m) {
            static struct timer timer;
            struct itimerspec old;
            about(name_of_method(methods[m]));
            make(&timer, clocks[c], methods[m]);
            const nanoseconds due = now(clocks[c]) + 100 * second;
            const struct itimerspec later = spec_of(due + 100 * second, 0);
            set(&timer, TIMER_ABSTIME, due, 0);
            const nanoseconds look = now(clocks[c]);
            check(timer_settime(timer.id, TIMER_ABSTIME, &later, &old) == 0, "timer_settime: %s", strerror(errno));
            const nanoseconds looked = now(clocks[c]);
            const nanoseconds left = nanoseconds_of(old.it_value);
            check(left <= due - look && left >= due - looked, "%lld ns, not %lld to %lld", left, due - looked, due - look);
            drop(&timer);
        }
}

ASSERTION(timer_settime, 13, "EINVAL for nanoseconds below 0 or from 1000 million on; the timer stays as it was",
          "timer_settime: ERRORS")
{
    static struct timer timers[3];
    const struct itimerspec wrong[6] = {
        {.it_value = {1, -1}},
        {.it_value = {1, 1000000000}},
        {.it_value = {0, 1000000000}},
        {.it_value = {1, 0}, .it_interval = {0, -1}},
        {.it_value = {1, 0}, .it_interval = {0, 1000000000}},
        {.it_value = {0, LONG_MAX}},
    };
    for (int m = 0; m != 3; ++m) {
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_MONOTONIC, methods[m]);
        set(&timers[m], 0, 100 * second, 3 * second);
        for (int i = 0; i != 6; ++i)
            for (int flags = 0; flags != 2; ++flags) {
                struct itimerspec spec;
                check(timer_settime(timers[m].id, flags ? TIMER_ABSTIME : 0, &wrong[i], NULL) == -1, "value %d is taken", i);
                check(errno == EINVAL, "value %d: %s", i, strerror(errno));
                check(timer_gettime(timers[m].id, &spec) == 0, "timer_gettime: %s", strerror(errno));
                check(nanoseconds_of(spec.it_value) > 10 * second && nanoseconds_of(spec.it_interval) == 3 * second,
                      "value %d: the timer has changed", i);
            }
    }
}

ASSERTION(timer_settime, 14, "a request to disarm is no error, whatever its interval says",
          "timer_settime: ERRORS (EINVAL only where it_value is not zero)")
{
    static struct timer timers[3];
    const struct itimerspec disarm = {.it_value = {0, 0}, .it_interval = {0, 1000000000}};
    for (int m = 0; m != 3; ++m) {
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_MONOTONIC, methods[m]);
        set(&timers[m], 0, 100 * second, 0);
        check(timer_settime(timers[m].id, 0, &disarm, NULL) == 0, "timer_settime: %s", strerror(errno));
        check(left_of(&timers[m]) == 0, "it is still armed");
    }
}

static atomic_int inside;

static void alone(struct told *told)
{
    (void)told;
    check(atomic_fetch_add(&inside, 1) == 0, "two calls at once on one stack");
    atomic_fetch_sub(&inside, 1);
}

ASSERTION(timer_settime, 15, "SIGEV_THREAD with a stack of the caller's: EINVAL for an interval, or never two calls at once",
          "timer_settime: ERRORS (may fail)")
{
    enum { size = 1048576 };
    static struct timer timer;
    const struct itimerspec often = spec_of(ms, ms);
    pthread_attr_t attributes;
    void *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    need(stack != MAP_FAILED, "mmap: %s", strerror(errno));
    need(pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, stack, size) == 0 &&
             pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0,
         "pthread_attr_setstack");
    tell_by(&timer.told, SIGEV_THREAD);
    timer.told.event.sigev_notify_attributes = &attributes;
    timer.told.inside = alone;
    if (timer_create(CLOCK_MONOTONIC, &timer.told.event, &timer.id) != 0)
        unsupported("timer_create: %s", strerror(errno));
    if (timer_settime(timer.id, 0, &often, NULL) != 0) {
        check(errno == EINVAL, "timer_settime: %s", strerror(errno));
        return;
    }
    for (int i = 0; i != 5; ++i)
        check(heard(&timer.told, patience), "called %d times", i);
    set(&timer, 0, 0, 0);
}

ASSERTION(timer_settime, 16, "EINVAL for an id that is none", "timer_settime: ERRORS (may fail)")
{
    static struct timer timer;
    const struct itimerspec soon = spec_of(ms, 0);
    make(&timer, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    check(timer_settime((timer_t)((unsigned long)timer.id ^ 0x12345670UL), 0, &soon, NULL) == -1, "it is set");
    check(errno == EINVAL, "timer_settime: %s", strerror(errno));
}

enum { handled_times = 50 };
static struct timer handled;
static sem_t finished;
static atomic_int wrong;

/* Arms its own timer again, looks at it, and at its overrun. */
static void handler(int signo, siginfo_t *info, void *context)
{
    static int count;
    const int before = errno;
    const struct itimerspec soon = {.it_value = {0, 300000}};
    struct itimerspec spec;
    (void)signo, (void)info, (void)context;
    if (timer_getoverrun(handled.id) < 0 || timer_gettime(handled.id, &spec) != 0)
        atomic_store(&wrong, 1);
    if (++count == handled_times)
        sem_post(&finished);
    else if (timer_settime(handled.id, 0, &soon, NULL) != 0)
        atomic_store(&wrong, 2);
    errno = before;
}

ASSERTION(timer_settime, 17, "timer_settime, timer_gettime and timer_getoverrun may be called in a signal handler",
          "2.4.3 Signal Actions (async-signal-safe functions)")
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigset_t mine;
    static struct timer others[2];
    need(sem_init(&finished, 0, 0) == 0, "sem_init");
    make(&handled, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    need(sigaction(handled.told.event.sigev_signo, &action, NULL) == 0, "sigaction: %s", strerror(errno));
    sigemptyset(&mine);
    sigaddset(&mine, handled.told.event.sigev_signo);
    need(pthread_sigmask(SIG_UNBLOCK, &mine, NULL) == 0, "pthread_sigmask");
    set(&handled, 0, ms, 0);
    /* What the handler interrupts are these calls, and the allocator. */
    const nanoseconds end = now(CLOCK_MONOTONIC) + patience;
    for (unsigned i = 0; sem_trywait(&finished) != 0; ++i) {
        struct timer *other = &others[i % 2];
        check(now(CLOCK_MONOTONIC) < end, "the handler is called %s", "no more");
        make(other, CLOCK_MONOTONIC, i % 2 ? SIGEV_NONE : SIGEV_THREAD);
        set(other, 0, 1000 * second, 0);
        left_of(other);
        free(malloc(100 + i % 1000));
        drop(other);
    }
    check(atomic_load(&wrong) == 0, "a call in the handler fails");
}

ASSERTION(timer_settime, 18, "a time on a CPU-time clock, relative or absolute, is reached by using the processor only",
          "timer_settime: DESCRIPTION (_POSIX_CPUTIME)")
{
    static struct timer timer;
    make(&timer, CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL);
    const nanoseconds due = now(CLOCK_PROCESS_CPUTIME_ID) + 20 * ms;
    set(&timer, TIMER_ABSTIME, due, 20 * ms);
    check(!heard(&timer.told, 50 * ms), "it expires although the process waits");
    for (int i = 0; i != 2; ++i) {
        const nanoseconds end = now(CLOCK_MONOTONIC) + patience;
        while (!heard(&timer.told, 0))
            check(now(CLOCK_MONOTONIC) < end, "it expires %d times", i);
        check(now(CLOCK_PROCESS_CPUTIME_ID) >= due + i * 20 * ms, "number %d comes early", i);
    }
}

ASSERTION(timer_settime, 19, "an absolute start in the past catches up: told once, the periods that have ended in the overrun",
          "timer_settime: DESCRIPTION; timer_getoverrun: DESCRIPTION")
{
    static struct timer timers[3];
    for (int m = 1; m != 3; ++m) {
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_MONOTONIC, methods[m]);
        set(&timers[m], TIMER_ABSTIME, now(CLOCK_MONOTONIC) - 30 * second, 60 * second);
        check(heard(&timers[m].told, patience), "nothing is told");
        check(!heard(&timers[m].told, 20 * ms), "told twice");
        const nanoseconds left = left_of(&timers[m]);
        check(left > 0 && left <= 60 * second, "%lld ns left to the next expiry", left);
    }
}

ASSERTION(timer_settime, 20, "what becomes of a pending signal when the timer is set again is not said",
          "timer_settime: DESCRIPTION (unspecified)")
{
    static struct timer timer;
    make(&timer, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    set(&timer, 0, ms, 0);
    let_pass(CLOCK_MONOTONIC, 10 * ms);
    const nanoseconds due = now(CLOCK_MONOTONIC) + 30 * ms;
    set(&timer, TIMER_ABSTIME, due, 0);
    check(heard(&timer.told, patience), "no signal");
    if (now(CLOCK_MONOTONIC) < due) /* the old one was kept */
        check(heard(&timer.told, patience), "no signal for the new time");
    else
        heard(&timer.told, 0); /* or it was kept, and this thread was late */
    check(!heard(&timer.told, 20 * ms), "more signals than settings");
}

ASSERTION(timer_settime, 21, "SIGEV_NONE: a timer that is disarmed has no time left", "timer_settime: DESCRIPTION")
{
    static struct timer timer;
    make(&timer, CLOCK_MONOTONIC, SIGEV_NONE);
    set(&timer, 0, 100 * second, 10 * ms);
    set(&timer, 0, 0, 10 * ms);
    check(left_of(&timer) == 0, "%lld ns are left", left_of(&timer));
}

ASSERTION(timer_settime, 22, "an expired timer can be set again, by each method, as often as one likes",
          "timer_settime: DESCRIPTION")
{
    static struct timer timers[3];
    for (int m = 0; m != 3; ++m) {
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_MONOTONIC, methods[m]);
        for (int i = 0; i != 100; ++i) {
            set(&timers[m], i % 2 ? TIMER_ABSTIME : 0, i % 2 ? now(CLOCK_MONOTONIC) + 100000 : 100000, 0);
            check(expires(&timers[m], patience), "it does not expire for time number %d", i + 1);
        }
    }
}

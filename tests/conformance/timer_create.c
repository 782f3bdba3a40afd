/* timer_create() */
#include "timers.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

ASSERTION(timer_create, 1, "creates a timer on CLOCK_REALTIME and on CLOCK_MONOTONIC, which tells its owner by every method",
          "timer_create: DESCRIPTION")
{
    static struct timer timers[2][3];
    const clockid_t clocks[2] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
    for (int c = 0; c != 2; ++c)
        for (int m = 0; m != 3; ++m) {
            about(name_of_method(methods[m]));
            make(&timers[c][m], clocks[c], methods[m]);
            set(&timers[c][m], 0, 5 * ms, 0);
            check(expires(&timers[c][m], patience), "a timer on clock %d does not expire", (int)clocks[c]);
            drop(&timers[c][m]);
        }
}

ASSERTION(timer_create, 2, "an id is that of one timer only, for as long as the timer is there", "timer_create: DESCRIPTION")
{
    enum { count = 100 };
    static timer_t ids[count];
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    char rang[count] = "";
    sigset_t signals;
    for (int i = 0; i != count; ++i) {
        const struct itimerspec soon = spec_of((1 + i % 7) * ms, 0);
        event.sigev_value.sival_int = i;
        check(timer_create(CLOCK_MONOTONIC, &event, &ids[i]) == 0, "timer_create: %s", strerror(errno));
        for (int k = 0; k != i; ++k)
            check(ids[k] != ids[i], "timers %d and %d have one id", k, i);
        check(timer_settime(ids[i], 0, &soon, NULL) == 0, "timer_settime: %s", strerror(errno));
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGRTMIN);
    for (int i = 0; i != count; ++i) {
        const struct timespec limit = timespec_of(patience);
        siginfo_t info;
        check(sigtimedwait(&signals, &info, &limit) > 0, "%d of %d timers are heard", i, count);
        const int which = info.si_value.sival_int;
        check(which >= 0 && which < count && !rang[which], "value %d, or twice", which);
        rang[which] = 1;
    }
}

ASSERTION(timer_create, 3, "a timer that was created is not armed", "timer_create: DESCRIPTION")
{
    static struct timer timers[3];
    for (int m = 0; m != 3; ++m) {
        struct itimerspec spec;
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_MONOTONIC, methods[m]);
        memset(&spec, 0x5a, sizeof spec);
        check(timer_gettime(timers[m].id, &spec) == 0, "timer_gettime: %s", strerror(errno));
        check(nanoseconds_of(spec.it_value) == 0 && nanoseconds_of(spec.it_interval) == 0, "it has time left");
    }
    for (int m = 1; m != 3; ++m)
        check(!heard(&timers[m].told, 20 * ms), "it tells its owner");
}

ASSERTION(timer_create, 4, "SIGEV_SIGNAL: the signal is sigev_signo, its si_code SI_TIMER, its si_value all of sigev_value",
          "timer_create: DESCRIPTION; <signal.h>")
{
    static struct timer timer;
    make(&timer, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    set(&timer, 0, 2 * ms, 0);
    check(expires(&timer, patience), "no signal");
    check(timer.told.info.si_signo == timer.told.event.sigev_signo, "si_signo is %d", timer.told.info.si_signo);
    check(timer.told.info.si_code == SI_TIMER, "si_code is %d", timer.told.info.si_code);
    check(timer.told.info.si_value.sival_ptr == &timer.told, "si_value is %p", timer.told.info.si_value.sival_ptr);
}

static pthread_t creator;

static void in_another_thread(struct told *told)
{
    (void)told;
    check(!pthread_equal(pthread_self(), creator), "called in the thread that has created the timer");
}

ASSERTION(timer_create, 5, "SIGEV_THREAD: the function is called with sigev_value, in a thread of its own",
          "timer_create: DESCRIPTION; 2.4.1 Signal Generation and Delivery")
{
    static struct timer timer; /* its function finds it through sigev_value */
    creator = pthread_self();
    make(&timer, CLOCK_MONOTONIC, SIGEV_THREAD);
    timer.told.inside = in_another_thread;
    set(&timer, 0, 2 * ms, 0);
    check(expires(&timer, patience), "no call");
    check(atomic_load(&timer.told.calls) == 1, "%d calls", atomic_load(&timer.told.calls));
}

ASSERTION(timer_create, 6, "SIGEV_NONE: nobody is told, and the timer runs all the same",
          "timer_create: DESCRIPTION; 2.4.1 Signal Generation and Delivery")
{
    static struct timer timer;
    sigset_t pending;
    make(&timer, CLOCK_MONOTONIC, SIGEV_NONE);
    set(&timer, 0, 5 * ms, 0);
    check(expires(&timer, patience), "it does not run down");
    need(sigpending(&pending) == 0, "sigpending: %s", strerror(errno));
    check(sigisemptyset(&pending), "a signal is pending");
}

static siginfo_t alarm_of_default(timer_t *id)
{
    static struct timer before; /* whose id the next one has not: it might look like a null pointer */
    const struct timespec limit = timespec_of(patience);
    const struct itimerspec soon = spec_of(2 * ms, 0);
    sigset_t signals;
    siginfo_t info;
    make(&before, CLOCK_MONOTONIC, SIGEV_NONE);
    check(timer_create(CLOCK_MONOTONIC, NULL, id) == 0, "timer_create: %s", strerror(errno));
    check(timer_settime(*id, 0, &soon, NULL) == 0, "timer_settime: %s", strerror(errno));
    sigemptyset(&signals);
    sigaddset(&signals, SIGALRM);
    check(sigtimedwait(&signals, &info, &limit) == SIGALRM, "no SIGALRM");
    return info;
}

ASSERTION(timer_create, 7, "without a sigevent the signal is a default one (here SIGALRM), with si_code SI_TIMER",
          "timer_create: DESCRIPTION")
{
    timer_t id;
    check(alarm_of_default(&id).si_code == SI_TIMER, "another si_code");
}

ASSERTION(timer_create, 8, "without a sigevent the signal's value is the timer's id", "timer_create: DESCRIPTION")
{
    timer_t id;
    const siginfo_t info = alarm_of_default(&id);
    check(info.si_value.sival_ptr == (void *)id, "the value is %p, the id %p", info.si_value.sival_ptr, (void *)id);
}

ASSERTION(timer_create, 9, "what the sigevent says is taken when the timer is created", "timer_create: DESCRIPTION")
{
    static struct timer timer;
    static struct timer other;
    make(&timer, CLOCK_MONOTONIC, SIGEV_THREAD);
    tell_by(&other.told, SIGEV_SIGNAL);
    timer.told.event = other.told.event;
    set(&timer, 0, 2 * ms, 0);
    check(heard(&timer.told, patience), "the function that was named first is not called");
}

/* In the child: 0, or what is wrong. */
static int child_of(struct timer timers[3])
{
    const int calls = atomic_load(&timers[2].told.calls); /* in the parent, which was slow then */
    for (int m = 0; m != 3; ++m) {
        struct itimerspec spec = spec_of(second, 0);
        if (timer_gettime(timers[m].id, &spec) == 0)
            return 10 + m;
        if (errno != EINVAL)
            return 20 + m;
        if (timer_settime(timers[m].id, 0, &spec, NULL) == 0)
            return 30 + m;
    }
    return heard(&timers[1].told, 40 * ms) || atomic_load(&timers[2].told.calls) != calls ? 40 : 0;
}

ASSERTION(timer_create, 10, "a forked child has none of its parent's timers, and the parent keeps them",
          "timer_create: DESCRIPTION; fork: DESCRIPTION")
{
    static struct timer timers[3];
    for (int m = 0; m != 3; ++m) {
        make(&timers[m], CLOCK_MONOTONIC, methods[m]);
        set(&timers[m], 0, 20 * ms, 0);
    }
    const pid_t child = fork();
    need(child >= 0, "fork: %s", strerror(errno));
    if (child == 0)
        _exit(child_of(timers));
    const int status = status_of(child, patience);
    check(status == 0, "in the child: %s",
          status == 40                  ? "it is told of a timer of its parent's"
          : status >= 10 && status < 40 ? "an id of its parent's is not EINVAL"
                                        : "it does not come to its end");
    for (int m = 0; m != 3; ++m) {
        about(name_of_method(methods[m]));
        check(expires(&timers[m], patience), "the parent's timer does not expire any more");
    }
}

ASSERTION(timer_create, 11, "a forked child can create timers of its own", "timer_create: DESCRIPTION; fork: DESCRIPTION")
{
    static struct timer before;
    static struct timer timers[3];
    make(&before, CLOCK_MONOTONIC, SIGEV_THREAD);
    set(&before, 0, ms, 0);
    check(expires(&before, patience), "no call in the parent");
    const pid_t child = fork();
    need(child >= 0, "fork: %s", strerror(errno));
    if (child == 0) {
        for (int m = 0; m != 3; ++m) {
            make(&timers[m], CLOCK_MONOTONIC, methods[m]);
            set(&timers[m], 0, 2 * ms, 0);
            if (!expires(&timers[m], patience / 4))
                _exit(10 + m);
        }
        _exit(0);
    }
    const int status = status_of(child, patience);
    check(status == 0, "in the child: %s", status >= 10 ? name_of_method(methods[(status - 10) % 3]) : "no timer, or no end");
}

ASSERTION(timer_create, 12, "exec disarms and deletes the timers: the new image hears nothing of them",
          "timer_create: DESCRIPTION; exec: DESCRIPTION")
{
    static struct timer timer;
    if (!new_image()) {
        char word[32];
        make(&timer, CLOCK_MONOTONIC, SIGEV_SIGNAL);
        const nanoseconds due = now(CLOCK_MONOTONIC) + 150 * ms;
        set(&timer, TIMER_ABSTIME, due, 0);
        snprintf(word, sizeof word, "%d %lld", timer.told.event.sigev_signo, due);
        execute_new_image(word);
    }
    long long due;
    tell_by(&timer.told, SIGEV_SIGNAL);
    need(sscanf(new_image(), "%d %lld", &timer.told.event.sigev_signo, &due) == 2, "the word is %s", new_image());
    if (now(CLOCK_MONOTONIC) >= due)
        unsupported("the new image has come too late: it expired in the old one");
    check(!heard(&timer.told, due + 50 * ms - now(CLOCK_MONOTONIC)), "the new image has the signal of a timer of the old one");
}

static void burn(clockid_t clock, nanoseconds time)
{
    const nanoseconds end = now(clock) + time;
    while (now(clock) < end)
        continue;
}

/* Uses the processor until the timer has told, and says what the clock showed then. */
static nanoseconds burn_until_heard(struct timer *timer, clockid_t clock)
{
    const nanoseconds end = now(CLOCK_MONOTONIC) + patience;
    while (!heard(&timer->told, 0)) {
        check(now(CLOCK_MONOTONIC) < end, "it does not expire");
        burn(clock, ms);
    }
    return now(clock);
}

ASSERTION(timer_create, 13, "CLOCK_PROCESS_CPUTIME_ID: the timer goes by the time that the process has the processor",
          "timer_create: DESCRIPTION (_POSIX_CPUTIME)")
{
    static struct timer timers[3];
    for (int m = 1; m != 3; ++m) {
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_PROCESS_CPUTIME_ID, methods[m]);
        const nanoseconds due = now(CLOCK_PROCESS_CPUTIME_ID) + 30 * ms;
        set(&timers[m], 0, 30 * ms, 0);
        check(!heard(&timers[m].told, 60 * ms), "it expires although the process waits");
        check(burn_until_heard(&timers[m], CLOCK_PROCESS_CPUTIME_ID) >= due, "it expires early");
        drop(&timers[m]);
    }
}

static void *burn_in_thread(void *time)
{
    burn(CLOCK_THREAD_CPUTIME_ID, *(nanoseconds *)time);
    return NULL;
}

ASSERTION(timer_create, 14, "CLOCK_THREAD_CPUTIME_ID: the timer goes by the time that the creating thread has the processor",
          "timer_create: DESCRIPTION (_POSIX_THREAD_CPUTIME)")
{
    static struct timer timers[3];
    static nanoseconds time = 40000000;
    for (int m = 1; m != 3; ++m) {
        pthread_t other;
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_THREAD_CPUTIME_ID, methods[m]);
        const nanoseconds due = now(CLOCK_THREAD_CPUTIME_ID) + 30 * ms;
        set(&timers[m], 0, 30 * ms, 0);
        need(pthread_create(&other, NULL, burn_in_thread, &time) == 0, "pthread_create");
        need(pthread_join(other, NULL) == 0, "pthread_join");
        check(!heard(&timers[m].told, 0), "it goes by the time of another thread");
        check(burn_until_heard(&timers[m], CLOCK_THREAD_CPUTIME_ID) >= due, "it expires early");
        drop(&timers[m]);
    }
}

static void *burn_for_ever(void *unused)
{
    for (;;)
        continue;
    return unused;
}

ASSERTION(timer_create, 15, "the CPU-time clock of another thread or process: a timer goes by it, or ENOTSUP",
          "timer_create: ERRORS")
{
    static struct timer timers[2];
    pthread_t thread;
    clockid_t clocks[2];
    const pid_t child = fork();
    need(child >= 0, "fork: %s", strerror(errno));
    if (child == 0)
        burn_for_ever(NULL);
    need(clock_getcpuclockid(child, &clocks[0]) == 0, "clock_getcpuclockid");
    need(pthread_create(&thread, NULL, burn_for_ever, NULL) == 0, "pthread_create");
    need(pthread_getcpuclockid(thread, &clocks[1]) == 0, "pthread_getcpuclockid");
    for (int i = 0; i != 2; ++i) {
        about(i == 0 ? "a process" : "a thread");
        make(&timers[i], clocks[i], SIGEV_SIGNAL); /* ENOTSUP: unsupported */
        const nanoseconds due = now(clocks[i]) + 20 * ms;
        set(&timers[i], 0, 20 * ms, 0);
        check(heard(&timers[i].told, patience), "it does not expire");
        check(now(clocks[i]) >= due, "it expires early");
    }
    kill(child, SIGKILL);
}

ASSERTION(timer_create, 16, "EAGAIN where no signal can be reserved; what is created can tell",
          "timer_create: ERRORS, RATIONALE")
{
    static struct timer timer;
    struct rlimit before;
    need(getrlimit(RLIMIT_SIGPENDING, &before) == 0, "getrlimit: %s", strerror(errno));
    const struct rlimit none = {0, before.rlim_max};
    need(setrlimit(RLIMIT_SIGPENDING, &none) == 0, "setrlimit: %s", strerror(errno));
    tell_by(&timer.told, SIGEV_SIGNAL);
    if (timer_create(CLOCK_MONOTONIC, &timer.told.event, &timer.id) != 0) {
        check(errno == EAGAIN, "timer_create: %s", strerror(errno));
        need(setrlimit(RLIMIT_SIGPENDING, &before) == 0, "setrlimit: %s", strerror(errno));
        make(&timer, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    }
    set(&timer, 0, ms, 0);
    if (!heard(&timer.told, 20 * ms)) {
        need(setrlimit(RLIMIT_SIGPENDING, &before) == 0, "setrlimit: %s", strerror(errno));
        check(heard(&timer.told, patience), "the notification is lost");
    }
}

ASSERTION(timer_create, 17, "EINVAL for a clock that is none", "timer_create: ERRORS")
{
    for (int m = 0; m != 3; ++m) {
        struct told told;
        timer_t id;
        tell_by(&told, methods[m]);
        about(name_of_method(methods[m]));
        check(timer_create(9999, &told.event, &id) == -1, "it is created");
        check(errno == EINVAL, "timer_create: %s", strerror(errno));
    }
}

ASSERTION(timer_create, 18, "a clock that is there, and that no timer can follow: EINVAL or ENOTSUP",
          "timer_create: ERRORS; the host's CLOCK_MONOTONIC_RAW and CLOCK_MONOTONIC_COARSE")
{
    const clockid_t clocks[2] = {CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE};
    for (int i = 0; i != 2; ++i) {
        static struct timer timer;
        tell_by(&timer.told, SIGEV_SIGNAL);
        if (timer_create(clocks[i], &timer.told.event, &timer.id) != 0) {
            check(errno == EINVAL || errno == ENOTSUP, "timer_create: %s", strerror(errno));
            continue;
        }
        set(&timer, 0, ms, 0);
        check(heard(&timer.told, patience), "a timer on clock %d is created, and never expires", (int)clocks[i]);
    }
}

static pthread_attr_t found;

static void look_at_attributes(struct told *told)
{
    (void)told;
    need(pthread_getattr_np(pthread_self(), &found) == 0, "pthread_getattr_np");
}

static void call_with(struct timer *timer, pthread_attr_t *attributes)
{
    tell_by(&timer->told, SIGEV_THREAD);
    timer->told.event.sigev_notify_attributes = attributes;
    timer->told.inside = look_at_attributes;
    check(timer_create(CLOCK_MONOTONIC, &timer->told.event, &timer->id) == 0, "timer_create: %s", strerror(errno));
    set(timer, 0, ms, 0);
    check(heard(&timer->told, patience), "no call");
}

ASSERTION(timer_create, 19, "SIGEV_THREAD without attributes: the thread is detached", "2.4.1 Signal Generation and Delivery")
{
    static struct timer timer;
    int state = -1;
    call_with(&timer, NULL);
    need(pthread_attr_getdetachstate(&found, &state) == 0, "pthread_attr_getdetachstate");
    check(state == PTHREAD_CREATE_DETACHED, "it is joinable");
}

ASSERTION(timer_create, 20, "SIGEV_THREAD with attributes: the thread has them", "2.4.1 Signal Generation and Delivery")
{
    static struct timer timer;
    const size_t wanted = PTHREAD_STACK_MIN + 1048576 + 65536;
    pthread_attr_t attributes;
    size_t stack = 0;
    need(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, wanted) == 0 &&
             pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0,
         "pthread_attr_init");
    call_with(&timer, &attributes);
    need(pthread_attr_getstacksize(&found, &stack) == 0, "pthread_attr_getstacksize");
    /* The C library takes some of it for itself. */
    check(stack >= wanted - 65536 && stack <= wanted + 65536, "its stack has %zu bytes, not %zu", stack, wanted);
}

static void leave(struct told *told)
{
    sem_post(&told->heard);
    pthread_exit(NULL);
}

ASSERTION(timer_create, 21, "SIGEV_THREAD: the function may end its thread; the next expiry calls it again",
          "2.4.1 Signal Generation and Delivery (as if it were the start routine of a thread)")
{
    static struct timer timer;
    make(&timer, CLOCK_MONOTONIC, SIGEV_THREAD);
    timer.told.inside = leave;
    for (int i = 0; i != 3; ++i) {
        set(&timer, 0, ms, 0);
        check(heard(&timer.told, patience), "no call after %d have ended their threads", i);
    }
}

static void *accept_signal(void *told)
{
    return heard(told, patience) ? told : NULL;
}

ASSERTION(timer_create, 22, "SIGEV_SIGNAL: the signal is the process's, and any of its threads can accept it",
          "timer_create: DESCRIPTION; 2.4.1 Signal Generation and Delivery")
{
    static struct timer timer;
    pthread_t other;
    void *got = NULL;
    make(&timer, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    need(pthread_create(&other, NULL, accept_signal, &timer.told) == 0, "pthread_create");
    set(&timer, 0, 2 * ms, 0);
    need(pthread_join(other, &got) == 0, "pthread_join");
    check(got == &timer.told, "another thread waits for it in vain");
}

/* What has been found broken in timers elsewhere, and is no rule of a page by itself. */
#include "lowered.h"
#include "timers.h"

#include <sys/wait.h>

ASSERTION(defects, 1, "a timer that sends no signal needs no place in the signal queue",
          "none: RLIMIT_SIGPENDING is the user's, for all processes together")
{
    static struct timer timers[3];
    limit_to(RLIMIT_SIGPENDING, 0);
    for (int m = 0; m < 3; m += 2) { /* SIGEV_NONE, SIGEV_THREAD */
        about(name_of_method(methods[m]));
        make(&timers[m], CLOCK_MONOTONIC, methods[m]);
        set(&timers[m], 0, ms, 0);
        check(expires(&timers[m], patience), "it does not expire");
    }
}

ASSERTION(defects, 2, "an id of the parent's is not that of a timer of the child's own", "timer_create: DESCRIPTION; fork: DESCRIPTION")
{
    static struct timer parents;
    static struct timer childs;
    make(&parents, CLOCK_MONOTONIC, SIGEV_SIGNAL);
    const pid_t child = fork();
    need(child >= 0, "fork: %s", strerror(errno));
    if (child == 0) {
        make(&childs, CLOCK_MONOTONIC, SIGEV_SIGNAL);
        set(&childs, 0, 100 * second, 0);
        if (timer_delete(parents.id) == 0)
            _exit(10);
        _exit(left_of(&childs) > 0 ? 0 : 11);
    }
    const int status = status_of(child, patience);
    check(status == 0, "in the child: %s", status == 10 ? "it deletes one" : "its own timer is not armed any more");
}

ASSERTION(defects, 3, "SIGEV_THREAD: where no thread can be made EAGAIN is said, and what follows when one can is as ever",
          "timer_create: ERRORS")
{
    static struct timer timer;
    become_nobody();
    const rlim_t before = limit_to(RLIMIT_NPROC, 0);
    tell_by(&timer.told, SIGEV_THREAD);
    if (timer_create(CLOCK_MONOTONIC, &timer.told.event, &timer.id) == 0)
        unsupported("a thread is made in spite of the limit");
    check(errno == EAGAIN, "timer_create: %s", strerror(errno));
    limit_to(RLIMIT_NPROC, before);
    make(&timer, CLOCK_MONOTONIC, SIGEV_THREAD);
    set(&timer, 0, ms, 0);
    check(heard(&timer.told, patience), "no call");
}

ASSERTION(defects, 4, "SIGEV_THREAD: a timer that was created can tell, also where no thread can be made any more",
          "timer_create: RATIONALE (what telling needs is reserved beforehand)")
{
    static struct timer timer;
    become_nobody();
    make(&timer, CLOCK_MONOTONIC, SIGEV_THREAD);
    limit_to(RLIMIT_NPROC, 0);
    set(&timer, 0, ms, 0);
    check(heard(&timer.told, 2 * second), "the expiry is lost");
}

ASSERTION(defects, 5, "a zeroed sigevent (on Linux: SIGEV_SIGNAL and signal 0) is EINVAL for a timer", "none: the host's timer_create(2)")
{
    struct sigevent event = {0};
    timer_t id;
    check(timer_create(CLOCK_MONOTONIC, &event, &id) == -1, "it is taken");
    check(errno == EINVAL, "timer_create: %s", strerror(errno));
}

ASSERTION(defects, 6, "a method that is none, and a signal that is none, are EINVAL", "none: the host's timer_create(2)")
{
    const int methods_that_are_none[3] = {3 | SIGEV_THREAD_ID, 77, -1};
    const int signals_that_are_none[3] = {0, 65, -1};
    timer_t id;
    for (int i = 0; i != 3; ++i) {
        struct sigevent event = {.sigev_notify = methods_that_are_none[i], .sigev_signo = SIGRTMIN};
        check(timer_create(CLOCK_MONOTONIC, &event, &id) == -1 && errno == EINVAL, "method %d is taken", event.sigev_notify);
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = signals_that_are_none[i];
        check(timer_create(CLOCK_MONOTONIC, &event, &id) == -1 && errno == EINVAL, "signal %d is taken", event.sigev_signo);
    }
}

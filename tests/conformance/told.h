/* How a body asks to be told, and hears of it: by each of POSIX's methods, without sleeping. And times. */
#ifndef SIGEV_TESTS_TOLD_H
#define SIGEV_TESTS_TOLD_H

#include "assertion.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

typedef long long nanoseconds;

static const nanoseconds ms = 1000000;
static const nanoseconds second = 1000000000;
/* Within this much all comes that comes at all, on a machine that has other things to do. */
static const nanoseconds patience = 10000000000;

nanoseconds now(clockid_t clock);
nanoseconds nanoseconds_of(struct timespec time);
struct timespec timespec_of(nanoseconds time);

/* One way of being told. It lives for as long as anything may tell it: static in a body. */
struct told {
    int method;            /* SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD */
    struct sigevent event; /* to be handed over; sigev_value points here */
    siginfo_t info;        /* SIGEV_SIGNAL: of the last signal heard */
    atomic_int calls;      /* SIGEV_THREAD */
    _Atomic pthread_t caller;
    sem_t heard;
    void (*inside)(struct told *told); /* SIGEV_THREAD: called by the function, before heard() hears of it; or null */
};

/* Each has a real-time signal of its own. */
void tell_by(struct told *told, int method);

/* Accepts one notification, signal or call, and waits for it at most so long. Not for SIGEV_NONE. */
bool heard(struct told *told, nanoseconds within);

const char *name_of_method(int method);

/* Waits until look(context) is true, at most so long. */
bool wait_until(bool (*look)(void *context), void *context, nanoseconds within);

bool sem_wait_within(sem_t *semaphore, nanoseconds within);

/* The exit status of a child that the body has forked; one that does not end in time or is killed: -1. */
int status_of(pid_t child, nanoseconds within);

#endif

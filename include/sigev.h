/* sigev.h - delivery of struct sigevent notifications, by every method, from every source.
 *
 * A program says in a struct sigevent how it wants to be told. A source (a timer, an asynchronous read, the
 * program's own code) raises a notification; sigev carries it to the target that the sigevent names.
 *
 * Conventions of this header
 *   - Every function returns 0, or -1 with errno set, unless the POSIX function that it mirrors returns something
 *     else. On success errno is left as it was.
 *   - A handle is an index, a generation and an epoch, another one after each fork and sigev_shutdown(). A stale, foreign or
 *     inherited handle is EINVAL, never a crash. 0 is never a handle.
 *   - "Async-signal-safe" means: may be called from a signal handler that interrupts anything, this library included.
 *   - All functions are safe to call from any thread, except where a comment says otherwise.
 *   - The library never prints, never ends the process, and never throws.
 *   - No function but sigev_aio_suspend() is a cancellation point: a cancellation of the calling thread takes effect after
 *     the call.
 *
 * Needs POSIX declarations: define _POSIX_C_SOURCE >= 199309L (or _GNU_SOURCE) when compiling with -std=c99.
 */
#ifndef SIGEV_H
#define SIGEV_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#if !defined(__USE_POSIX199309) && defined(__GLIBC__)
#    error "sigev.h needs struct sigevent: define _POSIX_C_SOURCE >= 199309L or _GNU_SOURCE before the first #include"
#endif

#if defined(__GNUC__)
#    define SIGEV_API __attribute__((visibility("default")))
#else
#    define SIGEV_API
#endif

#if defined(__cplusplus)
#    define SIGEV_NOEXCEPT noexcept
#    define SIGEV_RESTRICT
extern "C" {
#else
#    define SIGEV_NOEXCEPT
#    define SIGEV_RESTRICT restrict
#endif

/* ---- struct sigevent: what the host's <signal.h> lacks --------------------------------------------------------
 *
 * FreeBSD's sigevent(3) has eight members; glibc's struct has room for all of them and names for five. The names
 * below map onto storage that neither the kernel nor glibc reads for these methods, so a program written for
 * FreeBSD compiles unchanged. As on FreeBSD, sigev_notify_kqueue shares storage with sigev_signo.
 */
#if !defined(SIGEV_KEVENT)
#    define SIGEV_KEVENT 3 /* a kevent is posted to the kqueue sigev_notify_kqueue; unused by Linux */
#endif
#if !defined(SIGEV_THREAD_ID)
#    define SIGEV_THREAD_ID 4
#endif
#if defined(__GLIBC__)
#    if !defined(sigev_notify_thread_id)
#        define sigev_notify_thread_id _sigev_un._tid
#    endif
#    if !defined(sigev_notify_kqueue)
#        define sigev_notify_kqueue sigev_signo
#    endif
#    if !defined(sigev_notify_kevent_flags)
#        define sigev_notify_kevent_flags _sigev_un._pad[4]
#    endif
#    if !defined(SIGEV_HAVE_LWPID_T)
#        define SIGEV_HAVE_LWPID_T 1
typedef pid_t lwpid_t;
#    endif
#endif

/* SIGEV_CALLBACK: sigev_notify_function is called with sigev_value by the thread that runs the reactor (on the
 * runtime, by one of its workers): no hop to another thread. The function must not block, and on a borrowed reactor it
 * must return: no pthread_exit(), no exception. sigev_current() tells it which notification it handles. */
#define SIGEV_CALLBACK 0x53450000

/* Numbers that sigev_method_register() gives out lie in [SIGEV_METHOD_FIRST, SIGEV_METHOD_LAST]. */
#define SIGEV_METHOD_FIRST 0x53450001
#define SIGEV_METHOD_LAST 0x5345ffff

/* ---- types ---------------------------------------------------------------------------------------------------- */

typedef uint64_t sigev_t;         /* a subscription */
typedef uint64_t sigev_reactor_t; /* a reactor that the caller's own event loop runs; 0 stands for the runtime's */
typedef uint64_t sigev_manual_clock_t; /* a clock that a test moves */

/* What raised a notification. */
enum {
    SIGEV_SOURCE_USER = 0, /* the program's own code, through sigev_submit() */
    SIGEV_SOURCE_TIMER = 1,
    SIGEV_SOURCE_AIO = 2,
    SIGEV_SOURCE_AIO_LIST = 3, /* the whole of a sigev_lio_listio() */
    SIGEV_SOURCE_CLOCK = 4,    /* CLOCK_REALTIME was set: sigev_clock_steps_open() */
    SIGEV_SOURCE_COUNT = 5
};

/* Why there is a notification. */
enum {
    SIGEV_CAUSE_EXPIRED = 0,   /* a timer was due */
    SIGEV_CAUSE_COMPLETED = 1, /* an operation has come to its end, well or with an error */
    SIGEV_CAUSE_CANCELED = 2,  /* an operation was cancelled */
    SIGEV_CAUSE_SUBMITTED = 3, /* sigev_submit() */
    SIGEV_CAUSE_STEPPED = 4    /* a clock was set */
};

/* One notification, as a callback or a registered method sees it. Valid until that function returns. Times are nanoseconds
 * on `clock`; both are 0 for what came by sigev_submit(), which reads no clock. */
struct sigev_notification {
    union sigval value; /* sigev_value of the sigevent */
    int64_t data;       /* timer: expirations in this delivery; aio: bytes transferred; user: sigev_submit()'s data */
    int64_t scheduled;  /* timer: when the first of these expirations was due; aio: when the operation had ended */
    int64_t actual;     /* when this delivery began: so much after `scheduled` the function was called */
    uint64_t ident;     /* timer: timer_t; aio: address of the aiocb, or of the array of a list; user: the subscription */
    int32_t overrun;    /* what was merged into this delivery, at most DELAYTIMER_MAX. timer: expirations beyond the first; user:
                           submits that found no room, and whose place this one has taken */
    int32_t error;      /* aio: errno of the operation, 0 if it succeeded; user: sigev_submit()'s error */
    int32_t code;       /* what si_code says: SI_TIMER, SI_ASYNCIO, SI_QUEUE */
    int32_t source;     /* SIGEV_SOURCE_* */
    int32_t cause;      /* SIGEV_CAUSE_* */
    int32_t clock;      /* clockid_t. timer: the one that the deadline is kept on: its own, but CLOCK_MONOTONIC for a relative
                           time on CLOCK_REALTIME; else CLOCK_MONOTONIC */
};

/* The account of a subscription: raised == delivered + merged + pending + discarded whenever nothing is in motion.
 *   raised     notifications that the source generated (a periodic timer: every expiration)
 *   delivered  accepted by the target: signal queued by the kernel, callback finished, kevent retrieved, or, for
 *              SIGEV_NONE, recorded where the program can poll it
 *   merged     reached the target as part of another one (overrun; a newer record took the place of an older one)
 *   pending    on the way: queued, held for a retry, or a callback in progress
 *   discarded  cancelled by the caller, or the target is gone
 * What is left whole to the kernel stands apart, since the kernel alone knows what becomes of it:
 *   kernel_timers  how many timers of SIGEV_ENGINE_KERNEL, whose signals the kernel itself sends, are in this account.
 *                  Where it is 1 the account is of such a timer, the five above are 0 and do not apply
 *   kernel_raised  expirations of theirs, by arithmetic from what they were armed with. Of a period that is not longer than what
 *                  the clock moves between two system calls it is near; of what expires between two settimes of one timer that
 *                  race, or after the thread of a CPU-time clock has ended, it may miss some. It counts nothing that has not been */
struct sigev_ledger {
    uint64_t raised;
    uint64_t delivered;
    uint64_t merged;
    uint64_t pending;
    uint64_t discarded;
    uint64_t kernel_timers;
    uint64_t kernel_raised;
};

/* ---- subscriptions: for the author of a library that takes a struct sigevent from its caller ------------------- */

/* Flags of struct sigev_options. */
enum {
    /* When all records are on their way sigev_submit() is refused with EAGAIN, and nothing is merged. */
    SIGEV_REFUSE_WHEN_FULL = 1,
    /* SIGEV_THREAD: each callback on a thread that has run no other: its thread-specific data, thread_local variables and all
     * that nobody can put back (unshare(), a seccomp filter) are new. A thread each, as glibc makes them. */
    SIGEV_FRESH_THREAD = 2
};

/* Options of sigev_open(). Zero every member that is not needed and set size. */
struct sigev_options {
    uint32_t size;           /* sizeof (struct sigev_options) */
    int32_t code;            /* si_code of signals: SI_QUEUE (default, also for 0), SI_TIMER, SI_ASYNCIO, SI_MESGQ */
    uint32_t concurrency;    /* SIGEV_THREAD: callbacks of this subscription at once; 0 and 1: serial */
    uint32_t flags;          /* SIGEV_REFUSE_WHEN_FULL, SIGEV_FRESH_THREAD, or 0 */
    sigev_reactor_t reactor; /* 0: the runtime's, started on first use */
};

/* Opens a subscription: validates *event, copies all that it says (thread attributes too) and reserves all that a
 * delivery will need, `capacity` records among it (1 .. 1048576). *event may be gone when this returns.
 * SIGEV_THREAD: each call finds what a new, detached thread would find that the calling thread had made with these attributes:
 * the signal mask that pthread_attr_setsigmask_np() has set, or all of the program's signals blocked; and where scheduling is
 * inherited, as it is without attributes, this thread's policy, priority and niceness. (What raises the notifications, a
 * timer's expiry for one, is noticed by threads that are scheduled as the one which first used the library.)
 * A stack of the caller's own (pthread_attr_setstack()) serves one callback at a time, always with the same attributes and
 * flags, and is in use until sigev_shutdown().
 * When all records are on their way, the newest notification is kept and each one that it replaces counts as merged, or
 * none is taken: see SIGEV_REFUSE_WHEN_FULL.
 * errors: EINVAL (unknown method, bad signal number, null function, illegal kevent flags, capacity, options, thread not
 *         of this process), EBADF (SIGEV_KEVENT: not a kqueue of sigev_kqueue(), or closed), EAGAIN (memory, descriptors or
 *         threads), EPERM (scheduling attributes without the privilege). On error nothing is left behind. */
SIGEV_API int sigev_open(const struct sigevent *event, uint32_t capacity, const struct sigev_options *options,
                         sigev_t *subscription) SIGEV_NOEXCEPT;

/* Raises one notification. Lock-free, allocation-free, async-signal-safe. A handler that interrupts it may call it too; one
 * that leaves it by siglongjmp() silences nobody, but the notification stays pending, and its record with it.
 * errors: EINVAL (no such subscription), ECANCELED (cancelled), EAGAIN (full; only with SIGEV_REFUSE_WHEN_FULL). */
SIGEV_API int sigev_submit(sigev_t subscription, int64_t data, int error) SIGEV_NOEXCEPT;

/* No delivery of the subscription starts once this has returned; what was pending is discarded. One that had started
 * may still be running. A queued signal cannot be recalled; a posted kevent is withdrawn. Cancelling again succeeds. */
SIGEV_API int sigev_cancel(sigev_t subscription) SIGEV_NOEXCEPT;

/* The same, and none runs either: what the callback uses may be freed. May be called from inside the callback (which then
 * is the one delivery that still runs), and two callbacks may wait for each other's subscriptions: a callback does not
 * wait for one that is inside this call itself. */
SIGEV_API int sigev_cancel_and_wait(sigev_t subscription) SIGEV_NOEXCEPT;

/* Cancels and gives the handle up. */
SIGEV_API int sigev_close(sigev_t subscription) SIGEV_NOEXCEPT;

/* Reads the account. */
SIGEV_API int sigev_ledger_read(sigev_t subscription, struct sigev_ledger *ledger) SIGEV_NOEXCEPT;

/* The sum over all subscriptions of this process, closed ones included, of one source (SIGEV_SOURCE_*, or -1: all)
 * and one method (SIGEV_NONE .. SIGEV_THREAD_ID, SIGEV_CALLBACK, a registered number: all registered ones count
 * together; or -1: all). Zero when nothing was ever opened. */
SIGEV_API int sigev_ledger_total(int source, int method, struct sigev_ledger *ledger) SIGEV_NOEXCEPT;

/* The notification that this thread is delivering at the moment, inside a SIGEV_THREAD function, a SIGEV_CALLBACK
 * function or a registered method; NULL outside. */
SIGEV_API const struct sigev_notification *sigev_current(void) SIGEV_NOEXCEPT;

/* ---- methods of the program's own -------------------------------------------------------------------------------- */

/* Answers of deliver(). */
enum {
    SIGEV_DELIVERED = 0, /* the target has it */
    SIGEV_RETRY = 1,     /* not now: it is held, in order, and offered again after a while; nothing is lost */
    SIGEV_GONE = 2       /* there is no such target any more: discarded, and counted as such */
};

/* A method: how a notification reaches its target. All hooks but deliver may be NULL. No hook may call
 * sigev_shutdown(). */
struct sigev_method {
    size_t size;      /* sizeof (struct sigev_method) */
    const char *name; /* for tables and traces; copied, at most 15 characters are kept */
    void *context;    /* handed to every hook */
    /* At subscription, in the caller's thread: validates *event and reserves what deliver will need. Returns 0, or an
     * errno that becomes the error of the subscription; *target is handed to the other hooks. May block, may allocate. */
    int (*open)(void *context, const struct sigevent *event, void **target);
    /* Once per notification: on a borrowed reactor by the thread that runs it, on the runtime by one of its workers;
     * never twice at once for one subscription. Should not block; may call every function of this header but
     * sigev_shutdown(). On a borrowed reactor it must return: no pthread_exit(), no exception. */
    int (*deliver)(void *context, void *target, const struct sigev_notification *notification);
    /* When the subscription has ended and no delivery runs; in any thread. */
    void (*close)(void *context, void *target);
    /* When the method is unregistered and the last subscription with it has ended: perhaps a while after sigev_close() and
     * sigev_method_unregister() have returned, in any thread; by sigev_shutdown() at the latest. The last call: until then
     * context is used. In a forked child, where the method goes on as the child's own copy, once more for that copy. */
    void (*release)(void *context);
};

/* Returns the new method's number, to be stored in sigev_notify, or -1.
 * errors: EINVAL (size, no deliver), EAGAIN (65 535 numbers are in use), ENOMEM. */
SIGEV_API int sigev_method_register(const struct sigev_method *method) SIGEV_NOEXCEPT;

/* No new subscription can name the number; live ones go on. errors: EINVAL. */
SIGEV_API int sigev_method_unregister(int number) SIGEV_NOEXCEPT;

/* ---- timers: timer_create() and its family, with every method as target ------------------------------------------ */

/* As timer_create(); event NULL: SIGALRM with the timer's id as value. Two engines keep the time:
 *   the library's heap    CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME
 *   the kernel's timers   these and the others: CLOCK_TAI, CPU-time clocks of this process and thread (CLOCK_THREAD_CPUTIME_ID:
 *                         of the calling one), and of others (clock_getcpuclockid(), pthread_getcpuclockid()), and alarm clocks
 *                         where the kernel permits. They take a slot of the signal queue (RLIMIT_SIGPENDING) each
 * SIGEV_SIGNAL and SIGEV_THREAD_ID are left whole to the kernel on every clock: one queued signal a timer, an overrun that goes
 * on until that is accepted, and what becomes of it when the timer is deleted are the kernel's own; the ledger has
 * kernel_raised. With every other method the heap's clocks are on the heap, and on the others the kernel tells a thread of the
 * library's, which starts with the first such timer.
 * errors: EINVAL (clock, event as for sigev_open()), ENOTSUP (a clock that the host has but which has no timers:
 * CLOCK_MONOTONIC_RAW, the coarse ones), EAGAIN, and of other clocks what the kernel says. */
SIGEV_API int sigev_timer_create(clockid_t clock, struct sigevent *SIGEV_RESTRICT event,
                                 timer_t *SIGEV_RESTRICT timer) SIGEV_NOEXCEPT;

/* The same on a reactor that the caller's own event loop runs. A timer that is left whole to the kernel needs no loop to run, and
 * ends with the reactor like the others. */
SIGEV_API int sigev_timer_create_on(sigev_reactor_t reactor, clockid_t clock, struct sigevent *SIGEV_RESTRICT event,
                                    timer_t *SIGEV_RESTRICT timer) SIGEV_NOEXCEPT;

/* Who keeps a timer's time. */
enum {
    SIGEV_ENGINE_DEFAULT = 0, /* chosen by clock and method */
    /* The library. settime is no system call, and a timer takes no slot of the signal queue. SIGEV_SIGNAL and SIGEV_THREAD_ID go
     * by the dispatcher then, with a whole ledger, and not as POSIX has it: a signal is queued for each delivery, and an overrun
     * is what had expired when it was queued, not when it is accepted. */
    SIGEV_ENGINE_HEAP = 1,
    SIGEV_ENGINE_KERNEL = 2 /* the kernel's own timer, whatever the method */
};

/* Flags of struct sigev_timer_options. */
enum {
    /* The loop wakes early, by as much as waking has lately taken (at most 250 microseconds), and looks at the clock for
     * the rest. Never early, and late by about what a delivery takes. The price is a busy processor for that long before
     * each expiration, during which the loop still does what else comes. */
    SIGEV_TIMER_PRECISE = 1
};

/* Options of sigev_timer_create_with(). Zero every member that is not needed and set size. Slack and precision are of timers
 * that the library keeps (SIGEV_ENGINE_HEAP), which is chosen for a timer that asks for them. */
struct sigev_timer_options {
    uint32_t size;           /* sizeof (struct sigev_timer_options) */
    int32_t engine;          /* SIGEV_ENGINE_* */
    sigev_reactor_t reactor; /* 0: the runtime's, started on first use */
    uint64_t slack;          /* in nanoseconds: each expiration may come so much later, together with those of other timers, which
                                saves wakeups. Kept in microseconds, 35 minutes at most; periods do not drift by it */
    uint32_t flags;          /* SIGEV_TIMER_PRECISE, without slack, or 0 */
    uint32_t reserved;       /* 0 */
    sigev_manual_clock_t manual_clock; /* the clock is this one's side of that name; 0: the host's */
};

/* As sigev_timer_create(), with options; NULL: none. errors: as there, EINVAL (size, an engine that does not exist, unknown
 * flags, slack of a precise timer, a manual clock that does not exist, a reserved member that is not 0), ENOTSUP (the
 * engine does not serve the clock, or has no slack, precision or manual clock). */
SIGEV_API int sigev_timer_create_with(const struct sigev_timer_options *options, clockid_t clock,
                                      struct sigevent *SIGEV_RESTRICT event,
                                      timer_t *SIGEV_RESTRICT timer) SIGEV_NOEXCEPT;

/* As timer_settime(); flags 0 or TIMER_ABSTIME. Lock-free and async-signal-safe; never waits. The old value is the
 * exact one that this call replaced, also under concurrent calls. errors: EINVAL; of a timer of the kernel's also ESRCH (a
 * CPU-time clock whose thread or process has ended). */
SIGEV_API int sigev_timer_settime(timer_t timer, int flags, const struct itimerspec *SIGEV_RESTRICT value,
                                  struct itimerspec *SIGEV_RESTRICT old) SIGEV_NOEXCEPT;

/* As timer_gettime(). Async-signal-safe. */
SIGEV_API int sigev_timer_gettime(timer_t timer, struct itimerspec *value) SIGEV_NOEXCEPT;

/* As timer_getoverrun(): of the most recent delivery; -1 with errno on error. Async-signal-safe. */
SIGEV_API int sigev_timer_getoverrun(timer_t timer) SIGEV_NOEXCEPT;

/* As timer_delete(): disarms, cancels (see sigev_cancel()) and gives the id up. Waits for nothing. A settime of the same timer
 * that another thread is inside of is over when it returns itself. */
SIGEV_API int sigev_timer_delete(timer_t timer) SIGEV_NOEXCEPT;

/* The same, and returns when no callback of the timer runs (see sigev_cancel_and_wait()). */
SIGEV_API int sigev_timer_delete_wait(timer_t timer) SIGEV_NOEXCEPT;

/* Reads the account of the timer's subscription. */
SIGEV_API int sigev_timer_ledger(timer_t timer, struct sigev_ledger *ledger) SIGEV_NOEXCEPT;

/* ---- a manual clock: time for tests ---------------------------------------------------------------------------------
 *
 * Timers made on it (see struct sigev_timer_options) work as ever, with every method and by the same calls, but their time
 * stands still until sigev_manual_clock_advance() or _settime() moves it. When these return, all that has become due has
 * been raised: on a reactor of the caller's own, callbacks and registered methods have been called, by this thread;
 * signals are queued; what goes to another thread is on its way there. Two sides, as a machine has: CLOCK_MONOTONIC, which
 * CLOCK_BOOTTIME is here too, from 0; and CLOCK_REALTIME. What is armed for a time that has come already is raised by the
 * reactor's loop soon, as by any clock, or else when the clock is moved next. sigev_current() tells these times, too. */

/* realtime: where CLOCK_REALTIME begins; NULL: in September 2001. errors: EINVAL, EAGAIN. */
SIGEV_API int sigev_manual_clock_open(const struct timespec *SIGEV_RESTRICT realtime,
                                      sigev_manual_clock_t *SIGEV_RESTRICT clock) SIGEV_NOEXCEPT;

/* Time goes by, on both sides: each deadline on the way comes at its own time, and a timer that its callback sets anew may
 * be on the way again; each period of a periodic timer is raised at its time. (So it takes as long as there are periods: do
 * not let a year go by in nanoseconds.) One call at a time. errors: EINVAL, EDEADLK (called from inside a callback that a
 * reactor of the caller's own runs for one of the clock's timers). */
SIGEV_API int sigev_manual_clock_advance(sigev_manual_clock_t clock, const struct timespec *by) SIGEV_NOEXCEPT;

/* CLOCK_MONOTONIC or CLOCK_BOOTTIME: both sides go on to there in one leap, as for a program that was stopped meanwhile; what
 * a periodic timer has missed comes in one notification. CLOCK_REALTIME: that side is set, also back, as clock_settime()
 * does it: absolute timers on it follow, relative ones do not. errors: EINVAL (no such side, or back), EDEADLK (as above). */
SIGEV_API int sigev_manual_clock_settime(sigev_manual_clock_t clock, clockid_t side,
                                         const struct timespec *time) SIGEV_NOEXCEPT;

/* As clock_gettime(). Async-signal-safe. errors: EINVAL. */
SIGEV_API int sigev_manual_clock_gettime(sigev_manual_clock_t clock, clockid_t side, struct timespec *time) SIGEV_NOEXCEPT;

/* Deletes the timers on it and waits for their callbacks, as sigev_timer_delete_wait(). errors: EINVAL, EDEADLK (as above). */
SIGEV_API int sigev_manual_clock_close(sigev_manual_clock_t clock) SIGEV_NOEXCEPT;

/* ---- when CLOCK_REALTIME is set -----------------------------------------------------------------------------------------
 *
 * Opens a subscription, as sigev_open() and with its errors, to which the library submits whenever CLOCK_REALTIME has been
 * set, by clock_settime() or by the kernel at the end of a suspend: source SIGEV_SOURCE_CLOCK, cause SIGEV_CAUSE_STEPPED,
 * data by how many nanoseconds, negative: back. That it is made faster or slower (adjtime()) is no step. Steps that follow
 * each other before the reactor has looked are told as one. clock: 0, or a manual clock (EINVAL: there is no such), whose
 * REALTIME side is meant; it ends the telling when it is closed. sigev_close() and its like end the subscription;
 * sigev_submit() to it makes believe. The first one of a reactor adds a descriptor to it. */
SIGEV_API int sigev_clock_steps_open(sigev_manual_clock_t clock, const struct sigevent *event, uint32_t capacity,
                                     const struct sigev_options *options, sigev_t *subscription) SIGEV_NOEXCEPT;

/* ---- asynchronous input and output: <aio.h>, with every method as target ------------------------------------------
 *
 * On the host's own struct aiocb, whose aio_sigevent says how to tell. A zeroed aio_sigevent (on Linux: SIGEV_SIGNAL,
 * signal 0) is accepted and silent, as existing programs rely on. The aiocb and its buffer are needed until the status is
 * final, that is until sigev_aio_error() is not EINPROGRESS; then they may be freed or used again, also before the
 * notification arrives, which comes after the status. sigev_aio_return() need not be called.
 *
 * Inside the call: a read of a regular file of at most 256 KiB that is in memory is over when the call returns (see
 * sigev_aio_init()). Its notification comes all the same, by its method.
 *
 * The descriptor: what is not over inside the call works on a duplicate, which all requests on the same open descriptor share
 * while they run. close() and reuse of the number never redirect a request. Closing that duplicate, with the last of them,
 * drops the process's fcntl() record locks on the file, as every close() does: a program that needs both uses OFD locks. A
 * read that is over inside the call makes no duplicate and keeps them. A child that is forked meanwhile inherits it.
 *
 * Order: writes with O_APPEND land in the order of the calls, and sigev_aio_fsync() covers exactly the reads and writes that
 * were queued before it, both by file (not by descriptor). Nothing else is ordered; a write to a socket is not behind a read that
 * waits for its answer. Reads, and writes, that wait on one descriptor are served in the order of the calls.
 *
 * Transfers: of a regular file, whole, to the end of the file or an error. Of what may wait for ever (pipe, socket, terminal,
 * eventfd) a read ends with the first data, a write with all of it; the offset is ignored where there are none. O_NONBLOCK does
 * not matter. A write to a pipe that nobody reads is EPIPE, without SIGPIPE.
 *
 * Errors of the call: EINVAL (aio_reqprio outside 0 .. 20; sigevent or reactor as for sigev_open()), EBADF (no such kqueue;
 * sigev_aio_fsync(): descriptor), EPERM (thread attributes), EAGAIN (memory, descriptors, threads). Then nothing was started and
 * the aiocb is as it was. Errors of the operation, through sigev_aio_error(): EBADF (a read's or write's descriptor, also one that
 * is not open for it), EINVAL (a negative offset where there are offsets, a length beyond SSIZE_MAX), and all that the system
 * call itself answers.
 */
struct aiocb;

SIGEV_API int sigev_aio_read(struct aiocb *request) SIGEV_NOEXCEPT;
SIGEV_API int sigev_aio_write(struct aiocb *request) SIGEV_NOEXCEPT;

/* operation: O_SYNC or O_DSYNC. Starts when every request queued before it on that file is over; the first of their errors (not
 * that they were cancelled) becomes its own. Also of a descriptor that is open for reading only. */
SIGEV_API int sigev_aio_fsync(int operation, struct aiocb *request) SIGEV_NOEXCEPT;

/* As FreeBSD's aio_readv() and aio_writev(): aio_buf is an array of struct iovec, aio_nbytes the number of its entries (1 ..
 * IOV_MAX). The array is copied. errors: EINVAL also for the array, as readv(). */
SIGEV_API int sigev_aio_readv(struct aiocb *request) SIGEV_NOEXCEPT;
SIGEV_API int sigev_aio_writev(struct aiocb *request) SIGEV_NOEXCEPT;

/* Opcodes beyond LIO_READ, LIO_WRITE, LIO_NOP, for sigev_lio_listio() and sigev_aio_submit_on(). */
#define SIGEV_LIO_READV 0x5301
#define SIGEV_LIO_WRITEV 0x5302

/* The same, told through a reactor that the caller's own event loop runs. */
SIGEV_API int sigev_aio_submit_on(sigev_reactor_t reactor, int opcode, struct aiocb *request) SIGEV_NOEXCEPT;
SIGEV_API int sigev_aio_fsync_on(sigev_reactor_t reactor, int operation, struct aiocb *request) SIGEV_NOEXCEPT;

/* As aio_error(): EINPROGRESS, 0, or the errno of the operation; EINVAL: there is nothing to return. Lock-free,
 * async-signal-safe. */
SIGEV_API int sigev_aio_error(const struct aiocb *request) SIGEV_NOEXCEPT;

/* As aio_return(): the result, once; then -1 with EINVAL, as while it runs. Lock-free, async-signal-safe. */
SIGEV_API ssize_t sigev_aio_return(struct aiocb *request) SIGEV_NOEXCEPT;

/* As aio_suspend(): returns when one of the requests is over, or there is none in the list (NULL entries are left out).
 * *timeout: from now, CLOCK_MONOTONIC; NULL: for ever. Lock-free, async-signal-safe; a handler that interrupts it may leave it
 * by siglongjmp(). A cancellation point (so not noexcept in C++).
 * errors: EAGAIN (time is up), EINTR (a handler has run; without a timeout SA_RESTART goes on), EINVAL (entries < 0, timeout). */
SIGEV_API int sigev_aio_suspend(const struct aiocb *const list[], int entries, const struct timespec *timeout);

/* As aio_cancel(): one request, or (NULL) all that are under way on the open file that the descriptor now is. What was cancelled
 * ends with ECANCELED and -1, and is told as every end is. AIO_CANCELED: all were; AIO_ALLDONE: there was none under way;
 * AIO_NOTCANCELED: look at sigev_aio_error() of each: some go on, or have ended with what they had transferred. What waits (for
 * data, its turn, or a free thread) can be cancelled, a system call that runs cannot. When this returns, a cancelled request's
 * status is final. errors: EBADF, EINVAL (the request's descriptor is another one). */
SIGEV_API int sigev_aio_cancel(int descriptor, struct aiocb *request) SIGEV_NOEXCEPT;

/* As lio_listio(): mode LIO_WAIT or LIO_NOWAIT; aio_lio_opcode LIO_READ, LIO_WRITE, LIO_NOP, SIGEV_LIO_READV, SIGEV_LIO_WRITEV;
 * NULL entries are left out. Each request is told by its own aio_sigevent; of the whole, with LIO_NOWAIT, *event tells after all
 * of these (source SIGEV_SOURCE_AIO_LIST, ident the address of the array, error EIO if one has failed), of an empty list too.
 * The array and *event may be gone when this returns.
 * errors: EINVAL (mode, entries < 0, an opcode, an aio_reqprio), EBADF, EPERM (a sigevent): nothing was started. EAGAIN: nothing
 * was started, or only what has not EAGAIN for its status. LIO_WAIT: EIO (one has failed), EINTR (a handler has run; the
 * requests go on). */
SIGEV_API int sigev_lio_listio(int mode, struct aiocb *const list[], int entries, struct sigevent *event) SIGEV_NOEXCEPT;
SIGEV_API int sigev_lio_listio_on(sigev_reactor_t reactor, int mode, struct aiocb *const list[], int entries,
                                  struct sigevent *event) SIGEV_NOEXCEPT;

/* As FreeBSD's aio_waitcomplete(): waits for the oldest request of this process that is over and has not been returned, stores
 * its aiocb and does what sigev_aio_return() does: -1 with the request's errno if it has failed. *timeout: from now,
 * CLOCK_MONOTONIC; NULL: for ever. Requests are kept for it from the first call on, or from sigev_aio_init() with
 * SIGEV_AIO_KEEP_COMPLETED, which programs should call before their first request; what was started earlier is not seen. From
 * then on every aiocb has to be returned, by this or by sigev_aio_return(), before its memory goes or is used again.
 * errors, with NULL stored: EAGAIN (time is up), EINTR, EINVAL. */
SIGEV_API ssize_t sigev_aio_waitcomplete(struct aiocb **request, const struct timespec *timeout) SIGEV_NOEXCEPT;

/* Flags of struct sigev_aio_options. */
enum {
    /* No read is tried inside the call. */
    SIGEV_AIO_ALWAYS_QUEUE = 1,
    /* Requests are kept for sigev_aio_waitcomplete(). Cannot be taken back. */
    SIGEV_AIO_KEEP_COMPLETED = 2
};

/* Options of all asynchronous I/O of the process and of those it forks. Zeroed members: the default. */
struct sigev_aio_options {
    uint32_t size;              /* sizeof (struct sigev_aio_options) */
    uint32_t flags;             /* SIGEV_AIO_*, or 0 */
    uint64_t inline_limit;      /* reads of at most so many bytes are tried inside the call; default 262144 */
    uint32_t threads;           /* at most so many threads are in system calls on files at once; default 16 */
    uint32_t idle_milliseconds; /* after so long without work a thread leaves; default 5000 */
};

/* From now on; as often as wanted. errors: EINVAL. */
SIGEV_API int sigev_aio_init(const struct sigev_aio_options *options) SIGEV_NOEXCEPT;

/* ---- kqueue: the target of SIGEV_KEVENT ---------------------------------------------------------------------------- */

#if !defined(EVFILT_AIO)
#    define EVFILT_AIO (-3)   /* a request: ident its aiocb, data its errno, EV_EOF set */
#    define EVFILT_TIMER (-7) /* a timer: ident its timer_t, data the expirations since the last retrieval */
#    define EVFILT_LIO (-10)  /* a list of requests: ident the array, data EIO or 0; reported once, an empty list's too */
#    define EVFILT_USER (-11) /* a subscription: ident the sigev_t, data as submitted */
#endif
#if !defined(EV_ADD)
#    define EV_ADD 0x0001
#    define EV_DELETE 0x0002
#    define EV_ENABLE 0x0004
#    define EV_DISABLE 0x0008
#    define EV_ONESHOT 0x0010
#    define EV_CLEAR 0x0020
#    define EV_RECEIPT 0x0040
#    define EV_DISPATCH 0x0080
#    define EV_EOF 0x8000
#    define EV_ERROR 0x4000
#endif

struct sigev_kev {
    uintptr_t ident;
    int16_t filter;
    uint16_t flags;
    uint32_t fflags;
    int64_t data;
    void *udata; /* sigev_value of the sigevent */
};

/* Returns a new kqueue's descriptor (close-on-exec): it can be polled, and added to an epoll set. Close it with
 * sigev_kqueue_close(); what a plain close(2) leaves behind is found and freed when the number is used again. */
SIGEV_API int sigev_kqueue(void) SIGEV_NOEXCEPT;
SIGEV_API int sigev_kqueue_close(int kqueue) SIGEV_NOEXCEPT;

/* As kevent(): applies `changes` (EV_DELETE, EV_ENABLE, EV_DISABLE of posted events; EV_ADD is EPERM for EVFILT_AIO and
 * EINVAL for filters that this kqueue does not have), then retrieves at most nevents events, waiting at most *timeout
 * (NULL: for ever) for the first. Returns their number, 0 on timeout, -1 with EBADF, EINTR, EINVAL, or the error of a
 * change that found no room in `events`. */
SIGEV_API int sigev_kevent(int kqueue, const struct sigev_kev *changes, int nchanges, struct sigev_kev *events,
                           int nevents, const struct timespec *timeout) SIGEV_NOEXCEPT;

/* ---- event_raw: the wakeup --------------------------------------------------------------------------------------------
 *
 * An object that becomes readable when somebody posts to it: from any thread, from a signal handler, from a forked
 * child. Posts merge: after N posts the owner sees at least one wakeup, and at least one that starts after the last
 * post. The C++ I/O object sigev::event_raw and iv_event_raw(3) stand on it.
 */
struct sigev_event_raw;

enum {
    SIGEV_EVENT_RAW_DEFAULT = 0, /* eventfd where the kernel has it, else a pipe; SIGEV_FORCE=pipe chooses for all */
    SIGEV_EVENT_RAW_EVENTFD = 1,
    SIGEV_EVENT_RAW_PIPE = 2
};

/* errors: EINVAL (kind), EMFILE, ENFILE, ENOMEM, ENOSYS (SIGEV_EVENT_RAW_EVENTFD without eventfd). */
SIGEV_API int sigev_event_raw_open(int kind, struct sigev_event_raw **event) SIGEV_NOEXCEPT;

/* The descriptor to watch for readability. It belongs to the object. */
SIGEV_API int sigev_event_raw_fd(const struct sigev_event_raw *event) SIGEV_NOEXCEPT;

/* Posts. Async-signal-safe, lock-free; keeps errno; cannot fail: a descriptor that is full is readable anyway. */
SIGEV_API void sigev_event_raw_post(const struct sigev_event_raw *event) SIGEV_NOEXCEPT;

/* To be called when the descriptor is readable, before the handler runs: drains it and lets the next post write
 * again. Returns 1 when something was posted, 0 when not. By one thread at a time. */
SIGEV_API int sigev_event_raw_consume(struct sigev_event_raw *event) SIGEV_NOEXCEPT;

/* For an owner whose loop is its own from the call that blocks to its return (epoll_wait(), poll(), a read): while the
 * loop says that it is awake, a post is one exchange of a word and no system call. Without these calls a loop counts as
 * asleep for ever, and every first post writes. All three by the thread that runs the loop, lock-free:
 *
 *     for (;;) {
 *         if (sigev_event_raw_sleep(event)) {     // right before the call that blocks
 *             n = epoll_wait(...);                // edge-triggered, or consume() where the descriptor is reported
 *             sigev_event_raw_awake(event);       // right after, whatever has ended it
 *         }
 *         if (sigev_event_raw_take(event) || it was reported)
 *             handle();
 *     }
 *
 * sleep returns 1 when the loop may block, and 0 when something has been posted that the descriptor may never tell of.
 * take is consume without emptying the descriptor (a pipe is emptied all the same): for a loop that is awake, and for one
 * that waits for edges. It returns 1 when this process has posted; a post of another process shows as readiness only. */
SIGEV_API int sigev_event_raw_sleep(struct sigev_event_raw *event) SIGEV_NOEXCEPT;
SIGEV_API void sigev_event_raw_awake(struct sigev_event_raw *event) SIGEV_NOEXCEPT;
SIGEV_API int sigev_event_raw_take(struct sigev_event_raw *event) SIGEV_NOEXCEPT;

/* Ends the object. A post that races with this does nothing, and never reaches a recycled descriptor. In a process of
 * another fork epoch only this process's copies of the descriptors are closed. */
SIGEV_API void sigev_event_raw_close(struct sigev_event_raw *event) SIGEV_NOEXCEPT;

/* ---- the caller's own event loop ----------------------------------------------------------------------------------------
 *
 * A reactor hands out descriptors; the loop watches them for readability and calls sigev_reactor_ready(). The Asio
 * shell in sigev/detail/reactor_service.hpp is this interface's first user; an epoll, libuv or ivykis loop can be one.
 */
SIGEV_API int sigev_reactor_open(sigev_reactor_t *reactor) SIGEV_NOEXCEPT;

/* Stores at most n descriptors to be watched and returns how many there are. The set only grows (the first timer on a
 * clock adds one): ask again after each sigev_reactor_ready(). They belong to the reactor. */
SIGEV_API int sigev_reactor_descriptors(sigev_reactor_t reactor, int *descriptors, unsigned n) SIGEV_NOEXCEPT;

/* Descriptor number `which` (its place in the array) is readable: does all that is due. Any thread, also several at
 * once. The descriptors have to be watched for levels, not for edges: it may return at once because another thread is at it,
 * in this function or in a cancel, and leave the descriptor readable for the turn after. */
SIGEV_API int sigev_reactor_ready(sigev_reactor_t reactor, unsigned which) SIGEV_NOEXCEPT;

/* When sigev_reactor_ready() is to be called next for what time brings (timers; notifications that are tried again), as a
 * time of `clock`, one of CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME: for a loop that waits with a time-out of its own.
 * Returns 1 and stores it, or 0: never. It is the time that the last sigev_reactor_ready() has left; what is armed after
 * that, for earlier, makes descriptor 0 readable, which such a loop has to watch as ever. So: ready, then this, then wait.
 * From another thread it is the time so far; while the reactor is at work, the present. Timers on CLOCK_REALTIME may
 * become due by that clock's being set, which only their descriptor tells. Async-signal-safe. errors: EINVAL. */
SIGEV_API int sigev_reactor_next_deadline(sigev_reactor_t reactor, clockid_t clock,
                                          struct timespec *deadline) SIGEV_NOEXCEPT;

/* Makes the loop turn: descriptor 0 becomes readable. Async-signal-safe. errors: EINVAL. */
SIGEV_API int sigev_reactor_wake(sigev_reactor_t reactor) SIGEV_NOEXCEPT;

/* Cancels every subscription and timer of the reactor and closes its descriptors, which must not be watched any more.
 * errors: EINVAL, EDEADLK (called from inside a callback that this reactor runs). */
SIGEV_API int sigev_reactor_close(sigev_reactor_t reactor) SIGEV_NOEXCEPT;

/* ---- the runtime -------------------------------------------------------------------------------------------------------- */

/* Ends all that this process has of the library: timers, requests, subscriptions, kqueues, threads, descriptors, memory.
 * Event loops and Asio contexts that watch a reactor are ended first. Callbacks that run are waited for. Later calls start
 * afresh; every older handle is EINVAL. No other thread may be inside the library. errors: EDEADLK (called from inside a
 * callback). */
SIGEV_API int sigev_shutdown(void) SIGEV_NOEXCEPT;

/* How long the runtime's loop looks for posts before it sleeps, in microseconds: 0 (the default, not at all) to 10 000. Set
 * for the process, its forked children included, until it is set again. A thread that sleeps takes tens of microseconds to
 * be woken on another core; one that looks takes less than one. The price: after every wake, a timer's included, one core
 * is busy for that long, and threads that would have had it wait; on one core alone it only costs. What is not a post (a
 * timer, a signal of the kernel's) is noticed some 3 microseconds late meanwhile. errors: EINVAL. */
SIGEV_API int sigev_spin(unsigned microseconds) SIGEV_NOEXCEPT;

/* The fork epoch of this process: a number that a forked child does not share with its parent. Async-signal-safe. */
SIGEV_API uint32_t sigev_epoch(void) SIGEV_NOEXCEPT;

/* What this kernel and build can do, one answer per name; -1 with EINVAL for an unknown name. Names: "eventfd",
 * "atomic16", "wipeonfork", "pidfd_thread", "thread_folder", "timerfd", "perpetual_read". 1: used, 0: not there, 2: there, but forced off by
 * SIGEV_FORCE. "SIGEV_FORCE": 1 if all names in that variable mean something, else 0. */
SIGEV_API int sigev_probe(const char *name) SIGEV_NOEXCEPT;

/* The version of the library that runs, as 10000 * major + 100 * minor + patch. */
SIGEV_API int sigev_version(void) SIGEV_NOEXCEPT;

#if defined(__cplusplus)
}
#endif

#endif

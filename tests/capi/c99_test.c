/* The whole header in C99: every function is called once and answers what it should. Run by c99_test.cpp. */
#include <sigev.h>

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

const char *sigev_c99_run(void);

static int called; /* the test's own thread runs the loop */

static void on_call(union sigval value)
{
    const struct sigev_notification *n = sigev_current();
    if (n && n->value.sival_ptr == value.sival_ptr)
        ++*(int *)value.sival_ptr;
}

static int opened(void *context, const struct sigevent *event, void **target)
{
    (void)context;
    *target = event->sigev_value.sival_ptr;
    return 0;
}

static int deliver(void *context, void *target, const struct sigev_notification *n)
{
    (void)context;
    (void)n;
    ++*(int *)target;
    return SIGEV_DELIVERED;
}

static void closed(void *context, void *target)
{
    (void)context;
    (void)target;
}

static void released(void *context)
{
    (void)context;
}

#define STRING(x) #x
#define LINE(x) STRING(x)
#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return "line " LINE(__LINE__) ": " #condition;                                                             \
    } while (0)

static const char *subscriptions(sigev_reactor_t reactor)
{
    struct sigevent event;
    struct sigev_options options;
    struct sigev_ledger ledger;
    sigev_t s;

    memset(&event, 0, sizeof event);
    memset(&options, 0, sizeof options);
    event.sigev_notify = SIGEV_CALLBACK;
    event.sigev_value.sival_ptr = &called;
    event.sigev_notify_function = on_call;
    options.size = sizeof options;
    options.reactor = reactor;
    called = 0;
    MUST(sigev_open(&event, 4, &options, &s) == 0);
    MUST(sigev_submit(s, 1, 0) == 0);
    MUST(sigev_reactor_ready(reactor, 0) == 0);
    MUST(called == 1);
    MUST(sigev_ledger_read(s, &ledger) == 0 && ledger.raised == 1 && ledger.delivered == 1);
    MUST(sigev_ledger_total(SIGEV_SOURCE_USER, SIGEV_CALLBACK, &ledger) == 0 && ledger.delivered >= 1);
    MUST(sigev_cancel(s) == 0);
    MUST(sigev_cancel_and_wait(s) == 0);
    MUST(sigev_close(s) == 0);
    return NULL;
}

static const char *methods(sigev_reactor_t reactor)
{
    struct sigev_method method;
    struct sigev_options options;
    struct sigevent event;
    sigev_t s;

    memset(&method, 0, sizeof method);
    memset(&options, 0, sizeof options);
    memset(&event, 0, sizeof event);
    method.size = sizeof method;
    method.name = "count";
    method.open = opened;
    method.deliver = deliver;
    method.close = closed;
    method.release = released;
    event.sigev_notify = sigev_method_register(&method);
    MUST(event.sigev_notify >= SIGEV_METHOD_FIRST && event.sigev_notify <= SIGEV_METHOD_LAST);
    event.sigev_value.sival_ptr = &called;
    options.size = sizeof options;
    options.reactor = reactor;
    called = 0;
    MUST(sigev_open(&event, 1, &options, &s) == 0);
    MUST(sigev_submit(s, 0, 0) == 0);
    MUST(sigev_reactor_ready(reactor, 0) == 0);
    MUST(called == 1);
    MUST(sigev_close(s) == 0);
    MUST(sigev_method_unregister(event.sigev_notify) == 0);
    return NULL;
}

static const char *timers(sigev_reactor_t reactor)
{
    struct sigevent event;
    struct itimerspec value, old;
    struct sigev_ledger ledger;
    struct sigev_timer_options options;
    timer_t t, alarm;

    memset(&event, 0, sizeof event);
    memset(&value, 0, sizeof value);
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.engine = SIGEV_ENGINE_HEAP;
    options.reactor = reactor;
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGURG;
    event.sigev_notify_thread_id = (lwpid_t)getpid();
    MUST(sigev_timer_create_with(&options, CLOCK_MONOTONIC, &event, &t) == 0);
    value.it_value.tv_nsec = 1;
    MUST(sigev_timer_settime(t, TIMER_ABSTIME, &value, &old) == 0);
    MUST(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);
    MUST(sigev_reactor_ready(reactor, 0) == 0);
    MUST(sigev_timer_gettime(t, &old) == 0 && old.it_value.tv_nsec == 0);
    MUST(sigev_timer_getoverrun(t) == 0);
    MUST(sigev_timer_ledger(t, &ledger) == 0 && ledger.raised == 1);
    MUST(sigev_timer_delete(t) == 0);
    event.sigev_notify = SIGEV_NONE;
    MUST(sigev_timer_create_on(reactor, CLOCK_BOOTTIME, &event, &t) == 0);
    MUST(sigev_timer_delete(t) == 0);
    MUST(sigev_timer_create(CLOCK_REALTIME, NULL, &alarm) == 0);
    MUST(sigev_timer_delete_wait(alarm) == 0);
    return NULL;
}

static const char *kqueues(sigev_reactor_t reactor)
{
    struct sigevent event;
    struct sigev_options options;
    struct sigev_kev got;
    const struct timespec none = {0, 0};
    sigev_t s;
    const int kqueue = sigev_kqueue();

    MUST(kqueue >= 0);
    memset(&event, 0, sizeof event);
    memset(&options, 0, sizeof options);
    event.sigev_notify = SIGEV_KEVENT;
    event.sigev_notify_kqueue = kqueue;
    event.sigev_notify_kevent_flags = EV_CLEAR;
    event.sigev_value.sival_ptr = &event;
    options.size = sizeof options;
    options.reactor = reactor;
    MUST(sigev_open(&event, 1, &options, &s) == 0);
    MUST(sigev_submit(s, 7, 0) == 0);
    MUST(sigev_reactor_ready(reactor, 0) == 0);
    MUST(sigev_kevent(kqueue, NULL, 0, &got, 1, &none) == 1);
    MUST(got.filter == EVFILT_USER && got.data == 7 && got.udata == &event);
    MUST(sigev_close(s) == 0);
    MUST(sigev_kqueue_close(kqueue) == 0);
    return NULL;
}

static const char *requests(sigev_reactor_t reactor)
{
    static char buffer[16];
    struct aiocb request[4];
    int i;
    const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    MUST(file >= 0);
    memset(request, 0, sizeof request); /* SIGEV_SIGNAL, signal 0: silent */
    for (i = 0; i != 4; ++i) {
        request[i].aio_fildes = file;
        request[i].aio_buf = buffer;
        request[i].aio_nbytes = 4;
    }
    MUST(sigev_aio_read(&request[0]) == 0);
    MUST(sigev_aio_submit_on(reactor, LIO_READ, &request[1]) == 0);
    MUST(sigev_aio_write(&request[2]) == 0 || errno != 0); /* not open for writing: now or later */
    for (i = 0; i != 2; ++i) {
        while (sigev_aio_error(&request[i]) == EINPROGRESS)
            ;
        MUST(sigev_aio_error(&request[i]) == 0);
        MUST(sigev_aio_return(&request[i]) == 4);
    }
    request[3].aio_fildes = -1;
    MUST(sigev_aio_fsync(O_SYNC, &request[3]) == -1);
    MUST(sigev_aio_fsync_on(reactor, O_DSYNC, &request[3]) == -1);
    while (sigev_aio_error(&request[2]) == EINPROGRESS)
        ;
    close(file);
    return NULL;
}

static const char *wakeups(void)
{
    struct sigev_event_raw *event;

    MUST(sigev_event_raw_open(SIGEV_EVENT_RAW_DEFAULT, &event) == 0);
    MUST(sigev_event_raw_fd(event) >= 0);
    sigev_event_raw_post(event);
    MUST(sigev_event_raw_consume(event) == 1);
    sigev_event_raw_close(event);
    return NULL;
}

const char *sigev_c99_run(void)
{
    sigev_reactor_t reactor;
    int fds[8];
    const char *failed;

    signal(SIGURG, SIG_IGN);
    MUST(sigev_version() > 0);
    MUST(sigev_epoch() != 0);
    MUST(sigev_probe("timerfd") == 1);
    MUST(sigev_reactor_open(&reactor) == 0);
    MUST(sigev_reactor_descriptors(reactor, fds, 8) >= 1);
    if ((failed = subscriptions(reactor)) || (failed = methods(reactor)) || (failed = timers(reactor)) ||
        (failed = kqueues(reactor)) || (failed = requests(reactor)) || (failed = wakeups()))
        return failed;
    MUST(sigev_reactor_close(reactor) == 0);
    MUST(sigev_shutdown() == 0);
    return NULL;
}

/* A program for ivykis that uses iv_event_raw and nothing else of it. It is compiled unchanged against libsigev-iv and against
 * Debian's libivykis; both must say the same. It includes no more than its reader would expect: the rest comes with iv.h. */
#include <iv.h>
#include <iv_event_raw.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

/* ---- one thread ---- */

struct counter {
    struct iv_event_raw ev;
    const char *name;
    int calls;
    int last; /* the call that ends the loop */
};

static void count(void *cookie)
{
    struct counter *c = cookie;

    if (++c->calls == c->last)
        iv_quit();
}

static void start(struct counter *c, const char *name, int last)
{
    IV_EVENT_RAW_INIT(&c->ev);
    c->ev.cookie = c;
    c->ev.handler = count;
    c->name = name;
    c->calls = 0;
    c->last = last;
    printf("%s: register %d\n", name, iv_event_raw_register(&c->ev));
}

static void posts_merge(void)
{
    struct counter c;
    int i;

    start(&c, "merge", 1);
    for (i = 0; i < 1000; i++)
        iv_event_raw_post(&c.ev);
    printf("merge: %d calls before iv_main\n", c.calls);
    iv_main();
    printf("merge: %d calls\n", c.calls);
    iv_event_raw_post(&c.ev);
    c.last = 2;
    iv_main();
    printf("merge: %d calls\n", c.calls);
    iv_event_raw_unregister(&c.ev);
}

static void again(void *cookie)
{
    struct counter *c = cookie;

    if (++c->calls < 10)
        iv_event_raw_post(&c->ev);
    else
        iv_event_raw_unregister(&c->ev); /* and nothing is left */
}

static void posts_to_itself(void)
{
    struct counter c;

    start(&c, "itself", 0);
    c.ev.handler = again;
    iv_event_raw_post(&c.ev);
    iv_main();
    printf("itself: %d calls\n", c.calls);
}

static struct iv_event_raw *pair[2];
static int pair_calls;

static void free_both(void *cookie)
{
    int i;

    (void)cookie;
    pair_calls++;
    for (i = 0; i < 2; i++) {
        iv_event_raw_unregister(pair[i]);
        free(pair[i]);
    }
}

static void unregister_and_free(void)
{
    int i;

    for (i = 0; i < 2; i++) {
        pair[i] = malloc(sizeof(*pair[i]));
        IV_EVENT_RAW_INIT(pair[i]);
        pair[i]->cookie = NULL;
        pair[i]->handler = free_both;
        printf("free: register %d\n", iv_event_raw_register(pair[i]));
    }
    for (i = 0; i < 2; i++)
        iv_event_raw_post(pair[i]);
    iv_main();
    printf("free: %d call for two posted events\n", pair_calls);
}

static void register_again(void)
{
    struct counter c;
    int i;

    for (i = 0; i < 3; i++) {
        start(&c, "again", 1);
        iv_event_raw_post(&c.ev);
        iv_main();
        printf("again: %d calls\n", c.calls);
        iv_event_raw_unregister(&c.ev);
    }
}

/* ---- other threads ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int queued, taken;

static void take_queue(void *cookie)
{
    struct counter *c = cookie;

    c->calls++;
    pthread_mutex_lock(&lock);
    taken += queued;
    queued = 0;
    pthread_mutex_unlock(&lock);
    if (taken == c->last)
        iv_quit();
}

static void *queue_1000(void *object)
{
    int i;

    for (i = 0; i < 1000; i++) {
        pthread_mutex_lock(&lock);
        queued++;
        pthread_mutex_unlock(&lock);
        iv_event_raw_post(object);
    }
    return NULL;
}

static void threads_post(void)
{
    struct counter c;
    pthread_t thread[3];
    int i;

    start(&c, "threads", 3000);
    c.ev.handler = take_queue;
    for (i = 0; i < 3; i++)
        pthread_create(&thread[i], NULL, queue_1000, &c.ev);
    iv_main();
    for (i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    printf("threads: %d taken, calls %s\n", taken, c.calls >= 1 && c.calls <= 3000 ? "as many as it may" : "wrong");
    iv_event_raw_unregister(&c.ev);
}

/* ---- two loops that post to each other ---- */

struct player {
    struct iv_event_raw ev;
    struct player *other;
    pthread_t thread;
    pthread_barrier_t *ready;
    int calls, elsewhere;
};

static void play(void *cookie)
{
    struct player *p = cookie;

    if (!pthread_equal(pthread_self(), p->thread))
        p->elsewhere++;
    if (++p->calls <= 500)
        iv_event_raw_post(&p->other->ev);
    if (p->calls == 500)
        iv_quit();
}

static void *run_player(void *cookie)
{
    struct player *p = cookie;

    p->thread = pthread_self();
    iv_init();
    IV_EVENT_RAW_INIT(&p->ev);
    p->ev.cookie = p;
    p->ev.handler = play;
    if (iv_event_raw_register(&p->ev) != 0)
        printf("players: register failed\n");
    pthread_barrier_wait(p->ready);
    iv_main();
    pthread_barrier_wait(p->ready); /* nobody posts any more */
    iv_event_raw_unregister(&p->ev);
    iv_deinit();
    return NULL;
}

static void players(void)
{
    struct player a, b;
    pthread_t thread[2];
    pthread_barrier_t ready;

    pthread_barrier_init(&ready, NULL, 3);
    a.other = &b;
    b.other = &a;
    a.ready = b.ready = &ready;
    a.calls = b.calls = a.elsewhere = b.elsewhere = 0;
    pthread_create(&thread[0], NULL, run_player, &a);
    pthread_create(&thread[1], NULL, run_player, &b);
    pthread_barrier_wait(&ready);
    iv_event_raw_post(&a.ev);
    pthread_barrier_wait(&ready);
    pthread_join(thread[0], NULL);
    pthread_join(thread[1], NULL);
    printf("players: %d and %d calls, %d elsewhere\n", a.calls, b.calls, a.elsewhere + b.elsewhere);
    pthread_barrier_destroy(&ready);
}

/* ---- signal handlers and other processes ---- */

static const struct iv_event_raw *for_signal;

static void on_signal(int number)
{
    (void)number;
    iv_event_raw_post(for_signal);
}

static void signals_post(void)
{
    struct counter c;
    struct sigaction action;
    int i;

    start(&c, "signals", 1);
    for_signal = &c.ev;
    action.sa_handler = on_signal;
    action.sa_flags = 0;
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    for (i = 1; i <= 3; i++) {
        c.last = i;
        raise(SIGUSR1);
        iv_main();
        printf("signals: %d calls\n", c.calls);
    }
    iv_event_raw_unregister(&c.ev);
}

static void children_post(void)
{
    struct counter c;
    int i;

    start(&c, "children", 1);
    for (i = 1; i <= 3; i++) {
        int status = -1;
        pid_t pid;

        c.last = i;
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            iv_event_raw_post(&c.ev);
            _exit(0);
        }
        iv_main();
        waitpid(pid, &status, 0);
        printf("children: %d calls, status %d\n", c.calls, status);
    }
    iv_event_raw_unregister(&c.ev);
}

/* ---- the loop ---- */

static struct counter inner;

static void nested(void *cookie)
{
    struct counter *c = cookie;

    c->calls++;
    printf("nested: outer\n");
    iv_event_raw_post(&inner.ev);
    iv_main();
    printf("nested: back, inner has %d calls\n", inner.calls);
}

static void loops(void)
{
    struct counter outer;

    iv_main();
    printf("loop: iv_main returns when nothing is registered\n");
    start(&inner, "inner", 1);
    start(&outer, "outer", 0);
    outer.ev.handler = nested;
    iv_event_raw_post(&outer.ev);
    iv_main(); /* one iv_quit ends both */
    printf("nested: %d outer calls\n", outer.calls);
    iv_event_raw_unregister(&inner.ev);
    iv_quit(); /* outside of iv_main: nothing */
    outer.ev.handler = again;
    outer.calls = 9;
    iv_event_raw_post(&outer.ev);
    iv_main();
    printf("loop: %d calls\n", outer.calls);
}

int main(void)
{
    printf("inited %d\n", !!iv_inited());
    iv_init();
    printf("inited %d\n", !!iv_inited());
    posts_merge();
    posts_to_itself();
    unregister_and_free();
    register_again();
    threads_post();
    players();
    signals_post();
    children_post();
    loops();
    iv_deinit();
    printf("inited %d\n", !!iv_inited());
    return 0;
}

/* iv_event_raw.h - events from anywhere to the thread that wants them: other threads, signal handlers, forked processes.
 *
 * Source compatible with ivykis. The manual page, iv_event_raw(3), is the reference; where more is promised here than
 * there, it is said below.
 */
#ifndef SIGEV_IVYKIS_IV_EVENT_RAW_H
#define SIGEV_IVYKIS_IV_EVENT_RAW_H

#include <iv.h>

#if defined(__cplusplus)
extern "C" {
#endif

struct sigev_event_raw;

/* The program's storage. cookie and handler are read each time the handler is called. While it is registered the object
 * stays where it is; copying it copies no registration. */
struct iv_event_raw {
    void *cookie;
    void (*handler)(void *);

    /* the library's */
    struct sigev_event_raw *sigev_event; /* stays after unregister, for a post that comes just then */
    void *sigev_registration;
    unsigned long sigev_loop; /* 0: not registered */
    unsigned int sigev_epoch;
    void *sigev_reserved[2];
};

/* Before anything else that is done with the object. */
SIGEV_IV_API void IV_EVENT_RAW_INIT(struct iv_event_raw *object) SIGEV_IV_NOEXCEPT;

/* With the calling thread's event loop. 0, or -1 with errno: EINVAL (the thread has no event loop), EMFILE, ENFILE, ENOMEM,
 * ENOSPC (the user's limit of descriptors that epoll watches). On success errno is kept. */
SIGEV_IV_API int iv_event_raw_register(struct iv_event_raw *object) SIGEV_IV_NOEXCEPT;

/* In the thread that has registered it: the handler is not called any more, also when a post is on its way, and the memory
 * is the program's again. Elsewhere, and on an object that is not registered, it does nothing; in a forked child it closes
 * the child's copy of the descriptor, which the parent does not notice. May be called by any handler. */
SIGEV_IV_API void iv_event_raw_unregister(struct iv_event_raw *object) SIGEV_IV_NOEXCEPT;

/* Any thread, any signal handler, any forked child; lock-free, keeps errno. The handler is called once more at least after
 * this call, by iv_main() in the thread that has registered the object, never by this call itself; posts merge. On an object
 * that is not registered it does nothing. It may race with unregister as long as the memory is there; at worst it then wakes
 * an object that was registered meanwhile, whose handler is called though nobody has posted to it. */
SIGEV_IV_API void iv_event_raw_post(const struct iv_event_raw *object) SIGEV_IV_NOEXCEPT;

#if defined(__cplusplus)
}
#endif

#endif /* SIGEV_IVYKIS_IV_EVENT_RAW_H */

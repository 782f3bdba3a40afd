/* iv.h - the event loop that iv_event_raw.h needs, with the calls of ivykis. See iv_event_raw(3).
 *
 * This is not ivykis: it is the part of its interface that a program needs that uses iv_event_raw and nothing else of it.
 * Such a program compiles unchanged. This folder is an include path of its own, so that Debian's libivykis-dev can be
 * installed beside it; one program links one of the two libraries.
 *
 * Every thread has an event loop of its own, made by iv_init() in that thread. Handlers are called by iv_main(), one after
 * the other. No function here prints or ends the process; where one fails it says so in errno.
 */
#ifndef SIGEV_IVYKIS_IV_H
#define SIGEV_IVYKIS_IV_H

/* Not needed here: what programs for ivykis have always found behind this header. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#if defined(__GNUC__)
#    define SIGEV_IV_API __attribute__((visibility("default")))
#else
#    define SIGEV_IV_API
#endif

#if defined(__cplusplus) && __cplusplus >= 201103L
#    define SIGEV_IV_NOEXCEPT noexcept
#else
#    define SIGEV_IV_NOEXCEPT
#endif

#if defined(__cplusplus)
extern "C" {
#endif

/* Makes the calling thread's event loop; a second call changes nothing. Where it fails there is none, iv_inited() says so,
 * and errno says why: ENOMEM, EAGAIN (no thread-specific key left). On success errno is kept. */
SIGEV_IV_API void iv_init(void) SIGEV_IV_NOEXCEPT;

/* 1 in a thread that has an event loop, else 0; 0 also in a forked child, until it has called iv_init() itself. */
SIGEV_IV_API int iv_inited(void) SIGEV_IV_NOEXCEPT;

/* Calls the handlers of what has been posted, and sleeps when nothing has, until a handler has called iv_quit() or nothing
 * is registered any more. What was posted and not yet handled stays for the next iv_main(). It is a cancellation point, and
 * a handler may leave it by pthread_exit(). A C++ exception that leaves a handler ends in std::terminate(). */
SIGEV_IV_API void iv_main(void);

/* From a handler: the iv_main() that has called it returns when the handler does; so do those that this one was called in.
 * Outside iv_main() it does nothing. */
SIGEV_IV_API void iv_quit(void) SIGEV_IV_NOEXCEPT;

/* Ends the calling thread's event loop, and unregisters what is still registered there. A thread that ends without this
 * call ends it as well. */
SIGEV_IV_API void iv_deinit(void) SIGEV_IV_NOEXCEPT;

#if defined(__cplusplus)
}
#endif

#endif /* SIGEV_IVYKIS_IV_H */

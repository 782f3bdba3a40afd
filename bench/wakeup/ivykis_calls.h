/* ivykis' calls, from C: its headers use words that C++ keeps for itself. Compiled against Debian's libivykis, and against
 * libsigev-iv, which has the same names. */
#ifndef SIGEV_BENCH_IVYKIS_CALLS_H
#define SIGEV_BENCH_IVYKIS_CALLS_H

#ifdef __cplusplus
extern "C" {
#endif

struct ivykis_event;

void ivykis_begin_thread(void);
void ivykis_end_thread(void);
void ivykis_run(void);
void ivykis_stop(void);

/* Null when it cannot be registered. */
struct ivykis_event *ivykis_open(void (*handler)(void *), void *argument);
void ivykis_close(struct ivykis_event *event);
void ivykis_post(const struct ivykis_event *event);

#ifdef __cplusplus
}
#endif

#endif

/* ivykis' timers, from C: its headers use words that C++ keeps for itself. */
#ifndef SIGEV_BENCH_IVYKIS_TIMERS_H
#define SIGEV_BENCH_IVYKIS_TIMERS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ivykis_timers;

/* Null when there is no memory. */
struct ivykis_timers *ivykis_timers_open(size_t n, void (*expired)(void));
void ivykis_timers_close(struct ivykis_timers *timers);
void ivykis_timers_begin(void);
void ivykis_timers_arm(struct ivykis_timers *timers, size_t i, uint64_t ns);
uint64_t ivykis_timers_left(struct ivykis_timers *timers, size_t i);
/* Until somebody calls ivykis_timers_stop(). */
void ivykis_timers_run(void);
void ivykis_timers_stop(void);

#ifdef __cplusplus
}
#endif

#endif

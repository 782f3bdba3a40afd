/* Limits that root does not have, and that are lifted again. */
#ifndef SIGEV_TESTS_LOWERED_H
#define SIGEV_TESTS_LOWERED_H

#include "assertion.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The soft limit only: what it was is returned, for whoever lifts it. */
static inline rlim_t limit_to(int resource, rlim_t most)
{
    struct rlimit limit;
    need(getrlimit((__rlimit_resource_t)resource, &limit) == 0, "getrlimit: %s", strerror(errno));
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = most;
    need(setrlimit((__rlimit_resource_t)resource, &limit) == 0, "setrlimit: %s", strerror(errno));
    return before;
}

/* From here on RLIMIT_NPROC counts. Before there is another thread. */
static inline void become_nobody(void)
{
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        untested("the user cannot be changed here");
}

#endif

/* A program that is what it is by how it was linked: an existing program, and nothing else. */
#include "../workload.h"

#include <stdio.h>
#include <string.h>

int main(void)
{
    const int timers = use_timers(), aio = use_aio();
    if (timers || aio)
        printf("timers: %s, requests: %s\n", strerror(timers), strerror(aio));
    return timers || aio ? 3 : 0;
}

#include "wakeup/ivykis_calls.h"

#include <iv.h>
#include <iv_event_raw.h>

#include <stdlib.h>

struct ivykis_event {
    struct iv_event_raw raw;
};

void ivykis_begin_thread(void) { iv_init(); }
void ivykis_end_thread(void) { iv_deinit(); }
void ivykis_run(void) { iv_main(); }
void ivykis_stop(void) { iv_quit(); }

struct ivykis_event *ivykis_open(void (*handler)(void *), void *argument)
{
    struct ivykis_event *event = malloc(sizeof *event);
    if (!event)
        return NULL;
    IV_EVENT_RAW_INIT(&event->raw);
    event->raw.cookie = argument;
    event->raw.handler = handler;
    if (iv_event_raw_register(&event->raw) == 0)
        return event;
    free(event);
    return NULL;
}

void ivykis_close(struct ivykis_event *event)
{
    iv_event_raw_unregister(&event->raw);
    free(event);
}

void ivykis_post(const struct ivykis_event *event) { iv_event_raw_post(&event->raw); }

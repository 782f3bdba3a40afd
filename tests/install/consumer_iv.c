/* A C program of somebody's, written for ivykis. */
#include <iv.h>
#include <iv_event_raw.h>
#include <stdio.h>

static struct iv_event_raw event;

static void on_event(void *count)
{
    if (++*(int *)count == 3)
        iv_quit();
    else
        iv_event_raw_post(&event);
}

int main(void)
{
    int count = 0;

    iv_init();
    IV_EVENT_RAW_INIT(&event);
    event.handler = on_event;
    event.cookie = &count;
    if (iv_event_raw_register(&event))
        return 1;
    iv_event_raw_post(&event);
    iv_main();
    iv_event_raw_unregister(&event);
    iv_deinit();
    puts(count == 3 ? "three ticks" : "not three");
    return 0;
}

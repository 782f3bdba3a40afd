#include <iv_event_raw.h>

static void nothing(void *cookie) { (void)cookie; }

int main(void)
{
    struct iv_event_raw object;

    IV_EVENT_RAW_INIT(&object);
    object.cookie = &object;
    object.handler = nothing;
    return iv_event_raw_register(&object) == -1 ? 0 : 1; /* this thread has no loop */
}

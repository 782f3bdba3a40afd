#include <iv_event_raw.h>

#include <type_traits>

static_assert(std::is_standard_layout_v<iv_event_raw> && std::is_trivial_v<iv_event_raw>);

int main()
{
    iv_event_raw object;
    IV_EVENT_RAW_INIT(&object);
    object.cookie = &object;
    object.handler = [](void*) {};
    return iv_event_raw_register(&object) == -1 ? 0 : 1; // this thread has no loop
}

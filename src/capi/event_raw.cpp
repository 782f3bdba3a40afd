// sigev_event_raw_*(): the C edge of core/event_raw.
#include <sigev.h>

#include "capi/edge.hpp"
#include "core/event_raw.hpp"

int sigev_event_raw_open(int kind, struct sigev_event_raw** event) noexcept
{
    return sigev::capi::answer(
        event ? sigev::capi::guarded([&] { return sigev::core::open_event_raw(kind, *event); }) : EINVAL);
}

int sigev_event_raw_fd(const struct sigev_event_raw* event) noexcept { return sigev::core::descriptor_of(*event); }

void sigev_event_raw_post(const struct sigev_event_raw* event) noexcept { sigev::core::post(*event); }

int sigev_event_raw_consume(struct sigev_event_raw* event) noexcept { return sigev::core::consume(*event) ? 1 : 0; }

int sigev_event_raw_sleep(struct sigev_event_raw* event) noexcept { return sigev::core::try_sleep(*event) ? 1 : 0; }

void sigev_event_raw_awake(struct sigev_event_raw* event) noexcept { sigev::core::awake(*event); }

int sigev_event_raw_take(struct sigev_event_raw* event) noexcept { return sigev::core::take(*event) ? 1 : 0; }

void sigev_event_raw_close(struct sigev_event_raw* event) noexcept
{
    const sigev::capi::cancellation_hold hold;
    if (event)
        sigev::core::close(*event);
}

// SIGEV_NONE: nothing is sent. The occurrence is recorded where the program can poll it, and so counts as delivered.
#include "spi/method.hpp"

namespace sigev::backends {

namespace {

int open(const spi::open_request&, void**) noexcept
{
    return 0;
}

spi::verdict deliver(void*, spi::delivery&, const sigev_notification&) noexcept
{
    return spi::verdict::delivered;
}

} // namespace

extern const spi::method none_method = {
    .name = "none",
    .number = SIGEV_NONE,
    .may_retry = false,
    .runs_user_code = false,
    .deferred = false,
    .open = open,
    .deliver = deliver,
    .withdraw = nullptr,
    .call = nullptr,
    .close = nullptr,
    .light = true,
};

} // namespace sigev::backends

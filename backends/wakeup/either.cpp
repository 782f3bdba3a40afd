// The kind that a wakeup is of where nobody chooses: an eventfd, or a pipe where there is none.
#include "spi/wakeup.hpp"
#include "sys/force.hpp"

#include <cerrno>

namespace sigev::spi {

bool is_absent(int error) noexcept
{
    return error == ENOSYS || error == EINVAL || error == EPERM;
}

int open_wakeup(const wakeup_kind*& chosen, wakeup_pair& out) noexcept
{
    if (!sys::forced("pipe")) {
        chosen = &eventfd_wakeup;
        const int error = chosen->open(out);
        if (!is_absent(error))
            return error; // a lack of descriptors is no reason to try for two
    }
    chosen = &pipe_wakeup;
    return chosen->open(out);
}

} // namespace sigev::spi

// errno as the caller left it: for everything that may run in a signal handler, and for success at the C edge.
#pragma once

#include <cerrno>

namespace sigev::sys {

class errno_guard {
public:
    errno_guard() noexcept : saved_(errno) {}
    errno_guard(const errno_guard&) = delete;
    errno_guard& operator=(const errno_guard&) = delete;
    ~errno_guard() { errno = saved_; }

    /// The call fails after all: this is what the caller finds in errno. Returns -1.
    int fail(int error) noexcept
    {
        saved_ = error;
        return -1;
    }

private:
    int saved_;
};

} // namespace sigev::sys

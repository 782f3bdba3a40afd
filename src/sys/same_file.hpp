// Whether two descriptors of this process are the same open file (one is a duplicate of the other).
#pragma once

#include "sys/errno_guard.hpp"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sigev::sys {

/// False also where the kernel does not say: F_DUPFD_QUERY came with Linux 6.10, and kcmp() is an option that sandboxes
/// refuse. errno is kept.
inline bool is_same_file(int a, int b) noexcept
{
    constexpr int dupfd_query = 1024 + 3;
    const errno_guard guard;
    const int answer = ::fcntl(a, dupfd_query, b);
    if (answer >= 0)
        return answer == 1;
    if (errno == EBADF)
        return false;
    const auto self = ::getpid();
    return ::syscall(SYS_kcmp, self, self, KCMP_FILE, a, b) == 0;
}

} // namespace sigev::sys

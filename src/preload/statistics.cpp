#include "preload/statistics.hpp"

#include "capi/statistics.hpp"
#include "sys/errno_guard.hpp"
#include "sys/statistics_page.hpp"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sigev::preload {

namespace {

using sys::statistics::page;

/// Takes the text off the front, or the digits that stand there.
bool take(std::string_view& rest, std::string_view text) noexcept
{
    if (!rest.starts_with(text))
        return false;
    rest.remove_prefix(text.size());
    return true;
}

bool take_number(std::string_view& rest) noexcept
{
    const auto end = std::min(rest.find_first_not_of("0123456789"), rest.size());
    rest.remove_prefix(end);
    return end != 0;
}

/// Nothing else is opened: to open a file may do something to it.
bool names_a_descriptor(std::string_view path) noexcept
{
    return take(path, "/proc/") && take_number(path) && take(path, "/fd/") && take_number(path) && path.empty();
}

bool has_its_size_for_ever(int fd) noexcept
{
    struct stat about;
    const int seals = static_cast<int>(::syscall(SYS_fcntl, fd, F_GET_SEALS)); // no file but a memfd has any
    return seals >= 0 && (seals & F_SEAL_SHRINK) != 0 && ::fstat(fd, &about) == 0 &&
           about.st_size == static_cast<off_t>(sizeof(page));
}

page* map(int fd) noexcept
{
    if (!has_its_size_for_ever(fd))
        return nullptr;
    void* const memory = ::mmap(nullptr, sizeof(page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return nullptr;
    auto* const p = static_cast<page*>(memory);
    if (p->is == sys::statistics::magic && p->size == sizeof(page))
        return p;
    ::munmap(memory, sizeof(page));
    return nullptr;
}

} // namespace

// By raw calls, which are not noted as descriptors of the library's (preload/descriptors.hpp).
void join_statistics() noexcept
{
    const char* const path = std::getenv(sys::statistics::variable);
    if (!path || !names_a_descriptor(path))
        return;
    const sys::errno_guard guard;
    const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (fd < 0)
        return;
    page* const p = map(fd);
    ::syscall(SYS_close, fd);
    if (p)
        capi::share_statistics(*p);
}

} // namespace sigev::preload

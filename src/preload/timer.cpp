// timer_create() and its family, each on the function of include/sigev.h that bears its name.
#include "preload/host.hpp"
#include "preload/names.hpp"
#include "preload/replaced.hpp"

#include "capi/whose.hpp"

#include <sigev.h>

#include <cerrno>
#include <cstdint>

using namespace sigev;

namespace {

// Ours look like no timer_t of libc's. A number of the kernel's may be a timer that the program has made by system call, or what it
// has found in a siginfo_t (si_timerid). What is neither can only be libc's if libc has ever been asked; it takes such a
// number for a pointer, so it is not asked about one of nobody's.
bool is_libcs(timer_t timer) noexcept
{
    const auto number = reinterpret_cast<std::uint64_t>(timer);
    const preload::host& host = preload::this_host();
    if (capi::is_handle_of_ours(timer))
        return false;
    return !host.timers || host.late || number <= INT32_MAX;
}

// To be changed or deleted. What the kernel keeps for us is not the number's, whatever has made it up: a timer_t of a program that
// never set it is 0, the first of the kernel's.
bool is_libcs_to_change(timer_t timer) noexcept
{
    const auto number = reinterpret_cast<std::uint64_t>(timer);
    return is_libcs(timer) && !(number <= INT32_MAX && capi::is_kernel_timer_of_ours(static_cast<int>(number)));
}

} // namespace

SIGEV_EXPORT_TIMER(sigev_posix_timer_create, timer_create);
int sigev_posix_timer_create(clockid_t clock, sigevent* event, timer_t* timer) noexcept
{
    const preload::host& host = preload::this_host();
    if (!host.timers)
        return host.libc.timer_create(clock, event, timer);
    sigev_timer_options options{};
    options.size = sizeof options;
    options.engine = host.engine;
    options.flags = host.flags;
    if (sigev_timer_create_with(&options, clock, event, timer) == 0)
        return 0;
    // What was asked for by the environment, and cannot be had for this clock or method, is no reason to have no timer.
    if (errno != ENOTSUP || (options.engine == SIGEV_ENGINE_DEFAULT && options.flags == 0))
        return -1;
    return sigev_timer_create(clock, event, timer);
}

SIGEV_EXPORT_TIMER(sigev_posix_timer_settime, timer_settime);
int sigev_posix_timer_settime(timer_t timer, int flags, const itimerspec* value, itimerspec* old) noexcept
{
    return is_libcs_to_change(timer) ? preload::this_host().libc.timer_settime(timer, flags, value, old)
                                     : sigev_timer_settime(timer, flags, value, old);
}

SIGEV_EXPORT_TIMER(sigev_posix_timer_gettime, timer_gettime);
int sigev_posix_timer_gettime(timer_t timer, itimerspec* value) noexcept
{
    return is_libcs(timer) ? preload::this_host().libc.timer_gettime(timer, value) : sigev_timer_gettime(timer, value);
}

SIGEV_EXPORT_TIMER(sigev_posix_timer_getoverrun, timer_getoverrun);
int sigev_posix_timer_getoverrun(timer_t timer) noexcept
{
    return is_libcs(timer) ? preload::this_host().libc.timer_getoverrun(timer) : sigev_timer_getoverrun(timer);
}

SIGEV_EXPORT_TIMER(sigev_posix_timer_delete, timer_delete);
int sigev_posix_timer_delete(timer_t timer) noexcept
{
    return is_libcs_to_change(timer) ? preload::this_host().libc.timer_delete(timer) : sigev_timer_delete(timer);
}

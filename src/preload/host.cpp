#include "preload/host.hpp"

#include "preload/replaced.hpp"
#include "preload/statistics.hpp"

#include <sigev.h>

#include <atomic>
#include <cstdlib>
#include <dlfcn.h>
#include <pthread.h>
#include <string_view>
#include <sys/auxv.h>

namespace sigev::preload {

namespace {

host decided;
std::atomic<bool> is_decided{false};
pthread_once_t once = PTHREAD_ONCE_INIT;

template <class Function>
void find(Function& out, const char* name) noexcept
{
    out = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

void find_all(libc_functions& libc) noexcept
{
    find(libc.timer_create, "timer_create");
    find(libc.timer_settime, "timer_settime");
    find(libc.timer_gettime, "timer_gettime");
    find(libc.timer_getoverrun, "timer_getoverrun");
    find(libc.timer_delete, "timer_delete");
    find(libc.aio_read, "aio_read");
    find(libc.aio_write, "aio_write");
    find(libc.aio_fsync, "aio_fsync");
    find(libc.aio_error, "aio_error");
    find(libc.aio_return, "aio_return");
    find(libc.aio_suspend, "aio_suspend");
    find(libc.aio_cancel, "aio_cancel");
    find(libc.aio_init, "aio_init");
    find(libc.lio_listio, "lio_listio");
    find(libc.close, "close");
    find(libc.close_range, "close_range");
    find(libc.dup2, "dup2");
    find(libc.dup3, "dup3");
}

/// Is `name` in the list, which is separated by commas?
bool lists(std::string_view list, std::string_view name) noexcept
{
    while (!list.empty()) {
        const auto end = list.find(',');
        if (list.substr(0, end) == name)
            return true;
        list.remove_prefix(end == list.npos ? list.size() : end + 1);
    }
    return false;
}

std::string_view variable_of(const char* name) noexcept
{
    const char* const value = std::getenv(name);
    return value ? value : "";
}

void decide() noexcept
{
    find_all(decided.libc);
    // Who owns the name in the process: we, unless libc was there first (or somebody else who replaces it, and may call it).
    decided.late = ::dlsym(RTLD_DEFAULT, "timer_create") != reinterpret_cast<void*>(&sigev_posix_timer_create);
    // A program that runs with more rights than its caller has gets libc's, whatever the caller's environment says.
    const bool trusted = ::getauxval(AT_SECURE) == 0;
    const std::string_view off = variable_of("SIGEV_DISABLE");
    decided.timers = trusted && !lists(off, "timer");
    decided.aio = trusted && !lists(off, "aio");
    const std::string_view engine = variable_of("SIGEV_ENGINE");
    if (lists(engine, "timer=heap"))
        decided.engine = SIGEV_ENGINE_HEAP;
    else if (lists(engine, "timer=kernel"))
        decided.engine = SIGEV_ENGINE_KERNEL;
    decided.flags = variable_of("SIGEV_PRECISE").empty() ? 0 : SIGEV_TIMER_PRECISE;
    if (trusted)
        join_statistics();
    is_decided.store(true, std::memory_order_release);
}

[[gnu::constructor]] void at_load() noexcept
{
    this_host();
}

} // namespace

const host& this_host() noexcept
{
    if (!is_decided.load(std::memory_order_acquire)) [[unlikely]]
        ::pthread_once(&once, decide);
    return decided;
}

} // namespace sigev::preload

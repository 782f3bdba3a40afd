// What concerns the whole process: methods of the program's own, shutdown, epoch, probe, version.
#include "capi/edge.hpp"
#include "core/event_loop.hpp"
#include "sys/atomic16.hpp"
#include "sys/force.hpp"
#include "sys/fork_epoch.hpp"

#include <cstring>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace sigev;
using namespace sigev::capi;

int sigev_method_register(const sigev_method* method) noexcept
{
    call_guard guard;
    core::registry* all = nullptr;
    int number = -EINVAL;
    if (method && method->size == sizeof *method && method->deliver)
        number = (all = core::registry::ensure()) ? all->methods().add(*method) : -ENOMEM;
    return number >= 0 ? number : guard.fail(-number);
}

int sigev_method_unregister(int number) noexcept
{
    return answer(guarded([&] {
        core::registry* all = core::registry::ensure(); // a child may unregister what its parent registered
        return all ? all->methods().remove(number) : EINVAL;
    }));
}

int sigev_shutdown(void) noexcept
{
    return answer(guarded([] { return core::registry::shutdown(); }));
}

int sigev_spin(unsigned microseconds) noexcept
{
    constexpr unsigned longest = 10'000;
    if (microseconds <= longest)
        core::event_loop::spin.store(std::uint64_t{microseconds} * 1'000, std::memory_order_relaxed);
    return answer(microseconds <= longest ? 0 : EINVAL);
}

uint32_t sigev_epoch(void) noexcept
{
    return sys::ensure_epoch();
}

int sigev_version(void) noexcept
{
    return SIGEV_VERSION_NUMBER;
}

namespace {

constexpr int not_there = 0;
constexpr int used = 1;
constexpr int forced_off = 2;

int look(bool there, bool forced = false) noexcept
{
    if (!there)
        return not_there;
    return forced ? forced_off : used;
}

bool opens(int fd) noexcept
{
    return static_cast<bool>(sys::unique_fd(fd));
}

bool has_pidfd_thread() noexcept
{
    constexpr unsigned pidfd_thread = 0x80; // PIDFD_THREAD, Linux 6.9: O_EXCL
    return opens(static_cast<int>(::syscall(SYS_pidfd_open, ::syscall(SYS_gettid), pidfd_thread)));
}

} // namespace

int sigev_probe(const char* name) noexcept
{
    call_guard guard;
    if (name && !std::strcmp(name, "eventfd"))
        return look(opens(::eventfd(0, EFD_CLOEXEC)), sys::forced("pipe"));
    if (name && !std::strcmp(name, "timerfd"))
        return look(opens(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)));
    if (name && !std::strcmp(name, "atomic16"))
        return sys::forced("noatomic16") ? forced_off : look(sys::atomic16_is_lock_free());
    if (name && !std::strcmp(name, "wipeonfork"))
        return sys::forced("nowipe") ? forced_off : sys::ensure_epoch() && sys::epoch_is_wiped_by_kernel() ? used : not_there;
    if (name && !std::strcmp(name, "perpetual_read"))
        return look(true, sys::forced("noperpetual"));
    if (name && !std::strcmp(name, "pidfd_thread"))
        return look(has_pidfd_thread(), sys::forced("nopidfd"));
    if (name && !std::strcmp(name, "thread_folder"))
        return look(::access("/proc/self/task", X_OK) == 0, sys::forced("noproc"));
    if (name && !std::strcmp(name, "SIGEV_FORCE"))
        return sys::every_forced_name_exists();
    return guard.fail(EINVAL);
}

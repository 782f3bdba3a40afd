#include "backends/timer/kernel/receiver.hpp"

#include "backends/timer/kernel/kernel_engine.hpp"
#include "sys/futex.hpp"
#include "sys/signal_block.hpp"

#include <sigev.h>

#include <cerrno>
#include <sys/syscall.h>
#include <unistd.h>

namespace sigev::spi::kernel {

namespace {

constexpr int libc_internal = 32; // SIGCANCEL of glibc; its timers' helper thread waits for it in the same way
constexpr std::uint64_t its_set = std::uint64_t{1} << (libc_internal - 1);

} // namespace

int receiver::start(sigevent& event, const token& t) noexcept
{
    {
        const std::lock_guard lock(mutex_);
        if (tid_.load(std::memory_order_relaxed) == 0)
            if (const int error = start_thread())
                return error;
    }
    event = {};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = libc_internal;
    event.sigev_notify_thread_id = static_cast<pid_t>(tid_.load(std::memory_order_relaxed));
    event.sigev_value.sival_ptr = reinterpret_cast<void*>(t.pack());
    return 0;
}

int receiver::start_thread() noexcept
{
    stopping_.store(false, std::memory_order_relaxed);
    {
        const sys::signal_block blocked; // the thread inherits it: no handler of the program ever runs there
        if (::pthread_create(&thread_, nullptr, main, this) != 0)
            return EAGAIN;
    }
    while (tid_.load(std::memory_order_acquire) == 0)
        sys::futex_wait(tid_, 0);
    return 0;
}

void receiver::stop() noexcept
{
    const std::lock_guard lock(mutex_);
    const std::uint32_t tid = tid_.load(std::memory_order_relaxed);
    if (tid == 0)
        return;
    stopping_.store(true, std::memory_order_release);
    ::syscall(SYS_tgkill, ::getpid(), tid, libc_internal);
    ::pthread_join(thread_, nullptr);
    tid_.store(0, std::memory_order_relaxed);
}

void* receiver::main(void* self)
{
    sys::take_mask_of_a_library_thread();
    ::pthread_setname_np(::pthread_self(), "sigev-timer");
    static_cast<receiver*>(self)->run();
    return nullptr;
}

void receiver::run() noexcept
{
    ::syscall(SYS_rt_sigprocmask, SIG_BLOCK, &its_set, nullptr, sizeof its_set);
    tid_.store(static_cast<std::uint32_t>(::syscall(SYS_gettid)), std::memory_order_release);
    sys::futex_wake(tid_, 1);
    while (!stopping_.load(std::memory_order_acquire)) {
        siginfo_t info{};
        if (::syscall(SYS_rt_sigtimedwait, &its_set, &info, nullptr, sizeof its_set) != libc_internal)
            continue; // EINTR: setuid() of another thread
        if (info.si_code != SI_TIMER)
            continue;
        const token t = token::unpack(reinterpret_cast<std::uint64_t>(info.si_value.sival_ptr));
        if (kernel_engine* const e = engines_[t.engine].load(std::memory_order_acquire))
            e->take(t, info.si_timerid, 1 + static_cast<std::uint64_t>(info.si_overrun > 0 ? info.si_overrun : 0));
    }
}

} // namespace sigev::spi::kernel

namespace sigev::spi {

std::unique_ptr<kernel_timer_receiver> make_kernel_timer_receiver()
{
    return std::make_unique<kernel::receiver>();
}

} // namespace sigev::spi

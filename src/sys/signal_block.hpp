// Blocking signals around a few lines.
#pragma once

#include <cstddef>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sigev::sys {

/// Every signal that an application may use, but for the synchronous faults: blocking those turns a crash into a silent
/// kill. libc's own (32: cancellation, 33: setuid) are never in a set that sigfillset() makes.
inline sigset_t application_signals() noexcept
{
    sigset_t set;
    sigfillset(&set);
    for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP})
        sigdelset(&set, fault);
    return set;
}

/// First of all on a thread of ours: what it has inherited may be more, since its maker may have blocked anything.
inline void take_mask_of_a_library_thread() noexcept
{
    const sigset_t set = application_signals();
    ::pthread_sigmask(SIG_SETMASK, &set, nullptr);
}

/// Blocks them for a scope. Threads created inside inherit the mask, so no handler of the program ever runs on them.
class signal_block {
public:
    signal_block() noexcept
    {
        const sigset_t set = application_signals();
        ::syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, &saved_, kernel_set);
    }
    signal_block(const signal_block&) = delete;
    signal_block& operator=(const signal_block&) = delete;
    ~signal_block() { ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &saved_, nullptr, kernel_set); }

private:
    // pthread_sigmask() would take libc's own out of the mask that it puts back.
    static constexpr std::size_t kernel_set = _NSIG / 8;

    sigset_t saved_;
};

} // namespace sigev::sys

// Blocking signals around a few lines.
#pragma once

#include <pthread.h>
#include <signal.h>

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

/// Blocks them for a scope. Threads created inside inherit the mask, so no handler of the program ever runs on them.
class signal_block {
public:
    signal_block() noexcept
    {
        const sigset_t set = application_signals();
        ::pthread_sigmask(SIG_BLOCK, &set, &saved_);
    }
    signal_block(const signal_block&) = delete;
    signal_block& operator=(const signal_block&) = delete;
    ~signal_block() { ::pthread_sigmask(SIG_SETMASK, &saved_, nullptr); }

private:
    sigset_t saved_;
};

} // namespace sigev::sys

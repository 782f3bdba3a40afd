// Signals with a value: what rt_sigqueueinfo() and its relatives are given.
#pragma once

#include "sys/sender.hpp"

#include <sigev.h>

#include <cerrno>
#include <cstring>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sigev::sys {

/// What the kernel's timer_create() accepts, SIGKILL and libc's own among it.
inline bool valid_signal(int signo) noexcept
{
    return signo > 0 && signo < _NSIG;
}

/// si_timerid and si_overrun share their storage with si_pid and si_uid: one pair is filled, as whoever looks at si_code expects.
inline siginfo_t make_siginfo(int signo, const sigev_notification& n) noexcept
{
    siginfo_t info;
    std::memset(&info, 0, sizeof info);
    info.si_signo = signo;
    info.si_code = n.code;
    info.si_value = n.value; // the whole union: which half an int is in depends on the machine
    if (n.code == SI_TIMER) {
        info.si_timerid = static_cast<int>(n.ident);
        info.si_overrun = n.overrun;
    } else {
        info.si_pid = this_process();
        info.si_uid = this_user();
        info.si_errno = n.source == SIGEV_SOURCE_USER ? n.error : 0;
    }
    return info;
}

/// Queues to the process. 0, or EAGAIN: the signal queue is full.
inline int queue_to_process(int signo, const sigev_notification& n) noexcept
{
    siginfo_t info = make_siginfo(signo, n);
    return ::syscall(SYS_rt_sigqueueinfo, this_process(), signo, &info) == 0 ? 0 : errno;
}

} // namespace sigev::sys

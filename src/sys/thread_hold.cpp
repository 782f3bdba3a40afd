#include "sys/thread_hold.hpp"

#include "sys/force.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>

namespace sigev::sys {

namespace {

constexpr unsigned pidfd_thread = 0x80;             // PIDFD_THREAD (Linux 6.9)
constexpr unsigned pidfd_signal_thread = 1u << 0;   // PIDFD_SIGNAL_THREAD

bool is_ours(pid_t tid) noexcept
{
    return ::syscall(SYS_tgkill, ::getpid(), tid, 0) == 0;
}

bool out_of_descriptors() noexcept
{
    return errno == EMFILE || errno == ENFILE || errno == ENOMEM;
}

} // namespace

int thread_hold::open(pid_t tid) noexcept
{
    if (tid <= 0 || !is_ours(tid))
        return EINVAL;
    tid_ = tid;
    if (!forced("nopidfd")) {
        hold_ = unique_fd(static_cast<int>(::syscall(SYS_pidfd_open, tid, pidfd_thread)));
        kind_ = kind::pidfd;
        if (!hold_ && out_of_descriptors())
            return EAGAIN;
    }
    if (!hold_ && !forced("noproc")) {
        char path[48];
        std::snprintf(path, sizeof path, "/proc/self/task/%d", static_cast<int>(tid));
        hold_ = unique_fd(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
        kind_ = kind::folder;
        if (!hold_ && out_of_descriptors())
            return EAGAIN;
    }
    if (!hold_)
        kind_ = kind::number;
    // It may have ended, and its number gone elsewhere, before the hold was taken; if the hold is on a thread of ours now,
    // that thread is the one that the caller meant, or one that came to the number before the call could know better.
    return is_ours(tid) ? 0 : EINVAL;
}

int thread_hold::queue(int signo, const sigev_notification& n) noexcept
{
    siginfo_t info = make_siginfo(signo, n);
    long result;
    if (kind_ == kind::pidfd) {
        result = ::syscall(SYS_pidfd_send_signal, hold_.get(), signo, &info, pidfd_signal_thread);
    } else {
        // The folder of a thread that has ended has nothing in it, also when the number lives again.
        if (kind_ == kind::folder && ::faccessat(hold_.get(), "stat", F_OK, 0) != 0)
            return ESRCH;
        result = ::syscall(SYS_rt_tgsigqueueinfo, this_process(), tid_, signo, &info);
    }
    return result == 0 ? 0 : errno;
}

} // namespace sigev::sys

// A hold on one thread of this process, which does not pass to another thread that is given the same number: but where there is
// neither a descriptor for it (Linux 6.9) nor /proc, the number is all there is.
#pragma once

#include "sys/siginfo.hpp"
#include "sys/unique_fd.hpp"

#include <sys/types.h>

namespace sigev::sys {

class thread_hold {
public:
    /// 0, EINVAL (no such thread in this process), EAGAIN (no descriptor to be had).
    int open(pid_t tid) noexcept;

    /// Queues a signal to it. 0, EAGAIN (the queue is full), ESRCH (it has ended).
    int queue(int signo, const sigev_notification& n) noexcept;

private:
    enum class kind { number, folder, pidfd };

    pid_t tid_ = 0;
    kind kind_ = kind::number;
    unique_fd hold_;
};

} // namespace sigev::sys

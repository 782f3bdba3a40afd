// kevent(): changes, then events, then waiting for them.
#include "kqueue/kqueues.hpp"

#include "kqueue/deadline.hpp"
#include "sys/errno_guard.hpp"

#include <cerrno>

namespace sigev::kq {

int kqueues::kevent(int kqueue, const sigev_kev* changes, int nchanges, sigev_kev* events, int nevents,
                    const timespec* timeout) noexcept
{
    const sys::errno_guard guard;
    if (nchanges < 0 || nevents < 0 || (nchanges > 0 && !changes) || (nevents > 0 && !events)
        || !deadline::valid(timeout))
        return -EINVAL;
    const user q = find(kqueue);
    if (!q)
        return -EBADF;

    int told = 0;
    for (int i = 0; i < nchanges; ++i) {
        sigev_kev answer = changes[i]; // a copy: both arrays may be the same
        const int error = q->change(answer);
        if (!error && !(answer.flags & EV_RECEIPT))
            continue;
        if (told == nevents) {
            if (error)
                return -error;
            continue;
        }
        answer.flags = EV_ERROR;
        answer.data = error;
        events[told++] = answer;
    }
    if (told > 0 || nevents == 0)
        return told;

    for (const deadline until(timeout);;) {
        // The time first, the events second: what was posted before the time was over is not missed.
        const bool late = until.passed();
        if (const int count = q->retrieve(events, nevents))
            return count;
        if (q->closed())
            return -EBADF;
        if (late)
            return 0;
        if (const int error = until.wait(q->wait_descriptor()))
            return -error;
        if (!q->is(kqueue)) { // closed meanwhile, with us or without
            if (q->number() == kqueue)
                end(*q);
            return -EBADF;
        }
    }
}

} // namespace sigev::kq

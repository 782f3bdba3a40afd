// Holding a cancellation of the calling thread back around a few lines.
#pragma once

#include <pthread.h>

namespace sigev::sys {

/// libc's cancellation points stand under noexcept frames inside, and calls of ours are no cancellation points unless they say so.
class cancellation_hold {
public:
    cancellation_hold() noexcept { ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state_); }
    cancellation_hold(const cancellation_hold&) = delete;
    cancellation_hold& operator=(const cancellation_hold&) = delete;
    ~cancellation_hold() { ::pthread_setcancelstate(state_, nullptr); }

private:
    int state_ = PTHREAD_CANCEL_ENABLE;
};

} // namespace sigev::sys

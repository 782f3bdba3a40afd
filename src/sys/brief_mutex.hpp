// A lock that is held for some instructions only: who finds it taken looks at it a while before sleeping.
//
// std::mutex sleeps at once. Between two threads on two cores, each of which takes the lock for a tenth of a microsecond a time, that
// is a system call on either side and some microseconds for each time that they meet; and as they then run in step, they meet
// all the time. libc has the lock that looks first.
#pragma once

#include <pthread.h>

namespace sigev::sys {

class brief_mutex {
public:
    brief_mutex() = default;
    brief_mutex(const brief_mutex&) = delete;
    brief_mutex& operator=(const brief_mutex&) = delete;
    ~brief_mutex() { ::pthread_mutex_destroy(&mutex_); }

    void lock() noexcept { ::pthread_mutex_lock(&mutex_); }
    bool try_lock() noexcept { return ::pthread_mutex_trylock(&mutex_) == 0; }
    void unlock() noexcept { ::pthread_mutex_unlock(&mutex_); }

private:
    pthread_mutex_t mutex_ = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
};

} // namespace sigev::sys

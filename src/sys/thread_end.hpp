// Waiting for the end of a detached thread, destructors of its thread-specific data and its use of its stack included. There is
// no pthread_join() of such a thread; the program's code runs on ours, though, and a thread that it may take for detached must be
// so: it may call pthread_detach() itself, after which joining is undefined.
//
// The thread holds a robust mutex from its beginning, and never gives it up: the kernel does, when the thread has left user
// space for the last time. What the kernel still does then is to clear the word at the end of the thread's stack by which
// glibc knows that it has ended; after that it can be signalled no more, which is looked at as well.
#pragma once

#include <atomic>
#include <cstdint>
#include <pthread.h>
#include <sys/types.h>

namespace sigev::sys {

class thread_end {
public:
    thread_end() noexcept;
    thread_end(const thread_end&) = delete;
    thread_end& operator=(const thread_end&) = delete;

    /// On the thread, first of all.
    void begin() noexcept;

    /// Another thread asks, one at a time, after begin(). Once true, the object may go; before begin() it may as well.
    bool has_come() noexcept;

private:
    pthread_mutex_t alive_;
    pid_t tid_ = 0;
    std::uint64_t left_ = 0; ///< when it was seen to have left user space; 0: not yet
};

} // namespace sigev::sys

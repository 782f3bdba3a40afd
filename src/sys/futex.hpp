// Sleeping on a 32-bit word. Private futexes; spurious wakes are allowed everywhere.
#pragma once

#include "sys/errno_guard.hpp"

#include <atomic>
#include <climits>
#include <cstdint>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace sigev::sys {

/// Sleeps while word == expected, at most *timeout (relative, CLOCK_MONOTONIC; null: for ever).
inline void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                       const timespec* timeout = nullptr) noexcept
{
    errno_guard guard; // EAGAIN (the word moved on), EINTR and ETIMEDOUT are all answered by looking again
    ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, timeout, nullptr, 0);
}

/// For ever; false: a signal handler has run (and was not installed with SA_RESTART).
inline bool futex_wait_interruptibly(const std::atomic<std::uint32_t>& word, std::uint32_t expected) noexcept
{
    errno_guard guard;
    return ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0) == 0 || errno != EINTR;
}

inline void futex_wake(const std::atomic<std::uint32_t>& word, int count = INT_MAX) noexcept
{
    errno_guard guard;
    ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

} // namespace sigev::sys

// Who sends a signal, for its siginfo: this process and its real user, without a system call for each signal.
//
// The process has the same number for a whole fork epoch; where a fork may go unnoticed (fork_epoch.hpp) it is asked for each
// time. The user changes whenever the program calls setuid(), and nobody tells. But a batch of notifications that have all been
// raised before may share one answer: it is not older than any of them. So who delivers such a batch says so, by a `one_user`
// that lives as long; outside of one the answer is asked for each time.
#pragma once

#include "sys/fork_epoch.hpp"

#include <atomic>
#include <cstdint>
#include <sys/types.h>
#include <unistd.h>

namespace sigev::sys {

namespace detail {
struct known_user {
    bool may_be_kept;
    bool is_known;
    uid_t user;
};
inline thread_local known_user user_of_batch __attribute__((tls_model("initial-exec")));
inline std::atomic<std::uint64_t> known_process{0}; // epoch and number, so that a child's takes the place of both at once
} // namespace detail

inline pid_t this_process() noexcept
{
    const std::uint64_t epoch = current_epoch();
    const std::uint64_t known = detail::known_process.load(std::memory_order_relaxed);
    if (epoch != 0 && known >> 32 == epoch)
        return static_cast<pid_t>(known & 0xffffffff);
    const pid_t process = ::getpid();
    if (epoch != 0 && epoch_is_wiped_by_kernel())
        detail::known_process.store(epoch << 32 | static_cast<std::uint32_t>(process), std::memory_order_relaxed);
    return process;
}

inline uid_t this_user() noexcept
{
    detail::known_user& batch = detail::user_of_batch;
    if (!batch.may_be_kept)
        return ::getuid();
    if (!batch.is_known) {
        batch.user = ::getuid();
        batch.is_known = true;
    }
    return batch.user;
}

/// All that this thread sends until its end was raised before its beginning. They may nest: a batch may be delivered in the middle
/// of another.
class one_user {
public:
    one_user() noexcept : outer_(detail::user_of_batch) { detail::user_of_batch = {true, false, 0}; }
    one_user(const one_user&) = delete;
    one_user& operator=(const one_user&) = delete;
    ~one_user() { detail::user_of_batch = outer_; }

private:
    detail::known_user outer_;
};

} // namespace sigev::sys

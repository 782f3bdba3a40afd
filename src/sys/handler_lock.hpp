// A lock for the few words that signal handlers must share and no instruction can change at once.
//
// The holder runs with every signal blocked, libc's own included (by the raw call: glibc's would leave them open), so no handler
// and no cancellation of its thread can come while it holds one. A handler elsewhere only ever waits for a thread that is on its
// way out. Hold it for a few instructions, and take no second one of the same kind meanwhile.
//
// A fork may copy one that a thread of the parent holds. So the word is the fork epoch of its holder, and one of another epoch
// counts as free: its holder is not in this process.
#pragma once

#include "sys/errno_guard.hpp"

#include <atomic>
#include <cstdint>

namespace sigev::sys {

/// Zero bytes are one that is free.
class handler_lock {
public:
    class hold {
    public:
        explicit hold(handler_lock& lock) noexcept;
        hold(const hold&) = delete;
        hold& operator=(const hold&) = delete;
        ~hold();

    private:
        errno_guard errno_;
        handler_lock& lock_;
        std::uint64_t mask_ = 0;
    };

private:
    std::atomic<std::uint64_t> holder_{0}; // 0: free, otherwise 1 + the holder's epoch
};

} // namespace sigev::sys

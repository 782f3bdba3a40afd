// The contract of a kind of wakeup: what makes a descriptor readable from anywhere. backends/wakeup fills it.
#pragma once

#include <cstdint>

namespace sigev::spi {

/// A pair of descriptors; for an eventfd both are the same number.
struct wakeup_pair {
    int read = -1;
    int write = -1;
};

struct wakeup_kind {
    const char* name;

    /// It can hold so few signals that an owner who waits for edges must drain it all the same: a write to a full one makes
    /// no edge.
    bool fills_up;

    /// Opens non-blocking, close-on-exec descriptors. Returns 0 or an errno.
    int (*open)(wakeup_pair& out) noexcept;

    /// Makes `read` readable; unless it fills_up that is an edge too, each time. Async-signal-safe. A full pipe is success: it
    /// is readable already; interrupted writes are repeated. errno is the caller's to keep.
    void (*signal)(const wakeup_pair& pair) noexcept;

    /// Takes everything out that signal() has put in before this call. True when there was something: a post of
    /// another process leaves no other trace.
    bool (*drain)(const wakeup_pair& pair) noexcept;

    /// Closes this process's copies.
    void (*close)(wakeup_pair& pair) noexcept;
};

extern const wakeup_kind eventfd_wakeup;
extern const wakeup_kind pipe_wakeup;

/// Whether what eventfd_wakeup's open() answered says that there is no such call, no such flags, or a filter that forbids it.
bool is_absent(int error) noexcept;

/// Opens an eventfd, or a pipe where that is absent or SIGEV_FORCE says so. 0 or an errno.
int open_wakeup(const wakeup_kind*& chosen, wakeup_pair& out) noexcept;

} // namespace sigev::spi

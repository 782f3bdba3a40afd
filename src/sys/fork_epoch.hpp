// The fork epoch: a number that a child never shares with its parent, read in one load.
//
// It lives in a page that the kernel wipes in the child (MADV_WIPEONFORK), so fork, _Fork and a raw clone are all seen,
// and no handler runs at fork. Where the kernel refuses (or SIGEV_FORCE=nowipe), a pthread_atfork handler clears it, and
// then only fork() is seen. A vfork child shares the page with its parent: there only exec and _exit are defined.
#pragma once

#include <atomic>
#include <cstdint>

namespace sigev::sys {

namespace detail {
extern std::atomic<std::atomic<std::uint32_t>*> epoch_page;
}

/// The epoch of this process; 0 in a process that has not asked ensure_epoch() since it was forked (or ever).
/// Async-signal-safe.
inline std::uint32_t current_epoch() noexcept
{
    const auto* page = detail::epoch_page.load(std::memory_order_acquire);
    return page ? page->load(std::memory_order_acquire) : 0;
}

/// The same, and gives the process one if it has none. Async-signal-safe once a process of the family has called it
/// outside a handler (the page is made then). 0 when no page can be had.
std::uint32_t ensure_epoch() noexcept;

/// True when the page is wiped by the kernel, false when a fork handler clears it.
bool epoch_is_wiped_by_kernel() noexcept;

} // namespace sigev::sys

#include "sys/handler_lock.hpp"

#include "sys/fork_epoch.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sigev::sys {

namespace {

constexpr int spins_before_yield = 200;

void set_mask(const std::uint64_t& mask, std::uint64_t* old) noexcept
{
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, old, sizeof mask);
}

} // namespace

handler_lock::hold::hold(handler_lock& lock) noexcept : lock_(lock)
{
    set_mask(~std::uint64_t{0}, &mask_);
    const std::uint64_t self = std::uint64_t{ensure_epoch()} + 1;
    std::uint64_t holder = 0;
    for (int spins = 0; !lock_.holder_.compare_exchange_weak(holder, self, std::memory_order_seq_cst); ++spins) {
        if (holder == self)
            holder = 0; // held here: wait for it; held in another process: take it at the next turn
        if (spins >= spins_before_yield)
            ::sched_yield();
    }
}

handler_lock::hold::~hold()
{
    lock_.holder_.store(0, std::memory_order_seq_cst);
    set_mask(mask_, nullptr);
}

} // namespace sigev::sys

// The choice of the path, and the path without the instruction.
//
// A stripe of spinlocks, chosen by the word's address. The holder runs with every signal blocked, libc's own included
// (by the raw call: glibc's would leave them open), so no handler and no cancellation of its thread can come while it
// holds one. A handler elsewhere only ever waits for a thread that is on its way out.
//
// The stripes are static, and a fork may copy one that a thread of the parent holds. So a lock word is the fork epoch
// of its holder, and one of another epoch counts as free: its holder is not in this process.
#include "sys/atomic16.hpp"

#include "sys/errno_guard.hpp"
#include "sys/force.hpp"
#include "sys/fork_epoch.hpp"

#include <cstddef>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#    include <cpuid.h>
#endif

namespace sigev::sys {

namespace detail {
std::atomic<atomic16_path> atomic16_chosen{atomic16_path::undecided};
}

namespace {

using detail::atomic16_chosen;
using detail::atomic16_path;

constexpr std::size_t stripes = 64;
constexpr int spins_before_yield = 200;

struct alignas(64) stripe {
    std::atomic<std::uint64_t> holder{0}; // 0: free, otherwise 1 + the holder's epoch
};
stripe locks[stripes];

bool processor_has_cas16() noexcept
{
#if !SIGEV_HAVE_CAS16
    return false;
#elif defined(__x86_64__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_CMPXCHG16B);
#else
    return true;
#endif
}

void set_mask(const std::uint64_t& mask, std::uint64_t* old) noexcept
{
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, old, sizeof mask);
}

class locked {
public:
    explicit locked(const void* address) noexcept
        : stripe_(locks[(reinterpret_cast<std::uintptr_t>(address) >> 4) % stripes].holder)
    {
        set_mask(~std::uint64_t{0}, &mask_);
        const std::uint64_t self = std::uint64_t{ensure_epoch()} + 1;
        std::uint64_t holder = 0;
        for (int spins = 0; !stripe_.compare_exchange_weak(holder, self, std::memory_order_seq_cst); ++spins) {
            if (holder == self)
                holder = 0; // held here: wait for it; held in another process: take it at the next turn
            if (spins >= spins_before_yield)
                ::sched_yield();
        }
    }
    locked(const locked&) = delete;
    locked& operator=(const locked&) = delete;
    ~locked()
    {
        stripe_.store(0, std::memory_order_seq_cst);
        set_mask(mask_, nullptr);
    }

private:
    errno_guard errno_;
    std::atomic<std::uint64_t>& stripe_;
    std::uint64_t mask_ = 0;
};

} // namespace

bool atomic16_is_lock_free() noexcept
{
    auto chosen = atomic16_chosen.load(std::memory_order_acquire);
    if (chosen == atomic16_path::undecided) {
        const errno_guard guard;
        ensure_epoch(); // makes its page here, where allocating is allowed
        const bool instruction = processor_has_cas16() && !forced("noatomic16");
        const auto wanted = instruction ? atomic16_path::instruction : atomic16_path::lock;
        // Of two threads that decide at once the first decides for both: one word must never see both paths.
        if (atomic16_chosen.compare_exchange_strong(chosen, wanted, std::memory_order_acq_rel))
            chosen = wanted;
    }
    return chosen == atomic16_path::instruction;
}

bool atomic16::compare_exchange_locked(pair64& expected, pair64 desired) noexcept
{
    if (atomic16_is_lock_free())
        return compare_exchange(expected, desired);
    const locked guard(this);
    const pair64 seen = guess();
    const bool equal = seen == expected;
    if (equal) {
        // The low half is what others read alone, so it goes last: who sees the new one finds all of it written.
        half(1).store(desired.hi, std::memory_order_relaxed);
        half(0).store(desired.lo, std::memory_order_seq_cst);
    }
    expected = seen;
    return equal;
}

} // namespace sigev::sys

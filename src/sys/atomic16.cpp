// The choice of the path, and the path without the instruction.
//
// That is a lock for handlers (sys/handler_lock.hpp), one of a stripe of them, chosen by the word's address.
#include "sys/atomic16.hpp"

#include "sys/errno_guard.hpp"
#include "sys/force.hpp"
#include "sys/fork_epoch.hpp"
#include "sys/handler_lock.hpp"

#include <cstddef>

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
struct alignas(64) stripe {
    handler_lock lock;
};
stripe locks[stripes];

handler_lock& lock_of(const void* address) noexcept
{
    return locks[(reinterpret_cast<std::uintptr_t>(address) >> 4) % stripes].lock;
}

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
    const handler_lock::hold hold(lock_of(this));
    const pair64 seen = guess();
    const bool equal = seen == expected;
    // Who only reads writes nothing: store_high() does not take the lock, and what it has just stored would be taken back.
    if (equal && seen != desired) {
        // The low half is what others read alone, so it goes last: who sees the new one finds all of it written.
        half(1).store(desired.hi, std::memory_order_relaxed);
        half(0).store(desired.lo, std::memory_order_seq_cst);
    }
    expected = seen;
    return equal;
}

} // namespace sigev::sys

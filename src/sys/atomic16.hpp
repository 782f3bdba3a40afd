// A 16-byte word that is read and exchanged as one: {lo, hi}. Async-signal-safe; every operation is seq_cst.
//
// g++ 12's std::atomic of 16 bytes calls libatomic and says that it is not lock-free, so this goes through the __sync
// builtins, which are full barriers. Whether the processor has the instruction is asked once, at run time. Where it
// has not (or SIGEV_FORCE=noatomic16): all signals blocked around a spinlock; see atomic16.cpp. A sequence lock would
// be wrong there: a handler that interrupts its writer would read for ever.
//
// Either half can also be read alone, on both paths, by a plain 64-bit load: it is a value that the word really had,
// and takes part in the one order of all seq_cst operations. Reading both costs a compare-exchange, which takes the cache
// line from its owner.
#pragma once

#include <atomic>
#include <cstdint>

#if defined(__GCC_HAVE_SYNC_COMPARE_AND_SWAP_16) || defined(__aarch64__)
#    define SIGEV_HAVE_CAS16 1
#else
#    define SIGEV_HAVE_CAS16 0
#endif

namespace sigev::sys {

struct pair64 {
    std::uint64_t lo = 0;
    std::uint64_t hi = 0;

    friend constexpr bool operator==(const pair64&, const pair64&) noexcept = default;
};

namespace detail {

enum class atomic16_path : int { undecided, instruction, lock };
extern std::atomic<atomic16_path> atomic16_chosen;

} // namespace detail

/// True when the operations are single instructions. The first call decides for the process and is not
/// async-signal-safe: whoever makes words for use in handlers calls it before.
bool atomic16_is_lock_free() noexcept;

/// Zero bytes are a valid word {0, 0}, so arrays of them may come straight from the kernel.
class atomic16 {
public:
    constexpr atomic16() noexcept = default;
    atomic16(const atomic16&) = delete;
    atomic16& operator=(const atomic16&) = delete;

    pair64 load() const noexcept
    {
        pair64 seen = guess();
        // Writes back what it finds, or nothing: the word's value never changes.
        while (!const_cast<atomic16*>(this)->compare_exchange(seen, seen) && !a_refusal_tells)
            ;
        return seen;
    }

    /// One half at one moment.
    std::uint64_t load_low() const noexcept { return half(0).load(std::memory_order_seq_cst); }
    std::uint64_t load_high() const noexcept { return half(1).load(std::memory_order_seq_cst); }

    /// For the only one who may change the word just now: whatever others expect of it they do not find. Not part of the one order of
    /// the others: a store of release.
    void store_high(std::uint64_t high) noexcept
    {
        if constexpr (exchange_is_a_lock) {
            for (pair64 seen = guess(); !compare_exchange(seen, {seen.lo, high});)
                ;
        } else {
            half(1).store(high, std::memory_order_release);
        }
    }

    /// The halves read one after the other, perhaps of two different values: good only as the expectation of a
    /// compare_exchange, which tells.
    pair64 guess() const noexcept
    {
        const std::uint64_t low = load_low();
        return {low, half(1).load(std::memory_order_relaxed)};
    }

    pair64 exchange(pair64 desired) noexcept
    {
        pair64 old = guess();
        while (!compare_exchange(old, desired))
            ;
        return old;
    }

    /// On failure `expected` is what the word was; or, unless a_refusal_tells, two halves as of guess(): aarch64 before LSE
    /// compares what a load-exclusive has read, and only a store-exclusive that succeeds says that it was one value.
    bool compare_exchange(pair64& expected, pair64 desired) noexcept
    {
#if SIGEV_HAVE_CAS16
        if (detail::atomic16_chosen.load(std::memory_order_relaxed) == detail::atomic16_path::instruction) [[likely]] {
            const wide before = join(expected);
            const wide seen = __sync_val_compare_and_swap(&word_, before, join(desired));
            expected = {static_cast<std::uint64_t>(seen), static_cast<std::uint64_t>(seen >> 64)};
            return seen == before;
        }
#endif
        pair64 seen = expected; // so that nobody's own has to stand in memory
        const bool done = compare_exchange_locked(seen, desired);
        expected = seen;
        return done;
    }

    /// The same for who asks the word itself, should it refuse: the processor's flag then is all that is looked at afterwards.
    bool replace(pair64 expected, pair64 desired) noexcept
    {
#if SIGEV_HAVE_CAS16
        if (detail::atomic16_chosen.load(std::memory_order_relaxed) == detail::atomic16_path::instruction) [[likely]]
            return __sync_bool_compare_and_swap(&word_, join(expected), join(desired));
#endif
        pair64 seen = expected;
        return compare_exchange_locked(seen, desired);
    }

private:
#if defined(__aarch64__)
    static constexpr bool a_refusal_tells = false;
#else
    static constexpr bool a_refusal_tells = true;
#endif
#if defined(__SANITIZE_THREAD__)
    // ThreadSanitizer's own: it reads, compares and writes in turn, so a load(), which writes what it has read, takes back what a
    // bare store has put there meanwhile.
    static constexpr bool exchange_is_a_lock = true;
#else
    static constexpr bool exchange_is_a_lock = false;
#endif
    __extension__ using wide = unsigned __int128;
    using half_ref = std::atomic_ref<std::uint64_t>;

    static constexpr wide join(pair64 p) noexcept { return wide{p.hi} << 64 | p.lo; }

    half_ref half(int which) const noexcept
    {
        static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low half stands first");
        using aliased [[gnu::may_alias]] = std::uint64_t;
        return half_ref(reinterpret_cast<aliased*>(const_cast<wide*>(&word_))[which]);
    }

    [[gnu::cold]] bool compare_exchange_locked(pair64& expected, pair64 desired) noexcept;

    alignas(16) wide word_ = 0;
};

static_assert(sizeof(atomic16) == 16 && alignof(atomic16) == 16);

} // namespace sigev::sys

// The lock of one kqueue, which a signal handler may ask a favour of.
//
// aio_return() ends a level event, and with it perhaps the readability of the kqueue's descriptor. It may run in a
// signal handler, where nobody may wait for a lock: the holder can be the very code that was interrupted. So it
// takes the lock only if it is free; if not, it leaves a bit in the same word, and the holder does the work before
// it lets go. One word, hence no gap: a holder frees the lock by an exchange that fails when the bit has been set
// since it last looked.
//
// Who holds the lock by lock_or_ask() in a handler must have signals blocked: a handler on top of it may
// siglongjmp.
#pragma once

#include "sys/futex.hpp"

#include <atomic>
#include <cstdint>

namespace sigev::kq {

class asked_lock {
public:
    void lock() noexcept
    {
        std::uint32_t o = 0;
        if (word_.compare_exchange_strong(o, held, std::memory_order_acquire, std::memory_order_relaxed))
            return;
        for (;;) {
            if (!(o & held)) {
                // Others may sleep still: whoever has slept passes the duty to wake on.
                if (word_.compare_exchange_weak(
                        o, held | waited, std::memory_order_acquire, std::memory_order_relaxed))
                    return;
                continue;
            }
            if (!(o & waited)
                && !word_.compare_exchange_weak(o, o | waited, std::memory_order_relaxed, std::memory_order_relaxed))
                continue;
            sys::futex_wait(word_, o | waited);
            o = word_.load(std::memory_order_relaxed);
        }
    }

    /// Never waits; async-signal-safe. True: the caller holds the lock. False: somebody does, and will settle.
    bool lock_or_ask() noexcept
    {
        std::uint32_t o = word_.load(std::memory_order_relaxed);
        while (!word_.compare_exchange_weak(
            o, o & held ? o | asked : held, std::memory_order_acq_rel, std::memory_order_relaxed))
            ;
        return !(o & held);
    }

    /// Calls settle(), under the lock, and frees it; again and again as long as somebody asks meanwhile.
    template <class Settle>
    void unlock(Settle&& settle) noexcept
    {
        std::uint32_t o = word_.load(std::memory_order_relaxed);
        do {
            if (o & asked)
                word_.fetch_and(~asked, std::memory_order_acquire); // before settle looks: what comes later asks anew
            settle();
            o = word_.load(std::memory_order_relaxed);
            while (!(o & asked)
                   && !word_.compare_exchange_weak(o, 0, std::memory_order_release, std::memory_order_relaxed))
                ;
        } while (o & asked);
        if (o & waited)
            sys::futex_wake(word_, 1);
    }

private:
    static constexpr std::uint32_t held = 1;
    static constexpr std::uint32_t waited = 2; // somebody sleeps on the word
    static constexpr std::uint32_t asked = 4;  // never without held

    std::atomic<std::uint32_t> word_{0};
};

} // namespace sigev::kq

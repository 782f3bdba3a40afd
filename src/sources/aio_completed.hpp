// What aio_waitcomplete() returns: the requests that are over and not returned, the oldest first.
//
// It contradicts another promise: that nothing is kept of a request whose status is final, so that programs which never call
// aio_return() may go on for ever. So it is kept only for a program that asks for it (sigev_aio_init(), or its first
// aio_waitcomplete()), and such a program has to return each request, as FreeBSD's have to.
//
// Who returns a request, aio_return() or aio_waitcomplete(), is decided by an exchange of its entry's word: so aio_return()
// needs no lock here either. It finds the entry by what stands in the aiocb: index and generation. Entries live in a table that
// never gives memory back, so a stale one is looked at without harm. What aio_return() has taken stays in the list until the
// list is looked through: when somebody waits, and when it has doubled.
#pragma once

#include "core/slab.hpp"

#include <aio.h>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <sys/types.h>

namespace sigev::sources {

struct aio_entry {
    std::uint32_t index = 0;
    /// generation, and below it one bit: it can be returned
    std::atomic<std::uint64_t> word{0};
    aiocb* cb = nullptr;
    ssize_t result = 0;
    int error = 0;
    aio_entry* next = nullptr;
};

/// But for claim(), under the source's mutex.
class aio_completed {
public:
    static constexpr std::uint32_t none = UINT32_MAX;

    /// Memory for one that is about to begin; none: there is none.
    std::uint32_t reserve() noexcept
    {
        std::uint32_t index;
        return entries_.acquire(index) ? index : none;
    }
    void give_back(std::uint32_t index) noexcept { entries_.release(index); }

    /// The request of this entry is over. Returns what claim() will want to know.
    std::uint64_t add(std::uint32_t index, aiocb& cb, ssize_t result, int error) noexcept;

    /// The oldest; then it is the caller's, and nobody else's. False: there is none.
    bool take(aio_entry& out) noexcept;

    /// By aio_return(): true: it is the caller's. Lock-free, async-signal-safe.
    bool claim(std::uint64_t handle) noexcept
    {
        aio_entry* const e = entries_.at(static_cast<std::uint32_t>(handle));
        std::uint64_t word = (handle >> 32 << 1) | 1;
        return e && e->word.compare_exchange_strong(word, word & ~std::uint64_t{1});
    }

private:
    void sweep() noexcept;
    void retire(aio_entry& e) noexcept;

    core::slab<aio_entry> entries_;
    aio_entry* first_ = nullptr;
    aio_entry* last_ = nullptr;
    std::size_t length_ = 0;
    std::size_t swept_at_ = 64;
};

} // namespace sigev::sources

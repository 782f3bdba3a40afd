// Requests that are told by kevent: the board on which aio_return() crosses them out, and a kqueue finds them.
//
// aio_return() is async-signal-safe and must not lock, allocate or free. So each such request has a mark here, in a hash of chains
// that only grow, and aio_return() does one compare-exchange on each mark that bears its aiocb; the request is dropped by whoever
// looks at it next under the lock of its kqueue.
//
// A mark is all that a request in flight has of its kqueue: until it is over nothing can be reported of it, and what changes may
// say meanwhile (EV_DISABLE) is a bit. Its note comes to be when it is posted, in the memory that the request does not need any
// more.
//
// Where `aiocb` and `where` are the request's and the kqueue's whose lock is held, `holds` is that kqueue's too. For a mark is
// taken under the lock of its kqueue, and crossed out under it when it is not needed any more; only then it is given back, to the
// next one of the same chain. An aiocb whose address is used again gets a mark that nobody has crossed out.
#pragma once

#include "spi/kqueue_port.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace sigev::kq {
class queue;
}

struct sigev::spi::pledge {
    std::atomic<std::uint64_t> aiocb{0};      ///< 0: crossed out, or nobody's
    std::atomic<kq::queue*> where{nullptr};   ///< kqueues are never freed while others of the process live
    pledge* next = nullptr;                   ///< in the chain; constant once it is in
    std::atomic<std::uint64_t> holds{0};      ///< the address of the note, or what is to become of it; when it is free: the next free one

    bool crossed_out() const noexcept { return aiocb.load(std::memory_order_acquire) == 0; }
    void cross_out() noexcept { aiocb.store(0, std::memory_order_release); }
};

namespace sigev::kq {

using mark = spi::pledge;

// There is one for each request that is told so, and the memory of the request besides.
static_assert(sizeof(mark) == 32);

/// What a mark holds of a request that has not been posted.
struct awaited {
    std::uint16_t flags = 0;
    std::uint16_t chain = 0; ///< in which the mark stands
    bool enabled = true;
    bool superseded = false;

    std::uint64_t packed() const noexcept
    {
        return 1u | (enabled ? 2u : 0u) | (superseded ? 4u : 0u) | std::uint64_t{flags} << 16 | std::uint64_t{chain} << 32;
    }

    /// Not an address, which is even.
    static bool is(std::uint64_t holds) noexcept { return holds & 1; }

    static awaited from(std::uint64_t holds) noexcept
    {
        return {static_cast<std::uint16_t>(holds >> 16), static_cast<std::uint16_t>(holds >> 32), (holds & 2) != 0, (holds & 4) != 0};
    }
};

class marks {
public:
    marks() = default;
    marks(const marks&) = delete;
    marks& operator=(const marks&) = delete;
    ~marks();

    /// Under the lock of the kqueue. Null: no memory.
    mark* take(std::uint64_t aiocb, queue& where, std::uint16_t flags) noexcept;

    /// It has been crossed out under that lock.
    void give_back(std::uint16_t chain, mark& m) noexcept;

    static std::uint16_t chain_of(std::uint64_t aiocb) noexcept
    {
        // Multiplicative: aiocbs of an array lie a constant distance apart, which is to fill all chains evenly.
        return static_cast<std::uint16_t>((aiocb * 0x9e3779b97f4a7c15U) >> (64 - bits));
    }

    /// Crosses `aiocb` out wherever it stands, and calls found(queue&) for each. Async-signal-safe.
    template <class Found>
    void cross_out(std::uint64_t aiocb, Found&& found) noexcept
    {
        for (mark* m = first_of(aiocb); m; m = m->next) {
            std::uint64_t expected = aiocb;
            if (m->aiocb.load(std::memory_order_relaxed) == aiocb
                && m->aiocb.compare_exchange_strong(expected, 0, std::memory_order_acq_rel, std::memory_order_relaxed))
                found(*m->where.load(std::memory_order_relaxed));
        }
    }

    /// Calls found(mark&) for each that bears `aiocb` in this kqueue, whose lock is held.
    template <class Found>
    void find(std::uint64_t aiocb, const queue& where, Found&& found) noexcept
    {
        if (aiocb == 0) // nobody's
            return;
        for (mark* m = first_of(aiocb); m; m = m->next)
            if (m->aiocb.load(std::memory_order_acquire) == aiocb && m->where.load(std::memory_order_relaxed) == &where)
                found(*m);
    }

private:
    struct chain {
        std::atomic<mark*> head{nullptr};
        mark* free = nullptr;
    };
    struct block; ///< marks that were allocated together

    static constexpr unsigned bits = 12;

    mark* first_of(std::uint64_t aiocb) const noexcept
    {
        chain* const all = chains_.load(std::memory_order_acquire);
        return all ? all[chain_of(aiocb)].head.load(std::memory_order_acquire) : nullptr;
    }

    chain* chains() noexcept;
    mark* fresh() noexcept;

    block* blocks_ = nullptr; // newest first
    std::size_t used_ = 0;    // of the newest
    std::mutex mutex_; // the free lists, and pushes; a leaf
    std::atomic<chain*> chains_{nullptr}; // made with the first mark
};

} // namespace sigev::kq

// Which requests have an event standing in a kqueue: the board on which aio_return() crosses them out.
//
// aio_return() is async-signal-safe and must not lock, allocate or free. So each note of a request has a mark here,
// in a hash of chains that only grow, and aio_return() does one compare-exchange on each mark that bears its aiocb;
// the note is dropped by whoever looks at it next under the lock of its kqueue. A mark belongs to a note from
// take() to give_back() and to the next one of the same chain afterwards: an aiocb whose address is used again gets
// a mark that nobody has crossed out.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace sigev::kq {

class queue;

struct mark {
    std::atomic<std::uint64_t> aiocb{0};  ///< 0: crossed out, or nobody's
    std::atomic<queue*> where{nullptr};   ///< kqueues are never freed while others of the process live
    mark* next = nullptr;                 ///< in the chain; constant once it is in
    mark* next_free = nullptr;

    bool crossed_out() const noexcept { return aiocb.load(std::memory_order_acquire) == 0; }
    void cross_out() noexcept { aiocb.store(0, std::memory_order_release); }
};

class marks {
public:
    marks() = default;
    marks(const marks&) = delete;
    marks& operator=(const marks&) = delete;
    ~marks();

    /// Null: no memory.
    mark* take(std::uint64_t aiocb, queue& where) noexcept;

    void give_back(std::uint64_t aiocb, mark& m) noexcept;

    /// Crosses `aiocb` out wherever it stands, and calls found(queue&) for each. Async-signal-safe.
    template <class Found>
    void cross_out(std::uint64_t aiocb, Found&& found) noexcept
    {
        for (mark* m = chain_of(aiocb).head.load(std::memory_order_acquire); m; m = m->next) {
            std::uint64_t expected = aiocb;
            if (m->aiocb.load(std::memory_order_relaxed) == aiocb
                && m->aiocb.compare_exchange_strong(expected, 0, std::memory_order_acq_rel, std::memory_order_relaxed))
                found(*m->where.load(std::memory_order_relaxed));
        }
    }

private:
    struct chain {
        std::atomic<mark*> head{nullptr};
        mark* free = nullptr;
    };

    static constexpr unsigned bits = 8;

    chain& chain_of(std::uint64_t aiocb) noexcept
    {
        // Multiplicative: aiocbs of an array lie a constant distance apart, which is to fill all chains evenly.
        return chains_[static_cast<std::size_t>((aiocb * 0x9e3779b97f4a7c15U) >> (64 - bits))];
    }

    struct block; ///< marks that were allocated together
    mark* fresh() noexcept;

    block* blocks_ = nullptr; // newest first
    std::size_t used_ = 0;    // of the newest
    std::mutex mutex_; // the free lists, and pushes; a leaf
    std::array<chain, std::size_t{1} << bits> chains_{};
};

} // namespace sigev::kq

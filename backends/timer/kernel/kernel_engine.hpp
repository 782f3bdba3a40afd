// Timers of the kernel's own, by system call: whoever has a handle is led to the kernel's id, and kept from another's.
//
// Who touches what. settime(), gettime(), overrun(): any thread, any signal handler: they pin the slot (pin_word.hpp), and do
// the kernel's call. destroy(): the same. take(): the receiver's thread, which has got a carried timer's signal. reap(): who
// holds the reactor's drain word. acquire(): any thread; the only one that takes a mutex.
//
// A carried expiry. The kernel has queued its one signal for the timer to the receiver's thread, and counts on until that
// signal is taken. take() finds the slot by the number in the signal, and nothing if that timer has gone; adds to `fired`,
// sets the slot's bit, wakes the reactor. reap() takes the bits and exchanges `fired` for 0. Where there is no signal in
// flight and no bit, nothing is owed.
//
// The end. destroy() ends the generation; who leaves the slot last tells the kernel, tells the sink, and puts the slot onto a
// stack that is only ever taken whole, so a handler may be that last one.
#pragma once

#include "backends/timer/kernel/books.hpp"
#include "backends/timer/kernel/pin_word.hpp"
#include "backends/timer/kernel/receiver.hpp"
#include "spi/kernel_timers.hpp"
#include "sys/ready_bitmap.hpp"
#include "sys/segmented_array.hpp"

#include <mutex>

namespace sigev::spi::kernel {

class kernel_engine final : public kernel_timer_engine {
public:
    kernel_engine(receiver& told, std::uint32_t number, kernel_timer_sink& sink) noexcept;

    int acquire(std::uint32_t& slot, std::uint32_t& generation) noexcept override;
    void release(std::uint32_t slot) noexcept override;
    int create(std::uint32_t slot, clockid_t clock, const sigevent* direct) noexcept override;
    int settime(std::uint32_t slot, std::uint32_t generation, int flags, const itimerspec& value, itimerspec* old) noexcept override;
    int gettime(std::uint32_t slot, std::uint32_t generation, itimerspec& value) noexcept override;
    int overrun(std::uint32_t slot, std::uint32_t generation, int& count) noexcept override;
    int raised(std::uint32_t slot, std::uint32_t generation, std::uint64_t& count) noexcept override;
    int destroy(std::uint32_t slot, std::uint32_t generation, std::uint64_t& raised) noexcept override;
    void reap() noexcept override;
    bool keeps(int id) const noexcept override;

    /// The receiver has taken a signal of `count` expirations.
    void take(const token& t, int id, std::uint64_t count) noexcept;

private:
    static constexpr std::uint32_t nothing = ~std::uint32_t{0};
    static constexpr int no_timer = -1; // as an id of the kernel's
    static constexpr std::uint32_t max_slots = 1u << token::slot_bits;

    struct slot {
        pin_word pins;
        // Fixed from create() to the end of the generation.
        std::atomic<int> id;
        std::atomic<clockid_t> clock;
        std::atomic<bool> carried;

        // Direct.
        kernel::books own;
        std::atomic<kernel::books*> books; ///< these, or some that others see

        // Carried.
        std::atomic<std::int64_t> first; ///< deadline
        std::atomic<std::int64_t> interval;
        std::atomic<clockid_t> base;    ///< on which they are
        std::atomic<std::uint64_t> told; ///< expirations since it was armed
        std::atomic<std::uint64_t> fired;
        std::atomic<std::int64_t> due; ///< of the first of `fired`

        std::uint32_t next; ///< free
    };

    template <class F>
    int inside(std::uint32_t slot, std::uint32_t generation, F&& f) noexcept;
    void leave(std::uint32_t index, slot& s) noexcept;
    static kernel::books& books_of(slot& s) noexcept { return *s.books.load(std::memory_order_relaxed); }
    int settime_carried(slot& s, int flags, const itimerspec& value, itimerspec* old) noexcept;
    void give_back(std::uint32_t index) noexcept;

    receiver& receiver_;
    const std::uint32_t number_;
    kernel_timer_sink& sink_;
    sys::segmented_array<slot, 64> slots_;
    sys::ready_bitmap ready_;

    std::mutex mutex_;                           // of what follows, and of growing
    std::uint32_t free_ = nothing, last_ = nothing; // oldest first
    std::uint32_t created_ = 0;
    std::atomic<std::uint32_t> given_back_{nothing};
};

} // namespace sigev::spi::kernel

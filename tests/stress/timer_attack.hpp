// The arena itself: what timer_arena.hpp promises, declared; timer_attack.cpp fills the threads, timer_arena.cpp the
// rounds.
#pragma once

#include "stress/timer_arena.hpp"
#include "stress/timer_books.hpp"

#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include <signal.h>
#include <time.h>
#include <unistd.h>

namespace sigev_tests {

namespace spi = sigev::spi;

inline constexpr unsigned setters = 3;
inline constexpr unsigned max_slots = 1 << 16;
inline constexpr unsigned books_per_round = 4096;
inline constexpr std::uint64_t quantum = 1 << 14;

/// Strikes the thread that makes it with SIGUSR1, by a timer of the kernel's, for as long as it stands.
class strikes {
public:
    explicit strikes(bool on, long every)
    {
        if (!on)
            return;
        sigevent event = {};
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_signo = SIGUSR1;
        event._sigev_un._tid = gettid();
        const itimerspec period = {{0, every}, {0, every}};
        if (timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0 || timer_settime(timer_, 0, &period, nullptr) != 0)
            std::abort();
        made_ = true;
    }
    strikes(const strikes&) = delete;
    strikes& operator=(const strikes&) = delete;
    ~strikes()
    {
        if (made_)
            timer_delete(timer_);
    }

private:
    timer_t timer_ = {};
    bool made_ = false;
};

/// A small generator, one per user: the handler must not share one with the code that it interrupts.
class dice {
public:
    explicit dice(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
    std::uint64_t roll(std::uint64_t sides)
    {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return (state_ >> 20) % sides;
    }

private:
    std::uint64_t state_;
};

class arena final : spi::timer_sink {
public:
    explicit arena(const arena_options& options);
    arena(const arena&) = delete;
    arena& operator=(const arena&) = delete;
    ~arena();

    arena_result run();
    void from_handler();

private:
    struct place {
        std::atomic<timer_books*> now{nullptr}, before{nullptr};
    };

    void expired(std::uint32_t slot, std::uint32_t generation, std::uint64_t missed,
                 std::uint64_t scheduled) noexcept override;
    void retired(std::uint32_t slot, std::uint32_t generation) noexcept override;
    void wake() noexcept override;

    void react();
    void set_for_ever(unsigned number);

    void set_one(dice& d, unsigned which);
    void replace(unsigned which);
    timer_books* create();
    void destroy(timer_books& b);

    void begin_round();
    void end_round();
    void be_quiet();

    const arena_options options_;
    const std::unique_ptr<spi::timer_engine> engine_;
    const int wake_fd_;
    std::vector<place> places_;
    std::vector<std::atomic<timer_books*>> by_slot_;
    std::unique_ptr<timer_books[]> books_;
    std::atomic<unsigned> books_used_{0};

    // Not a barrier that sleeps: waking the setters would take longer than the round.
    std::atomic<std::uint64_t> round_{0};
    std::atomic<unsigned> through_{0};
    std::atomic<bool> stop_{false}, storming_{false};
    std::atomic<int> in_handlers_{0};
    std::atomic<std::uint64_t> strangers_{0}, signals_{0}, handler_seed_{1};
    arena_result result_;
    std::vector<std::thread> threads_;
};

} // namespace sigev_tests

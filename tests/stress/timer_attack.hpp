// The arena itself: what timer_arena.hpp promises, declared; timer_attack.cpp fills the threads, timer_arena.cpp the
// rounds.
#pragma once

#include "stress/timer_arena.hpp"
#include "stress/timer_books.hpp"
#include "support/stress.hpp"

#include <cstdlib>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <unistd.h>

namespace sigev_tests {

namespace spi = sigev::spi;

inline constexpr unsigned setters = 3;
inline constexpr unsigned max_slots = 1 << 16;
inline constexpr unsigned books_per_round = 4096;
inline constexpr std::uint64_t quantum = 1 << 14;
inline constexpr long strike_every = 90'000; // more often, and there is time for little else

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
                 std::uint64_t scheduled, sigev::spi::timer_base) noexcept override;
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
    bool is_at_rest() const;
    bool until(const std::function<bool()>& predicate) const;

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
    std::atomic<std::uint64_t> turns_{0}; // the reactor's; odd while it sleeps, or is about to
    std::atomic<int> in_handlers_{0};
    std::atomic<std::uint64_t> strangers_{0}, signals_{0}, handler_seed_{1};
    arena_result result_;
    std::vector<std::thread> threads_;
};

} // namespace sigev_tests

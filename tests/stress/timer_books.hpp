// The books of one generation of a timer; see timer_arena.hpp. Written by setters, handlers and the reactor at once.
#pragma once

#include "spi/timer_engine.hpp"

#include <atomic>
#include <cstdint>

namespace sigev_tests {

inline constexpr std::uint64_t arena_interval = 20'000;

struct timer_books {
    std::uint32_t slot = 0, generation = 0;
    std::atomic<bool> dying{false};
    std::atomic<std::uint64_t> late{0}; // armings that were perhaps later than the delete
    std::atomic<unsigned> retired{0};

    std::atomic<std::uint64_t> armed{0}, fired{0}, returned{0};
    std::atomic<std::uint64_t> periodic_armed{0}, periodic_returned{0};
    std::atomic<std::uint64_t> expirations{0}, moved{0}; // moved: deadlines returned - deadlines armed, modulo 2^64

    static bool is_periodic(std::uint64_t deadline) { return (deadline & 1) != 0; }

    void arm(const sigev::spi::timer_value& v)
    {
        if (v.deadline == 0)
            return;
        if (is_periodic(v.deadline)) {
            periodic_armed.fetch_add(1);
            moved.fetch_sub(v.deadline);
        } else {
            armed.fetch_add(1);
        }
        if (dying.load())
            late.fetch_add(1);
    }

    void give_back(const sigev::spi::timer_value& v)
    {
        if (v.deadline == 0)
            return;
        if (is_periodic(v.deadline)) {
            periodic_returned.fetch_add(1);
            moved.fetch_add(v.deadline);
        } else {
            returned.fetch_add(1);
        }
    }

    void fire(std::uint64_t missed, std::uint64_t scheduled)
    {
        if (is_periodic(scheduled))
            expirations.fetch_add(1 + missed);
        else
            fired.fetch_add(1);
    }

    /// Once everybody is quiet. `alive`: nothing is armed any more and nothing was left.
    bool balanced() const
    {
        const std::uint64_t open = armed - fired - returned;
        const std::uint64_t periodic_open = periodic_armed - periodic_returned;
        if (open + periodic_open > (late > 0 ? 1 : 0) || open > armed || periodic_open > periodic_armed)
            return false;
        return periodic_open != 0 || moved == arena_interval * expirations;
    }
};

} // namespace sigev_tests

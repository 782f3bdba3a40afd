// The books of one generation of a timer; see timer_arena.hpp. Written by setters, handlers and the reactor at once.
#pragma once

#include "spi/timer_engine.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace sigev_tests {

inline constexpr std::uint64_t arena_interval = 20'000;
inline constexpr std::uint64_t arena_far = 3'600'000'000'000;

struct timer_books {
    std::uint32_t slot = 0, generation = 0;
    std::atomic<bool> dying{false};
    std::atomic<std::uint64_t> late{0}; // armings that were perhaps later than the delete
    std::atomic<unsigned> retired{0};

    std::atomic<std::uint64_t> armed{0}, fired{0}, returned{0};
    std::atomic<std::uint64_t> deadlines{0}; // armed - fired - returned, modulo 2^64
    std::atomic<std::uint64_t> far_armed{0}, far_returned{0}, far_fired{0};
    std::atomic<std::uint64_t> periodic_armed{0}, periodic_returned{0};
    std::atomic<std::uint64_t> expirations{0}, moved{0}; // moved: deadlines returned - deadlines armed, modulo 2^64

    // What an arming was, its deadline says in its lowest bits; the interval is a multiple of 4.
    enum class kind { near = 0, periodic = 1, far = 2 };
    static kind kind_of(std::uint64_t deadline) { return kind(deadline & 3); }
    static std::uint64_t marked(std::uint64_t deadline, kind k) { return (deadline & ~std::uint64_t{3}) | std::uint64_t(k); }

    void arm(const sigev::spi::timer_value& v)
    {
        if (v.deadline == 0)
            return;
        switch (kind_of(v.deadline)) {
        case kind::near:
            armed.fetch_add(1);
            deadlines.fetch_add(v.deadline);
            break;
        case kind::far:
            far_armed.fetch_add(1);
            break;
        default:
            periodic_armed.fetch_add(1);
            moved.fetch_sub(v.deadline);
        }
        if (dying.load())
            late.fetch_add(1);
    }

    void give_back(const sigev::spi::timer_value& v)
    {
        if (v.deadline == 0)
            return;
        switch (kind_of(v.deadline)) {
        case kind::near:
            returned.fetch_add(1);
            deadlines.fetch_sub(v.deadline);
            break;
        case kind::far:
            far_returned.fetch_add(1);
            break;
        default:
            periodic_returned.fetch_add(1);
            moved.fetch_add(v.deadline);
        }
    }

    void fire(std::uint64_t missed, std::uint64_t scheduled)
    {
        switch (kind_of(scheduled)) {
        case kind::near:
            fired.fetch_add(1);
            deadlines.fetch_sub(scheduled);
            break;
        case kind::far:
            far_fired.fetch_add(1);
            break;
        default:
            expirations.fetch_add(1 + missed);
        }
    }

    /// Once everybody is quiet: nothing is armed any more but what is far, or was left by a settime() that overtook the end.
    bool balanced() const
    {
        const std::uint64_t open = armed - fired - returned;
        const std::uint64_t periodic_open = periodic_armed - periodic_returned;
        const std::uint64_t far_open = far_armed - far_returned;
        if (far_fired != 0 || far_open > 1 || open + periodic_open > (late > 0 ? 1 : 0) || open > armed ||
            periodic_open > periodic_armed || (open == 0 && deadlines != 0))
            return false;
        return periodic_open != 0 || moved == arena_interval * expirations;
    }

    /// For the next generation.
    void reset()
    {
        std::destroy_at(this);
        std::construct_at(this);
    }
};

} // namespace sigev_tests

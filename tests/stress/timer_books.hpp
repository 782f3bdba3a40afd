// The books of one generation of a timer; see timer_arena.hpp. Written by setters, handlers and the reactor at once.
#pragma once

#include "spi/timer_engine.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace sigev_tests {

inline constexpr std::uint64_t arena_interval = 20'000;
inline constexpr std::uint64_t arena_wide = (std::uint64_t{1} << 47) + 20'000; // has no room in the slot's word
inline constexpr std::uint64_t arena_wider = (std::uint64_t{1} << 52) + 40'000;
inline constexpr std::uint64_t arena_far = 3'600'000'000'000;

struct timer_books {
    std::uint32_t slot = 0, generation = 0;
    std::atomic<bool> dying{false};
    std::atomic<unsigned> retired{0};

    std::atomic<std::uint64_t> armed{0}, fired{0}, returned{0};
    std::atomic<std::uint64_t> deadlines{0}; // armed - fired - returned, modulo 2^64
    std::atomic<std::uint64_t> far_armed{0}, far_returned{0}, far_fired{0};
    struct series {
        std::atomic<std::uint64_t> armed{0}, returned{0};
        std::atomic<std::uint64_t> expirations{0}, moved{0}; // moved: deadlines returned - deadlines armed, modulo 2^64

        std::uint64_t open() const { return armed - returned; }
        bool balanced(std::uint64_t interval) const { return open() == 0 && moved == interval * expirations; }
    };
    series periodic, wide, wider;
    std::atomic<std::uint64_t> torn{0}; // old values whose interval is not the one that was armed with this deadline

    // What an arming was, its deadline says in its lowest bits; intervals are multiples of 8.
    enum class kind { near, far, periodic, wide, wider };
    static std::uint64_t interval_of(kind k)
    {
        switch (k) {
        case kind::periodic: return arena_interval;
        case kind::wide: return arena_wide;
        case kind::wider: return arena_wider;
        default: return 0;
        }
    }
    static kind kind_of(std::uint64_t deadline) { return kind(deadline & 7); }
    static std::uint64_t marked(std::uint64_t deadline, kind k) { return (deadline & ~std::uint64_t{7}) | std::uint64_t(k); }

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
            series_of(v.deadline).armed.fetch_add(1);
            series_of(v.deadline).moved.fetch_sub(v.deadline);
        }
    }

    void give_back(const sigev::spi::timer_value& v)
    {
        if (v.deadline == 0)
            return;
        torn.fetch_add(v.interval != interval_of(kind_of(v.deadline)));
        switch (kind_of(v.deadline)) {
        case kind::near:
            returned.fetch_add(1);
            deadlines.fetch_sub(v.deadline);
            break;
        case kind::far:
            far_returned.fetch_add(1);
            break;
        default:
            series_of(v.deadline).returned.fetch_add(1);
            series_of(v.deadline).moved.fetch_add(v.deadline);
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
            series_of(scheduled).expirations.fetch_add(1 + missed);
        }
    }

    /// Once everybody is quiet: nothing is armed any more but what is far.
    bool balanced() const
    {
        return armed == fired + returned && deadlines == 0 && far_fired == 0 && far_armed - far_returned <= (dying ? 0 : 1) &&
               periodic.balanced(arena_interval) && wide.balanced(arena_wide) && wider.balanced(arena_wider) && torn == 0;
    }

    std::uint64_t all_armed() const { return armed + periodic.armed + wide.armed + wider.armed; }
    std::uint64_t all_expirations() const { return periodic.expirations + wide.expirations + wider.expirations; }

    /// For the next generation.
    void reset()
    {
        std::destroy_at(this);
        std::construct_at(this);
    }

private:
    series& series_of(std::uint64_t deadline)
    {
        const kind k = kind_of(deadline);
        return k == kind::wide ? wide : k == kind::wider ? wider : periodic;
    }
};

} // namespace sigev_tests

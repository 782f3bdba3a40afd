// An engine with a sink that writes down what it is told, and the loop that an owner would run, by poll().
#pragma once

#include "spi/timer_engine.hpp"
#include "support/support.hpp"
#include "sys/clock.hpp"
#include "sys/manual_time.hpp"

#include <functional>
#include <memory>
#include <vector>

#include <poll.h>

namespace sigev_tests {

namespace spi = sigev::spi;
using sigev::spi::timer_base;
using sigev::spi::timer_exchange;
using sigev::spi::timer_value;

inline constexpr std::uint64_t us = 1'000, ms = 1'000'000, s = 1'000'000'000, hour = 3'600 * s;

struct timer_fixture : spi::timer_sink {
    struct timer {
        std::uint32_t slot = 0, generation = 0;
        friend bool operator==(const timer&, const timer&) = default;
    };
    struct expiry {
        timer what;
        std::uint64_t missed, scheduled, at;
    };

    explicit timer_fixture(clockid_t clock = CLOCK_MONOTONIC, const sigev::sys::manual_time* manual = nullptr)
        : steady(clock), time(manual), engine(spi::make_heap_engine(clock, *this, manual))
    {
    }
    virtual ~timer_fixture() = default;

    void expired(std::uint32_t slot, std::uint32_t generation, std::uint64_t missed,
                 std::uint64_t scheduled, sigev::spi::timer_base) noexcept override
    {
        fired.push_back({{slot, generation}, missed, scheduled, now()});
        if (on_expired)
            on_expired({slot, generation});
    }
    void retired(std::uint32_t slot, std::uint32_t generation) noexcept override
    {
        gone.push_back({slot, generation});
    }
    void wake() noexcept override
    {
        ++wakes;
        if (on_wake)
            on_wake();
    }

    std::uint64_t now(timer_base base = timer_base::steady) const
    {
        const clockid_t clock = base == timer_base::wall ? CLOCK_REALTIME : steady;
        return time ? time->now(clock) : sigev::sys::now(clock);
    }

    timer make(bool wall = false)
    {
        timer t;
        BOOST_REQUIRE(engine->create(wall, t.slot, t.generation) == 0);
        return t;
    }
    timer make(std::uint64_t slack, bool precise)
    {
        const timer t = make();
        engine->wish(t.slot, slack, precise);
        return t;
    }
    timer_exchange set(const timer& t, std::uint64_t deadline, std::uint64_t interval = 0,
                       timer_base base = timer_base::steady)
    {
        return engine->settime(t.slot, t.generation, {deadline, interval, base});
    }
    timer_exchange get(const timer& t) { return engine->gettime(t.slot, t.generation); }
    bool destroy(const timer& t) { return bool(engine->destroy(t.slot, t.generation)); }

    void reap()
    {
        while (engine->reap())
            ;
    }

    bool readable(int limit = 0)
    {
        int own[2];
        const unsigned count = engine->descriptors(own);
        pollfd fds[2] = {{-1, POLLIN, 0}, {-1, POLLIN, 0}};
        for (unsigned i = 0; i < count; ++i)
            fds[i].fd = own[i];
        return poll(fds, 2, limit) > 0;
    }

    /// As an owner's loop: sleeps until a descriptor is ready, reaps; never looks at a clock.
    bool run_until(const std::function<bool()>& done)
    {
        reap();
        while (!done()) {
            if (!readable(static_cast<int>(patience.count())))
                return false;
            reap();
        }
        return true;
    }
    bool run_until_fired(std::size_t count)
    {
        return run_until([&] { return fired.size() >= count; });
    }

    /// For what is to be done before a deadline comes, on a machine of any speed. A round is given a unit of time for
    /// its deadlines, and says false where it finds by the clock that one has come too early for it: then there is
    /// another round, on another engine, with twice the time.
    void with_time_enough(const std::function<bool(std::uint64_t unit)>& round)
    {
        for (std::uint64_t unit = ms; !round(unit); unit *= 2) {
            BOOST_REQUIRE_MESSAGE(unit < 8 * s, "a few steps take this machine " << unit / ms << " ms");
            begin_anew();
        }
    }

    void begin_anew()
    {
        on_expired = nullptr;
        on_wake = nullptr;
        engine = spi::make_heap_engine(steady, *this, time);
        fired.clear();
        gone.clear();
        wakes = 0;
    }

    const clockid_t steady;
    const sigev::sys::manual_time* const time;
    std::vector<expiry> fired;
    std::vector<timer> gone;
    int wakes = 0;
    std::function<void(timer)> on_expired;
    std::function<void()> on_wake;
    std::unique_ptr<spi::timer_engine> engine;
};

} // namespace sigev_tests

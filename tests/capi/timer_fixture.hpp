// Timers in a test: times as itimerspec, a timer that deletes itself, and a clock read where a notification arrives.
#pragma once

#include "fixture.hpp"

namespace sigev_tests {

inline std::int64_t now_of(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return t.tv_sec * std::int64_t{1000000000} + t.tv_nsec;
}

inline timespec time_of(std::int64_t nanoseconds) {
    return {nanoseconds / 1000000000, nanoseconds % 1000000000};
}
inline std::int64_t nanoseconds_of(const timespec& t) {
    return t.tv_sec * std::int64_t{1000000000} + t.tv_nsec;
}

inline itimerspec timer_value(std::int64_t value, std::int64_t interval = 0) {
    return {time_of(interval), time_of(value)};
}

inline constexpr std::int64_t ms = 1000000;

inline sigev_timer_options make_timer_options(const place& on, int engine = SIGEV_ENGINE_DEFAULT) {
    sigev_timer_options o{};
    o.size = sizeof o;
    o.engine = engine;
    o.reactor = on.reactor();
    return o;
}

class timer {
public:
    timer(const place& on, clockid_t clock, sigevent e, int engine = SIGEV_ENGINE_DEFAULT) { create(on, clock, &e, engine); }
    timer(const place& on, clockid_t clock, std::nullptr_t, int engine = SIGEV_ENGINE_DEFAULT) {
        create(on, clock, nullptr, engine);
    }
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    ~timer() { remove(); }

    timer_t id() const { return id_; }
    void set(std::int64_t value, std::int64_t interval = 0, int flags = 0, itimerspec* old = nullptr) const {
        const auto wanted = timer_value(value, interval);
        errno = 4711;
        BOOST_REQUIRE(sigev_timer_settime(id_, flags, &wanted, old) == 0);
        BOOST_REQUIRE(errno == 4711);
    }
    itimerspec get() const {
        itimerspec value{{-1, -1}, {-1, -1}};
        BOOST_REQUIRE(sigev_timer_gettime(id_, &value) == 0);
        return value;
    }
    sigev_ledger ledger() const {
        sigev_ledger l{};
        BOOST_REQUIRE(sigev_timer_ledger(id_, &l) == 0);
        return l;
    }
    void remove() {
        if (id_)
            BOOST_TEST(sigev_timer_delete_wait(id_) == 0);
        id_ = nullptr;
    }

private:
    void create(const place& on, clockid_t clock, sigevent* e, int engine) {
        const auto options = make_timer_options(on, engine);
        errno = 4711;
        BOOST_REQUIRE_MESSAGE(
            sigev_timer_create_with(&options, clock, e, &id_) == 0, "clock " << clock << ": errno " << errno);
        BOOST_REQUIRE(errno == 4711);
    }
    timer_t id_ = nullptr;
};

/// What timers' callbacks saw; the clock is read first. On the runtime those of several timers run at the same time, so each call
/// takes a cell of its own, and is counted when it is over. The test reads the cells when no other call is under way.
struct clock_box {
    struct call {
        std::int64_t at;
        sigev_notification n;
    };
    clockid_t clock = CLOCK_MONOTONIC;
    std::array<call, 256> seen{};
    std::atomic<unsigned> begun{0}, calls{0};
    std::function<void()> inside;

    static void receive(sigval v) {
        auto& self = *static_cast<clock_box*>(v.sival_ptr);
        const auto now = now_of(self.clock);
        const unsigned n = self.begun++;
        if (n < self.seen.size())
            self.seen[n] = {now, *sigev_current()};
        if (self.inside)
            self.inside();
        ++self.calls; // last: then the test may look
    }
};

} // namespace sigev_tests

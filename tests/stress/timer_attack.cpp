// The threads of the arena: the reactor, and those that attack it.
#include "stress/timer_attack.hpp"

#include "sys/clock.hpp"
#include "sys/cpu_relax.hpp"
#include "sys/errno_guard.hpp"

#include <poll.h>
#include <sched.h>

namespace sigev_tests {

// ---- the reactor

namespace {

constinit thread_local dice delays(7);
thread_local bool in_handler = false;

void linger()
{
    if (in_handler)
        return; // `delays` may be in use below
    const auto how = delays.roll(8);
    if (how == 0)
        sched_yield();
    for (auto n = how < 4 ? delays.roll(400) : 0; n > 0; --n)
        sigev::sys::cpu_relax();
}

} // namespace

void arena::wake() noexcept
{
    const sigev::sys::errno_guard guard;
    linger();
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = write(wake_fd_, &one, sizeof one);
}

void arena::react()
{
    const strikes on_me(options_.storm, strike_every);
    while (!stop_) {
        pollfd fds[3] = {{wake_fd_, POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}};
        int own[2];
        const unsigned count = engine_->descriptors(own);
        for (unsigned i = 0; i < count; ++i)
            fds[i + 1].fd = own[i];
        turns_.fetch_add(1);
        const int found = poll(fds, 3, -1);
        turns_.fetch_add(1);
        if (found <= 0)
            continue; // EINTR is nothing to look for
        std::uint64_t drained;
        [[maybe_unused]] const auto n = read(wake_fd_, &drained, sizeof drained);
        while (engine_->reap())
            ;
    }
}

void arena::expired(std::uint32_t slot, std::uint32_t generation, std::uint64_t missed, std::uint64_t scheduled, sigev::spi::timer_base) noexcept
{
    linger();
    timer_books* b = by_slot_[slot];
    if (b && b->generation == generation)
        b->fire(missed, scheduled);
    else
        strangers_.fetch_add(1);
}

void arena::retired(std::uint32_t slot, std::uint32_t generation) noexcept
{
    timer_books* b = by_slot_[slot];
    if (b && b->generation == generation && b->dying)
        b->retired.fetch_add(1);
    else
        strangers_.fetch_add(1);
}

// ---- the attackers

void arena::set_one(dice& d, unsigned which)
{
    place& p = places_[which];
    timer_books* b = options_.recreate && d.roll(8) == 0 ? p.before : p.now;
    if (!b)
        return;
    spi::timer_value v;
    if (d.roll(8) != 0) {
        const bool wall = options_.wall && d.roll(2) == 0;
        v.base = wall ? spi::timer_base::wall : spi::timer_base::steady;
        v.deadline = sigev::sys::now(wall ? CLOCK_REALTIME : options_.steady) + d.roll(40'000);
        if (options_.quantised)
            v.deadline = (v.deadline / quantum + 1) * quantum;
        auto kind = timer_books::kind::near;
        if (options_.periodic && which % 4 == 3 && d.roll(2) == 0) {
            constexpr timer_books::kind kinds[] = {timer_books::kind::periodic, timer_books::kind::wide, timer_books::kind::wider};
            kind = kinds[d.roll(3)];
            v.interval = timer_books::interval_of(kind);
        } else if (d.roll(6) == 0) {
            kind = timer_books::kind::far;
            v.deadline += arena_far;
        }
        v.deadline = timer_books::marked(v.deadline, kind);
    }
    const spi::timer_exchange done = engine_->settime(b->slot, b->generation, v);
    if (done.valid) {
        b->arm(v);
        b->give_back(done.old);
    }
}

void arena::from_handler()
{
    const sigev::sys::errno_guard guard;
    in_handlers_.fetch_add(1);
    if (storming_) {
        in_handler = true;
        dice d(handler_seed_.fetch_add(1));
        if (d.roll(2) == 0)
            sched_yield(); // holds up what it has interrupted
        set_one(d, static_cast<unsigned>(d.roll(options_.timers)));
        signals_.fetch_add(1);
        in_handler = false;
    }
    in_handlers_.fetch_sub(1);
}

void arena::set_for_ever(unsigned number)
{
    dice d(number + 100);
    const strikes on_me(options_.storm, strike_every + 7'000 * number);
    // In a short round the last arming of each timer is a large part of them, and only that one can be seen to be
    // lost.
    const int steps = options_.recreate ? 40 : 8;
    for (std::uint64_t round = 1;; ++round) {
        while (round_ < round)
            sched_yield();
        if (stop_)
            return;
        for (int i = 0; i < steps; ++i) {
            const auto which = static_cast<unsigned>(d.roll(options_.timers));
            if (options_.recreate && d.roll(6) == 0)
                replace(which);
            else
                set_one(d, which);
        }
        through_.fetch_add(1);
    }
}

timer_books* arena::create()
{
    const unsigned n = books_used_.fetch_add(1);
    if (n >= books_per_round)
        return nullptr;
    timer_books& b = books_[n];
    if (engine_->create(options_.wall, b.slot, b.generation) != 0 || b.slot >= max_slots)
        std::abort();
    if (options_.wishes && n % 3 != 0)
        engine_->wish(b.slot, n % 3 == 1 ? 30'000 : 0, n % 3 == 2);
    by_slot_[b.slot] = &b;
    return &b;
}

void arena::destroy(timer_books& b)
{
    b.dying = true;
    if (const spi::timer_exchange done = engine_->destroy(b.slot, b.generation))
        b.give_back(done.old);
}

void arena::replace(unsigned which)
{
    place& p = places_[which];
    timer_books* b = p.now;
    if (!b || !p.now.compare_exchange_strong(b, nullptr))
        return;
    destroy(*b);
    p.before = b;
    p.now = create();
}

} // namespace sigev_tests

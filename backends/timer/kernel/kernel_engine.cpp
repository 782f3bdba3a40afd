#include "backends/timer/kernel/kernel_engine.hpp"

#include "backends/timer/kernel/calls.hpp"

#include <algorithm>
#include <cerrno>
#include <new>

namespace sigev::spi::kernel {

kernel_engine::kernel_engine(receiver& told, std::uint32_t number, kernel_timer_sink& sink) noexcept
    : receiver_(told), number_(number), sink_(sink)
{
    receiver_.attach(number, *this);
}

// ---- slots ------------------------------------------------------------------------------------------------------------------

int kernel_engine::acquire(std::uint32_t& index, std::uint32_t& generation) noexcept
{
    const std::lock_guard lock(mutex_);
    // The stack has the newest on top; it goes, turned over, behind what is free already.
    std::uint32_t newest = nothing, oldest = nothing;
    for (std::uint32_t i = given_back_.exchange(nothing, std::memory_order_acquire); i != nothing;) {
        const std::uint32_t next = slots_[i].next;
        slots_[i].next = oldest;
        oldest = i;
        if (newest == nothing)
            newest = i;
        i = next;
    }
    if (oldest != nothing) {
        (last_ == nothing ? free_ : slots_[last_].next) = oldest;
        last_ = newest;
    }
    if (free_ != nothing) {
        index = free_;
        free_ = slots_[index].next;
        if (free_ == nothing)
            last_ = nothing;
    } else {
        if (created_ == max_slots)
            return EAGAIN;
        if (!slots_.reserve(std::size_t{created_} + 1) || !ready_.grow(std::size_t{created_} + 1))
            return ENOMEM;
        index = created_++;
        slots_[index].id.store(no_timer, std::memory_order_relaxed);
    }
    generation = slots_[index].pins.advance();
    return 0;
}

void kernel_engine::give_back(std::uint32_t index) noexcept
{
    std::uint32_t head = given_back_.load(std::memory_order_relaxed);
    do
        slots_[index].next = head;
    while (!given_back_.compare_exchange_weak(head, index, std::memory_order_release, std::memory_order_relaxed));
}

void kernel_engine::release(std::uint32_t index) noexcept
{
    slots_[index].pins.advance();
    give_back(index);
}

int kernel_engine::create(std::uint32_t index, clockid_t clock, const sigevent* direct) noexcept
{
    slot& s = slots_[index];
    sigevent event{};
    int error = 0;
    if (direct)
        event = *direct;
    else
        error = receiver_.start(event, token{number_, index, s.pins.generation()});
    int id = 0;
    if (error == 0)
        error = create_timer(clock, event, id);
    if (error != 0) {
        release(index);
        return error;
    }
    if (direct && !s.books.load(std::memory_order_relaxed)) {
        sys::statistics::kernel_books* const seen = sink_.books(index);
        s.books.store(seen ? new (seen) kernel::books : &s.own, std::memory_order_relaxed);
    }
    if (direct)
        books_of(s).clear();
    for (auto* number : {&s.told, &s.fired})
        number->store(0, std::memory_order_relaxed);
    for (auto* time : {&s.first, &s.interval, &s.due})
        time->store(0, std::memory_order_relaxed);
    s.base.store(clock, std::memory_order_relaxed);
    s.clock.store(clock, std::memory_order_relaxed);
    s.carried.store(direct == nullptr, std::memory_order_relaxed);
    s.id.store(id, std::memory_order_release);
    return 0;
}

template <class F>
int kernel_engine::inside(std::uint32_t index, std::uint32_t generation, F&& f) noexcept
{
    slot* const s = slots_.find(index);
    if (!s || !pin_word::lives(generation))
        return EINVAL;
    const int error = s->pins.enter() == generation ? f(*s, s->id.load(std::memory_order_acquire)) : EINVAL;
    leave(index, *s);
    return error;
}

void kernel_engine::leave(std::uint32_t index, slot& s) noexcept
{
    if (!s.pins.leave())
        return;
    delete_timer(s.id.exchange(no_timer, std::memory_order_acq_rel));
    s.fired.store(0, std::memory_order_relaxed);
    sink_.retired(index);
    give_back(index);
}

// ---- what any thread calls --------------------------------------------------------------------------------------------------

int kernel_engine::settime(
    std::uint32_t index, std::uint32_t generation, int flags, const itimerspec& value, itimerspec* old) noexcept
{
    return inside(index, generation, [&](slot& s, int id) {
        const int error = s.carried.load(std::memory_order_relaxed)
                              ? settime_carried(s, flags, value, old)
                              : books_of(s).settime(id, s.clock.load(std::memory_order_relaxed), flags, value, old);
        // Deleted meanwhile: then it has been disarmed, but perhaps before this.
        if (s.pins.generation() != generation)
            set_timer(id, 0, itimerspec{}, nullptr);
        return error;
    });
}

// The deadline is noted before the kernel has it, so that it is never later than the kernel's: who is told may look at once.
int kernel_engine::settime_carried(slot& s, int flags, const itimerspec& value, itimerspec* old) noexcept
{
    const bool absolute = (flags & TIMER_ABSTIME) != 0;
    const clockid_t clock = s.clock.load(std::memory_order_relaxed);
    const clockid_t base = clock == CLOCK_REALTIME && !absolute ? CLOCK_MONOTONIC : clock;
    std::int64_t now = 0;
    read_clock(base, now);
    const arming a = make_arming(absolute, static_cast<std::int64_t>(sys::to_nanoseconds(value.it_value, longest)),
                                 static_cast<std::int64_t>(sys::to_nanoseconds(value.it_interval, longest)), now);
    s.base.store(base, std::memory_order_relaxed);
    s.first.store(a.first, std::memory_order_relaxed);
    s.interval.store(a.interval, std::memory_order_relaxed);
    s.told.store(0, std::memory_order_release);
    return set_timer(s.id.load(std::memory_order_relaxed), flags, value, old);
}

int kernel_engine::gettime(std::uint32_t index, std::uint32_t generation, itimerspec& value) noexcept
{
    return inside(index, generation, [&](slot&, int id) { return get_timer(id, value); });
}

int kernel_engine::overrun(std::uint32_t index, std::uint32_t generation, int& count) noexcept
{
    return inside(index, generation, [&](slot&, int id) { return overrun_of_timer(id, count); });
}

int kernel_engine::raised(std::uint32_t index, std::uint32_t generation, std::uint64_t& count) noexcept
{
    return inside(index, generation, [&](slot& s, int id) {
        count = s.carried.load(std::memory_order_relaxed) ? 0 : books_of(s).read(id);
        return 0;
    });
}

bool kernel_engine::keeps(int id) const noexcept
{
    const slot* s;
    for (std::uint32_t i = 0; i != max_slots && (s = slots_.find(i)) != nullptr; ++i)
        if (s->pins.generation() != 0 && s->id.load(std::memory_order_acquire) == id)
            return true;
    return false;
}

int kernel_engine::destroy(std::uint32_t index, std::uint32_t generation, std::uint64_t& raised) noexcept
{
    slot* const s = slots_.find(index);
    bool alone = false;
    if (!s || !pin_word::lives(generation) || !s->pins.end(generation, alone))
        return EINVAL;
    const int id = s->id.load(std::memory_order_acquire);
    raised = s->carried.load(std::memory_order_relaxed) ? 0 : books_of(*s).read(id);
    if (!alone)
        set_timer(id, 0, itimerspec{}, nullptr);
    leave(index, *s);
    return 0;
}

// ---- carried expiries -------------------------------------------------------------------------------------------------------

void kernel_engine::take(const token& t, int id, std::uint64_t count) noexcept
{
    slot* const s = slots_.find(t.slot);
    if (!s)
        return;
    const std::uint32_t generation = s->pins.enter();
    if (pin_word::lives(generation) && t.is_of(generation) && s->id.load(std::memory_order_acquire) == id) {
        const arming a{s->first.load(std::memory_order_relaxed), s->interval.load(std::memory_order_relaxed)};
        std::int64_t due = due_after(a, s->told.fetch_add(count, std::memory_order_acq_rel));
        // Set anew between the kernel's signal and here: then it was due when it was, but not after now.
        std::int64_t now = 0;
        if (read_clock(s->base.load(std::memory_order_relaxed), now))
            due = std::min(due, now);
        if (s->fired.load(std::memory_order_acquire) == 0)
            s->due.store(due, std::memory_order_relaxed);
        s->fired.fetch_add(count, std::memory_order_acq_rel);
        ready_.set(t.slot);
        sink_.wake();
    }
    leave(t.slot, *s);
}

void kernel_engine::reap() noexcept
{
    ready_.take_all([this](std::size_t index) {
        const auto number = static_cast<std::uint32_t>(index);
        slot& s = slots_[number];
        if (pin_word::lives(s.pins.enter())) {
            const std::int64_t due = s.due.load(std::memory_order_acquire);
            if (const std::uint64_t count = s.fired.exchange(0, std::memory_order_acq_rel))
                sink_.expired(number, count, due, s.base.load(std::memory_order_relaxed));
        }
        leave(number, s);
    });
}

} // namespace sigev::spi::kernel

namespace sigev::spi {

std::unique_ptr<kernel_timer_engine> make_kernel_engine(
    kernel_timer_receiver& told, std::uint32_t number, kernel_timer_sink& sink)
{
    return std::make_unique<kernel::kernel_engine>(static_cast<kernel::receiver&>(told), number, sink);
}

} // namespace sigev::spi

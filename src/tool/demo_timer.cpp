#include "tool/demo_timer.hpp"

#include "tool/system.hpp"

namespace sigev::tool {

void demo_timer::arm(sigevent event) {
    timer_t timer{};
    sigev_timer_options options{};
    options.size = sizeof options;
    options.engine = SIGEV_ENGINE_HEAP; // a signal that the kernel itself sends has no ledger
    checked(sigev_timer_create_with(&options, CLOCK_MONOTONIC, &event, &timer), "sigev_timer_create_with");
    timer_ = timer;
    // Absolute: the first expiry is due at an instant of our choice, and the k-th one k - 1 periods after it.
    start_ = now_ns();
    const itimerspec value{.it_interval = to_timespec(period_), .it_value = to_timespec(start_ + period_)};
    checked(sigev_timer_settime(timer, TIMER_ABSTIME, &value, nullptr), "sigev_timer_settime");
}

void demo_timer::take(std::int64_t now, std::uint64_t occurrences) noexcept {
    // Of several expirations in one notification the first has waited longest: its lateness is the one that
    // counts.
    const auto first = arrived_.fetch_add(occurrences, std::memory_order_acq_rel) + 1;
    latency_.add(now - (start_.load(std::memory_order_relaxed) + static_cast<std::int64_t>(first) * period_));
}

void demo_timer::poll() noexcept {
    if (method_ != method::none)
        return;
    read_ledger();
    if (const auto expired = ledger_.delivered + ledger_.merged; expired > arrived())
        take(now_ns(), expired - arrived());
}

void demo_timer::disarm() noexcept {
    const itimerspec never{};
    if (timer_)
        sigev_timer_settime(*timer_, 0, &never, nullptr);
}

void demo_timer::remove() noexcept {
    if (!timer_)
        return;
    read_ledger();
    sigev_timer_delete_wait(*timer_);
    timer_.reset();
}

void demo_timer::read_ledger() noexcept {
    if (timer_)
        sigev_timer_ledger(*timer_, &ledger_);
}

row demo_timer::view() noexcept {
    read_ledger();
    return {method_, source::timer, ledger_, arrived(), latency()};
}

} // namespace sigev::tool

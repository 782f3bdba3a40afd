#include "stress/teardown_arena.hpp"

#include "stress/teardown_books.hpp"
#include "support/stress.hpp"

#include <algorithm>
#include <optional>
#include <thread>
#include <vector>

namespace sigev_tests {

using namespace teardown;

namespace {

constexpr std::uint64_t round_nanoseconds = 40'000'000;

std::uint64_t nanoseconds_now()
{
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

void run_round(const teardown_options& options, teardown_result& r)
{
    const totals before = totals::read(SIGEV_METHOD_FIRST);
    std::optional<arena> made(std::in_place, options);
    arena& a = *made;
    a.seed = r.rounds;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i != crew; ++i)
        threads.emplace_back([&a, i] { a.work(i); });
    const std::uint64_t end = nanoseconds_now() + round_nanoseconds;
    while (nanoseconds_now() < end)
        if (!a.take())
            sched_yield();
    a.over = true;
    for (auto& t : threads)
        t.join();
    for (auto& p : a.places)
        if (p.handle > in_work) {
            a.kept.emplace_back(p.of);
            if (!options.leave_to_shutdown)
                a.close(p.handle, *p.of);
        }
    if (options.leave_to_shutdown && a.on.is_borrowed())
        a.wrong += sigev_reactor_close(a.on.reactor()) != 0;
    while (a.take())
        ;
    a.wrong += sigev_shutdown() != 0;
    a.take_signals(); // queued while it was shut down
    r.broken = balance(a, before, totals::read(SIGEV_METHOD_FIRST));
    for (const auto& by_source : a.calls)
        for (const auto& n : by_source)
            r.calls += n;
    r.opened += a.opened;
    r.freed += a.freed;
    r.submits += a.submits;
    r.refused += a.refused;
    r.settimes += a.settimes;
    r.stale += a.stale;
    r.signals += a.signals[0] + a.signals[1];
    r.events += a.calls[0][kevent] + a.calls[1][kevent];
    r.waits_inside += a.waits_inside;
    r.exits += a.exits;
    r.alone += a.alone;
    r.late += a.late;
    r.wrong += a.wrong;
    ++r.rounds;
}

} // namespace

std::string to_string(const teardown_result& r)
{
    const auto n = [](std::uint64_t v, const char* what) { return std::to_string(v) + what; };
    return n(r.rounds, " rounds, ") + n(r.opened, " opened, ") + n(r.freed, " freed under attack, ") +
           n(r.alone, " kept to one thread, ") + n(r.submits, " submits, ") + n(r.settimes, " settimes, ") +
           n(r.refused, " refused, ") + n(r.stale, " uses of old handles, ") + n(r.calls, " calls, ") +
           n(r.signals, " signals, ") + n(r.events, " events, ") + n(r.waits_inside, " waits inside callbacks, ") +
           n(r.exits, " threads ended by callbacks; ") + n(r.late, " late, ") + n(r.wrong, " wrong answers") +
           (r.broken.empty() ? "" : "; " + r.broken);
}

bool was_busy(const teardown_result& r)
{
    const auto all = {r.freed, r.alone, r.submits, r.settimes, r.stale, r.calls, r.signals, r.events, r.waits_inside, r.exits};
    return std::all_of(all.begin(), all.end(), [](std::uint64_t n) { return n != 0; });
}

teardown_result run_teardown_arena(const teardown_options& options)
{
    teardown_result r;
    const std::uint64_t end = nanoseconds_now() + stress_nanoseconds();
    do
        run_round(options, r);
    while ((nanoseconds_now() < end || (!was_busy(r) && nanoseconds_now() < end + 20'000'000'000)) && r.late == 0 &&
           r.wrong == 0 && r.broken.empty());
    return r;
}

} // namespace sigev_tests

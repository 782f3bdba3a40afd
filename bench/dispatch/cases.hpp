// The measurements of bench_dispatch, each written once for every contestant: distinct records from producers to a consumer
// that runs a loop, and one call for each of them.
//
// A contestant supplies a Carrier:
//
//     Carrier(unsigned producers, std::size_t window, counters&)   in the consumer's thread; a call is counters::count(producer)
//     void run();                                        runs the loop; returns when counters::complete()
//     void submit(unsigned producer);                    in the producer's thread
//
// No more than `window` records are under way at once, an equal part of it for each producer, who looks at how many of its
// own have been handled when it has used its part up. So nothing has to be allocated by those who need not, and nobody runs
// away. The consumer is pinned to the first processor, the producers to the next ones, round and round: one producer has the
// other core of a machine with two, the second of two shares the consumer's. A machine that is busy with something else
// gets through fewer of the n records: after `enough` they are told to stop.
#pragma once

#include "support/pin.hpp"
#include "support/stopwatch.hpp"
#include "support/unless.h"

#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace sigev_bench {

inline constexpr std::size_t window = 4096;
inline constexpr auto enough = std::chrono::milliseconds(400);

/// What is called for each record, and what it counts. Its own line for each producer, who polls it.
class counters {
public:
    static constexpr std::size_t block = std::size_t{1} << 13;

    explicit counters(unsigned producers) : lines_(producers) {}

    void start() { start_ = before_ = clock::now(); }

    /// A producer has submitted so many and stops. True for the last one to say so, who then submits one more, so that the
    /// consumer sees that it was the last.
    bool finish(std::uint64_t submitted)
    {
        submitted_ += submitted;
        if (++finished_ != lines_.size())
            return false;
        total_ = submitted_ + 1;
        return true;
    }

    /// Producers should stop.
    bool is_over() const { return over_.load(std::memory_order_relaxed); }

    /// In the consumer's thread.
    void count(std::size_t producer)
    {
        std::atomic<std::uint64_t>& handled = lines_[producer].handled;
        handled.store(handled.load(std::memory_order_relaxed) + 1, std::memory_order_release);
        if (++all_ % block == 0)
            lap();
    }

    std::uint64_t handled(std::size_t producer) const { return lines_[producer].handled.load(std::memory_order_acquire); }
    bool complete() const { return all_ == total_.load(std::memory_order_relaxed); }
    std::uint64_t total() const { return total_; }

    /// Millions a second.
    double rate() const { return block * 1e3 / median(laps_); }

private:
    void lap()
    {
        const auto now = clock::now();
        laps_.push_back(nanoseconds_between(before_, now));
        before_ = now;
        if (now - start_ > enough)
            over_ = true;
    }

    struct alignas(64) line {
        std::atomic<std::uint64_t> handled{0};
    };
    std::vector<line> lines_;
    std::atomic<std::uint64_t> total_{~std::uint64_t{0}}; ///< known when the last producer has finished
    std::atomic<std::uint64_t> submitted_{0};
    std::atomic<std::size_t> finished_{0};
    std::atomic<bool> over_{false};
    alignas(64) std::uint64_t all_ = 0;
    clock::time_point start_;
    clock::time_point before_;
    std::vector<double> laps_;
};

inline int processor_of(std::size_t place)
{
    return processors()[place % processors().size()];
}

/// Millions of records a second; n in all.
template <class Carrier, unsigned Producers>
double throughput(std::uint64_t n)
{
    constexpr std::size_t share = window / Producers;
    const std::uint64_t each = n / Producers;
    counters c(Producers);
    std::atomic<Carrier*> carrier{nullptr};
    std::atomic<unsigned> ready{0};
    std::atomic<bool> begin{false};
    std::thread consumer([&] {
        pin_to(processor_of(0));
        Carrier made(Producers, window, c);
        carrier = &made;
        made.run();
        carrier = nullptr;
    });
    while (!carrier)
        ::sched_yield();
    Carrier& target = *carrier;
    std::vector<std::thread> producers;
    for (unsigned p = 0; p != Producers; ++p)
        producers.emplace_back([&, p] {
            pin_to(processor_of(p + 1));
            ++ready;
            while (!begin)
                ::sched_yield();
            std::uint64_t submitted = 0;
            std::uint64_t handled = 0;
            const auto submit_one = [&] {
                while (submitted - handled == share) {
                    const std::uint64_t now = c.handled(p);
                    if (now == handled)
                        ::sched_yield();
                    handled = now;
                }
                target.submit(p);
                ++submitted;
            };
            while (submitted != each && !(submitted % share == 0 && c.is_over()))
                submit_one();
            if (c.finish(submitted))
                submit_one();
        });
    while (ready != Producers)
        ::sched_yield();
    c.start();
    begin = true;
    for (std::thread& t : producers)
        t.join();
    consumer.join();
    return c.rate();
}

} // namespace sigev_bench

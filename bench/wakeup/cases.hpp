// The measurements of bench_wakeup, each written once for every contestant.
//
// A contestant supplies a Loop:
//
//     Loop(void (*handler)(void*), void* argument)   in the thread that runs it
//     void run();           runs the loop; for each wakeup it calls handler(argument). Returns after stop()
//     void stop();          only in the handler
//     void post();          from any thread: makes the handler run
//     static void before_thread(), after_thread()    what its library wants of a thread that has a loop
//
// "One core": all threads are pinned to the last processor of the machine, and the bench itself waits meanwhile. Where the
// time of a post alone is wanted, the receiver runs under SCHED_BATCH: it is then not switched to in the middle of the call
// that wakes it, so what it does is not counted. Contestants are treated alike in this.
#pragma once

#include "support/contestant.hpp"
#include "support/pin.hpp"
#include "support/statistics.hpp"
#include "support/stopwatch.hpp"
#include "support/unless.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace sigev_bench {

constexpr auto enough = std::chrono::milliseconds(400);

// ---- a post to a receiver that has been signalled already, and has not looked yet ----------------------------------------

// In a handler of the receiver itself: it is awake, its descriptor is watched, and it looks only when the handler is over.
template <class Loop>
double suppressed(std::uint64_t)
{
    struct receiver {
        Loop* loop = nullptr;
        unsigned handled = 0;
        double nanoseconds = 0;
    } r;
    pin_to(last_processor());
    Loop::before_thread();
    {
        Loop loop(
            [](void* p) {
                auto& self = *static_cast<receiver*>(p);
                if (++self.handled != 1)
                    return self.loop->stop();
                self.loop->post();
                self.nanoseconds = each([&self] { self.loop->post(); });
            },
            &r);
        r.loop = &loop;
        loop.post();
        loop.run();
    }
    Loop::after_thread();
    unless(r.handled == 2, "posts to a receiver that was signalled did not merge into one wakeup");
    return r.nanoseconds;
}

// ---- the first post to a receiver asleep in its loop ------------------------------------------------------------------------

/// Is a thread of this process blocked in the kernel?
class sleep_watch {
public:
    explicit sleep_watch(pid_t thread)
        : fd_(::open(("/proc/self/task/" + std::to_string(thread) + "/stat").c_str(), O_RDONLY | O_CLOEXEC))
    {
        if (fd_ < 0)
            throw std::system_error(errno, std::generic_category(), "/proc/self/task");
    }
    sleep_watch(const sleep_watch&) = delete;
    sleep_watch& operator=(const sleep_watch&) = delete;
    ~sleep_watch() { ::close(fd_); }

    bool asleep() const
    {
        char text[256];
        const ssize_t n = ::pread(fd_, text, sizeof text, 0);
        const std::string_view line(text, n > 0 ? static_cast<std::size_t>(n) : 0);
        const auto state = line.rfind(") "); // behind the name, which may hold anything
        return state != line.npos && state + 2 < line.size() && line[state + 2] == 'S';
    }

private:
    int fd_;
};

inline void be_batch()
{
    const sched_param none{};
    if (::sched_setscheduler(0, SCHED_BATCH, &none) != 0)
        throw std::system_error(errno, std::generic_category(), "sched_setscheduler");
}

/// What reading the clock twice takes, with nothing between.
inline double cost_of_looking()
{
    std::vector<double> all;
    for (int i = 0; i != 2000; ++i) {
        const auto start = clock::now();
        all.push_back(nanoseconds_between(start, clock::now()));
    }
    return middle(all);
}

template <class Loop>
double first(std::uint64_t n)
{
    struct receiver {
        std::atomic<Loop*> loop{nullptr};
        std::atomic<std::uint64_t> handled{0};
        std::atomic<bool> over{false};
        pid_t thread;
    } r;
    pin_to(last_processor());
    std::thread thread([&r] {
        be_batch();
        Loop::before_thread();
        {
            Loop loop(
                [](void* p) {
                    auto& self = *static_cast<receiver*>(p);
                    if (self.over)
                        self.loop.load()->stop();
                    ++self.handled;
                },
                &r);
            r.thread = ::gettid();
            r.loop = &loop;
            loop.run();
            r.loop = nullptr;
        }
        Loop::after_thread();
    });
    while (!r.loop)
        ::sched_yield();
    Loop& loop = *r.loop;
    std::vector<double> posts;
    {
        const sleep_watch watch(r.thread);
        const auto end = clock::now() + enough;
        for (std::uint64_t i = 0; !r.over; ++i) {
            while (r.handled != i || !watch.asleep())
                ::sched_yield();
            r.over = i + 1 == n || clock::now() > end;
            const auto start = clock::now();
            loop.post();
            posts.push_back(nanoseconds_between(start, clock::now()));
        }
    }
    thread.join();
    return middle(posts) - cost_of_looking();
}

// ---- round trips of two threads ---------------------------------------------------------------------------------------------

template <class Loop>
double roundtrip_on(std::uint64_t n, int here, int there)
{
    struct player {
        Loop* loop = nullptr;
        player* other = nullptr;
        std::uint64_t left = 0; ///< of who serves; 0: this is the last round trip. The post publishes it
        bool serves = false;
        lap_timer trips;
    };
    player players[2];
    std::barrier both(2);
    const auto handle = [](void* p) {
        auto& self = *static_cast<player*>(p);
        if (!self.serves) {
            const bool last = self.other->left == 0;
            self.other->loop->post();
            if (last)
                self.loop->stop();
            return;
        }
        self.trips.happened();
        if (self.left == 0)
            return self.loop->stop();
        self.left = self.trips.elapsed() > enough ? 0 : self.left - 1;
        self.other->loop->post();
    };
    const auto play = [&](unsigned me, int processor) {
        pin_to(processor);
        Loop::before_thread();
        {
            Loop loop(handle, &players[me]);
            players[me] = {&loop, &players[1 - me], n - 1, me == 0, {}};
            both.arrive_and_wait();
            if (me == 0) {
                players[0].trips.start(n);
                players[1].loop->post();
            }
            loop.run();
            both.arrive_and_wait(); // the other may be in its last post to this loop
        }
        Loop::after_thread();
    };
    std::thread other(play, 1, there);
    std::thread one(play, 0, here);
    one.join();
    other.join();
    return players[0].trips.each();
}

/// On one core.
template <class Loop>
double roundtrip(std::uint64_t n)
{
    return roundtrip_on<Loop>(n, last_processor(), last_processor());
}

/// On two, where the machine has them.
template <class Loop>
double roundtrip_across(std::uint64_t n)
{
    return roundtrip_on<Loop>(n, first_processor(), last_processor());
}

// ---- the first post to a receiver whose loop is awake -----------------------------------------------------------------------

// Many receivers and a poster, all on one core. Each receiver waits in its handler, yielding; when all of them do, the poster
// posts to one after the other, and lets them go on. (A single post is shorter than the steps of some clocks.)
template <class Loop>
double awake(std::uint64_t n)
{
    constexpr unsigned crowd = 16;
    struct receiver {
        std::atomic<Loop*> loop{nullptr};
        std::atomic<bool> in_handler{false};
        std::atomic<bool> over{false};
    };
    std::vector<receiver> receivers(crowd);
    std::vector<std::thread> threads;
    pin_to(last_processor());
    for (receiver& r : receivers)
        threads.emplace_back([&r] {
            Loop::before_thread();
            {
                Loop loop(
                    [](void* p) {
                        auto& self = *static_cast<receiver*>(p);
                        if (self.over)
                            return self.loop.load()->stop();
                        self.in_handler = true;
                        while (self.in_handler)
                            ::sched_yield();
                    },
                    &r);
                r.loop = &loop;
                loop.post();
                loop.run();
            }
            Loop::after_thread();
        });
    Loop* loops[crowd];
    std::vector<double> posts;
    const auto end = clock::now() + enough;
    for (bool over = false; !over;) {
        for (unsigned k = 0; k != crowd; ++k) {
            while (!receivers[k].in_handler)
                ::sched_yield();
            loops[k] = receivers[k].loop;
        }
        const auto start = clock::now();
        for (Loop* loop : loops)
            loop->post();
        posts.push_back(nanoseconds_between(start, clock::now()));
        over = posts.size() == n || clock::now() > end;
        for (receiver& r : receivers) {
            r.over = over;
            r.in_handler = false;
        }
    }
    for (std::thread& t : threads)
        t.join();
    return (middle(posts) - cost_of_looking()) / crowd;
}

/// What a contestant can do whose posts merge.
template <class Loop>
std::vector<offer> all_of()
{
    return {{"suppressed", suppressed<Loop>},
            {"first", first<Loop>},
            {"roundtrip", roundtrip<Loop>},
            {"roundtrip.across", roundtrip_across<Loop>},
            {"awake", awake<Loop>}};
}

} // namespace sigev_bench

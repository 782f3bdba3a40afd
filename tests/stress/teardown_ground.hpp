// What teardown_arena.cpp's threads fight over, and what they do there: teardown_arena.hpp says why.
#pragma once

#include "stress/teardown_arena.hpp"
#include "support/stress.hpp"

#include <array>
#include <atomic>
#include <deque>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sigev_tests::teardown {

constexpr unsigned crew = 8;
constexpr unsigned shared = 24; // a third of them timers
constexpr std::uint64_t empty = 0, in_work = 1; // in a place; no handle is that small

enum kind : unsigned { none, signal, thread_id, thread, thread_of_its_own, fresh_thread, callback, kevent, user, kinds };

struct arena;

/// What the callbacks of one subscription use.
struct life {
    static constexpr std::uint32_t is_alive = 0x11fe11fe, is_dead = 0xdeadbeef;

    arena* in;
    kind what;
    bool timer;
    std::atomic<std::uint32_t> mark{is_alive};
    std::atomic<std::uint64_t> calls{0};
};

using graves = std::deque<std::unique_ptr<life>>;

/// A subscription or timer that all may use: its handle, which one thread at a time may take out for good.
struct alignas(64) place_of_one {
    std::atomic<std::uint64_t> handle{empty};
    life* of = nullptr; ///< of who has taken the handle out
};

inline std::uint64_t bits(timer_t t)
{
    return reinterpret_cast<std::uint64_t>(t);
}
inline timer_t timer_of(std::uint64_t handle)
{
    return reinterpret_cast<timer_t>(handle);
}

struct arena {
    explicit arena(const teardown_options&);
    ~arena();

    // ---- what is made and ended: teardown_ground.cpp ---------------------------------------------------------------------------

    life* new_life(dice&, bool timer);
    /// Its handle; `empty`, and counted, if it cannot be.
    std::uint64_t open(life&, dice&);
    /// Waits until nothing of it runs, and gives it up: from here on nobody may touch its life.
    void close(std::uint64_t handle, life&);
    /// Marks it for a callback that comes too late, and keeps it a while for that.
    void bury(std::unique_ptr<life>, graves&);
    /// What is queued and posted is taken, as a program would. Whether there was any.
    bool take();
    /// Takes what signals are queued. Whether there were any.
    bool take_signals();

    /// An answer may be 0, or one of these errors.
    void check(int result, std::initializer_list<int> allowed);
    /// The first note stays.
    void note(std::string what);

    // ---- the attack: teardown_attack.cpp -----------------------------------------------------------------------------------------

    /// The account of a call that begins.
    static void begin(life&);
    /// A callback.
    static void called(sigval);
    /// The whole of a thread.
    void work(unsigned number);

    void arm(dice&);
    void free(dice&, graves&);
    /// A handle of the shared ones; it may end at any moment.
    std::uint64_t one(dice&, bool timer);
    void submit(dice&);
    void submit_to(std::uint64_t handle);
    void settime(dice&);
    void cancel(dice&);
    void cancel_and_wait(dice&);
    void use_stale(std::uint64_t handle, bool timer);
    void live_alone(dice&, graves&);

    static const int rt;

    const teardown_options& options;
    const blocked_signals blocked{rt, rt + 1};
    const place on;
    const pid_t taker = this_thread();
    pthread_attr_t attributes;
    int method = 0;
    int queue = -1;
    std::uint64_t seed = 0;
    std::array<place_of_one, shared> places;
    std::atomic<bool> over{false};
    std::mutex mutex;
    std::vector<std::unique_ptr<life>> kept; ///< until the library has been ended; guarded by the mutex
    std::array<std::array<std::atomic<std::uint64_t>, kinds>, 2> calls{};
    std::atomic<std::uint64_t> turns{0}, told{0}, late{0}, wrong{0};
    std::string first_note; ///< guarded by the mutex
    std::atomic<std::uint64_t> opened{0}, freed{0}, submits{0}, refused{0}, settimes{0}, stale{0}, waits_inside{0}, exits{0}, alone{0};
    std::uint64_t told_by_events = 0;
    std::array<std::uint64_t, 2> signals{};

private:
    sigevent event_for(life&);
};

} // namespace sigev_tests::teardown

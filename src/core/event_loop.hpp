// The runtime's own io_context, out of sight of everything else, and how it sleeps.
//
// Its descriptors are watched for edges, by operations that never complete (core/perpetual_watch.hpp); with
// SIGEV_FORCE=noperpetual by the same header-only shell that a program compiles for its own contexts
// (sigev/detail/reactor_service.hpp).
//
// The loop is ours from the call that blocks to its return, so it can say that it is awake (core/wakeup_word.hpp): then a
// post is one exchange, and the loop finds it when it asks whether it may sleep. Before it sleeps it may be told to look for
// a while whether something comes (sigev_spin()); a thread that sleeps needs some 25 us to be woken on another core, one
// that looks needs none, and uses up its core. After a request it looks until the next one of a burst would have come, a few us.
#pragma once

#include "core/reactor.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

namespace sigev::core {

class event_loop {
public:
    /// With a reactor of its own, opened in the registry. Throws std::bad_alloc, boost::system::system_error.
    explicit event_loop(registry& all);
    event_loop(const event_loop&) = delete;
    event_loop& operator=(const event_loop&) = delete;
    /// Closes the reactor.
    ~event_loop();

    core::reactor& reactor() const noexcept;

    /// Does what has come and returns; else waits for the first that comes. The second form waits at most so long, after it has
    /// looked for as long at most. One thread
    /// at a time.
    void run_one() noexcept;
    void run_one_for(std::chrono::nanoseconds limit) noexcept;

    /// Makes the thread that runs it come back. Async-signal-safe.
    void interrupt() noexcept { reactor().wake(); }

    /// How long every loop looks before it sleeps, in nanoseconds; 0: not at all.
    static std::atomic<std::uint64_t> spin;

private:
    class watcher;
    class shell_watcher;
    class edge_watcher;
    struct state;

    template <class Wait>
    void turn(std::chrono::nanoseconds longest_look, Wait wait) noexcept;
    std::uint64_t rest_of_burst() noexcept;
    bool look_for_a_while(std::uint64_t nanoseconds) noexcept;

    std::unique_ptr<state> state_;
};

} // namespace sigev::core

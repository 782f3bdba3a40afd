// The runtime's own io_context, out of sight of everything else. Its descriptors are watched by the same header-only shell
// that a program compiles for its own contexts (sigev/detail/reactor_service.hpp).
#pragma once

#include <sigev.h>

#include <chrono>
#include <memory>

namespace sigev::core {

class event_loop {
public:
    /// Throws std::bad_alloc, boost::system::system_error.
    event_loop();
    event_loop(const event_loop&) = delete;
    event_loop& operator=(const event_loop&) = delete;
    /// Closes the reactor.
    ~event_loop();

    sigev_reactor_t reactor() const noexcept;

    /// Runs at most one handler, waiting for it; the second form at most so long. One thread at a time.
    void run_one() noexcept;
    void run_one_for(std::chrono::nanoseconds limit) noexcept;

    /// Makes the thread that runs it come back. Any thread, not a signal handler.
    void interrupt() noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace sigev::core

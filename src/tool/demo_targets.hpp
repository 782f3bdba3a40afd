// The six targets of the demo: what stands behind each method, ready to be told.
#pragma once

#include "tool/demo_inbox.hpp"
#include "tool/row.hpp"

#include <atomic>
#include <csignal>
#include <thread>

namespace sigev::tool {

class targets {
public:
    /// Starts the threads and the kqueue, and registers the method. Throws std::system_error.
    /// From then on the signals of the demo are blocked in the calling thread and all that it starts.
    targets();
    ~targets() { stop(); }
    targets(const targets&) = delete;
    targets& operator=(const targets&) = delete;

    /// How a row with this method and source wants to be told.
    sigevent event(method, source, inbox&) const noexcept;

    /// The method's number in a sigevent.
    int number(method) const noexcept;

    /// Ends the threads, the kqueue and the method. Nothing may be on the way any more.
    void stop() noexcept;

private:
    void wait_for_signals() noexcept;
    void wait_for_kevents() noexcept;

    std::atomic<bool> stopping_ = false;
    std::atomic<pid_t> thread_id_ = 0;
    int kqueue_ = -1;
    int registered_ = -1;
    std::thread process_signals_;
    std::thread own_signals_;
    std::thread kevents_;
};

} // namespace sigev::tool

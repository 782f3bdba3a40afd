// An event_raw on an io_context that is rung from everywhere at once: threads, the handlers of signals, and a forked child,
// which also tries handles of its parent's.
//
// The sum: each ringer counts up before it posts, and says so when its post has returned. The wait's handler copies what has
// been counted. Once everybody is quiet all that was said must have been copied: nobody is left who would post once more.
#pragma once

#include "support/stress.hpp"

#include <sigev.h>
#include <sigev/event_raw.hpp>

#include <boost/asio/io_context.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include <sys/types.h>

namespace sigev_tests {

class bell {
public:
    static constexpr unsigned ringers = 16;

    /// Forks: before there are threads. The child submits to the handles.
    bell(boost::asio::io_context& io, const std::vector<sigev_t>& handles);
    bell(const bell&) = delete;
    bell& operator=(const bell&) = delete;
    ~bell();

    /// Async-signal-safe. Each ringer is one thread, or one thread's handlers.
    void ring(unsigned ringer);

    /// The child's round.
    void begin();
    void finish();

    bool all_heard() const;
    /// No waits any more: the context may come to its end.
    void close() { event_.close(); }

    std::uint64_t rung() const;
    std::uint64_t rung_by_the_child() const { return s_->lines[ringers].said; }
    std::uint64_t twice_at_once() const { return twice_; } ///< handlers of the one wait
    std::uint64_t reached() const { return s_->reached; }  ///< submits of the child's that were not refused

private:
    struct alignas(64) line {
        std::atomic<std::uint64_t> counted{0}, said{0}, heard{0};
    };
    struct shared {
        rounds turns;
        std::array<line, ringers + 1> lines; // the last is the child's
        std::atomic<std::uint64_t> reached{0};
    };

    void listen();
    void ring(line& mine);
    void be_the_child(const std::vector<sigev_t>& handles);

    sigev::event_raw event_;
    shared* s_ = nullptr;
    pid_t child_ = -1;
    std::atomic<bool> inside_{false};
    std::atomic<std::uint64_t> twice_{0};
};

} // namespace sigev_tests

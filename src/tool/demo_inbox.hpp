// Where a target puts what it has been told: one inbox for each row of the demo, named by the sigev_value.
#pragma once

#include "tool/histogram.hpp"

#include <atomic>
#include <csignal>
#include <cstdint>

namespace sigev::tool {

class inbox {
public:
    inbox() = default;
    inbox(const inbox&) = delete;
    inbox& operator=(const inbox&) = delete;

    /// A notification that stands for so many occurrences is in the hands of the target. In the target's
    /// thread.
    virtual void take(std::int64_t now, std::uint64_t occurrences) noexcept = 0;

    std::uint64_t arrived() const noexcept { return arrived_.load(std::memory_order_acquire); }
    distribution latency() const noexcept { return latency_.take(); }

    sigval value() noexcept {
        sigval v{};
        v.sival_ptr = this;
        return v;
    }
    static inbox& of(void* value) noexcept { return *static_cast<inbox*>(value); }

protected:
    ~inbox() = default;

    std::atomic<std::uint64_t> arrived_ = 0;
    histogram latency_;
};

} // namespace sigev::tool

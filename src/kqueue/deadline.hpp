// Waiting for a descriptor until a point in time, however often the wait has to be taken up again.
#pragma once

#include "sys/clock.hpp"
#include "sys/raw_io.hpp"

#include <cerrno>
#include <cstdint>
#include <limits>
#include <poll.h>

namespace sigev::kq {

/// A timeout as kevent() takes one: null is for ever.
class deadline {
public:
    static bool valid(const timespec* timeout) noexcept
    {
        return !timeout
               || (timeout->tv_sec >= 0 && timeout->tv_nsec >= 0
                   && timeout->tv_nsec < static_cast<long>(sys::nanoseconds_per_second));
    }

    explicit deadline(const timespec* timeout) noexcept
    {
        if (!timeout)
            return;
        const std::uint64_t start = sys::now(CLOCK_MONOTONIC);
        end_ = start + sys::to_nanoseconds(*timeout, never - start);
    }

    bool passed() const noexcept { return end_ != never && sys::now(CLOCK_MONOTONIC) >= end_; }

    /// 0 when the descriptor is readable or the time is over, else an errno; EINTR always when a handler has run.
    int wait(int descriptor) const noexcept
    {
        pollfd watched{descriptor, POLLIN, 0};
        timespec left{};
        if (end_ != never) {
            const std::uint64_t now = sys::now(CLOCK_MONOTONIC);
            left = sys::to_timespec(end_ > now ? end_ - now : 0);
        }
        return sys::raw_ppoll(&watched, 1, end_ == never ? nullptr : &left) < 0 ? errno : 0;
    }

private:
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    std::uint64_t end_ = never;
};

} // namespace sigev::kq

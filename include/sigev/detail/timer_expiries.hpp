// What has become of a timer's expiries, and whether a wait may complete. Pure: no clock, no lock, no Asio.
//
// One-shot: once it has expired, every wait completes, until the timer is set anew; never armed counts as expired, since a wait
// for it would never end. Periodic: expiries that no wait has seen add up, and the next wait takes them all.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace sigev::detail {

class timer_expiries {
public:
    /// The timer was set. `first`: when a periodic one is due first, or any_time.
    void set(bool armed, bool periodic, std::int64_t first) noexcept
    {
        expired_ = !armed;
        periodic_ = armed && periodic;
        first_ = first;
        unseen_ = 0;
    }

    /// `n` expiries are reported, the first of which was due at `scheduled`; `armed`: the timer is armed now. Between an expiry
    /// and its report another thread may have set the timer: what then comes is not for the waits that were started
    /// since, and false is returned. Of a one-shot timer that is still armed nothing can have come.
    bool add(std::int64_t n, std::int64_t scheduled, bool armed) noexcept
    {
        if (periodic_ ? scheduled < first_ : armed)
            return false;
        expired_ = true;
        unseen_ += n;
        return true;
    }

    /// True when a wait is to complete now; then it sees all that has expired.
    bool take() noexcept
    {
        if (!periodic_) {
            overrun_ = 0;
            return expired_;
        }
        if (unseen_ == 0)
            return false;
        constexpr std::int64_t most = std::numeric_limits<int>::max(); // DELAYTIMER_MAX
        overrun_ = static_cast<int>(std::min(unseen_ - 1, most));
        unseen_ = 0;
        return true;
    }

    /// What the last that was taken stands for beyond its first expiry.
    int overrun() const noexcept { return overrun_; }

    static constexpr std::int64_t any_time = std::numeric_limits<std::int64_t>::min();

private:
    std::int64_t first_ = any_time;
    std::int64_t unseen_ = 0;
    bool expired_ = true;
    bool periodic_ = false;
    int overrun_ = 0;
};

} // namespace sigev::detail

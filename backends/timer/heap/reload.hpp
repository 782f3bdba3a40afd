// When a periodic timer is next due: arithmetic from its deadline, never from the time of the expiry, so that it does
// not drift however late it is looked at.
#pragma once

#include <cstdint>

namespace sigev::spi::heap {

/// The latest deadline: one less than 63 bits hold, so that no deadline looks like "none" (timer_slot.hpp). In 2262.
inline constexpr std::uint64_t latest = (std::uint64_t{1} << 63) - 2;

struct reloaded {
    std::uint64_t deadline; ///< the first of the series after `now`, at most `latest`
    std::uint64_t missed;   ///< how many of the series, besides the first, are not after `now`
};

/// For deadline <= now <= latest and 1 <= interval <= latest. With n = (now - deadline) / interval + 1 the next one
/// is deadline + n * interval, counted back from `now` here, where nothing can overflow: now + interval < 2^64.
constexpr reloaded reload(std::uint64_t deadline, std::uint64_t interval, std::uint64_t now) noexcept
{
    const std::uint64_t behind = now - deadline;
    const std::uint64_t next = now + interval - behind % interval;
    return {next < latest ? next : latest, behind / interval};
}

} // namespace sigev::spi::heap

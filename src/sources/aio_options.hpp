// What sigev_aio_init() has chosen, for the process and those that it forks.
#pragma once

#include "spi/aio_engine.hpp"

#include <atomic>
#include <cstddef>

namespace sigev::sources {

inline constexpr std::size_t usual_limit_inside_the_call = 256 * 1024;

namespace detail {
inline std::atomic<std::size_t> most_inside_the_call{usual_limit_inside_the_call};
inline std::atomic<bool> aio_is_kept{false};
} // namespace detail

/// Reads of at most so many bytes are tried inside the call; 0: none.
inline std::size_t limit_of_reads_inside_the_call() noexcept
{
    return detail::most_inside_the_call.load(std::memory_order_relaxed);
}
spi::aio_limits chosen_aio_limits() noexcept;

/// aio_waitcomplete() is used: requests are kept until they are returned. Not to be taken back.
inline bool is_aio_kept() noexcept
{
    return detail::aio_is_kept.load(std::memory_order_acquire);
}
void keep_aio() noexcept;

void choose_aio(std::size_t inside_the_call, const spi::aio_limits& limits) noexcept;

} // namespace sigev::sources

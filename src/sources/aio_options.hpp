// What sigev_aio_init() has chosen, for the process and those that it forks.
#pragma once

#include "spi/aio_engine.hpp"

#include <cstddef>

namespace sigev::sources {

inline constexpr std::size_t usual_limit_inside_the_call = 256 * 1024;

/// Reads of at most so many bytes are tried inside the call; 0: none.
std::size_t limit_of_reads_inside_the_call() noexcept;
spi::aio_limits chosen_aio_limits() noexcept;

/// aio_waitcomplete() is used: requests are kept until they are returned. Not to be taken back.
bool is_aio_kept() noexcept;
void keep_aio() noexcept;

void choose_aio(std::size_t inside_the_call, const spi::aio_limits& limits) noexcept;

} // namespace sigev::sources

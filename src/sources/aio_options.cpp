#include "sources/aio_options.hpp"

namespace sigev::sources {

namespace {

std::atomic<unsigned> threads{0};
std::atomic<unsigned> idle{0};

} // namespace

spi::aio_limits chosen_aio_limits() noexcept
{
    return {threads.load(std::memory_order_relaxed), idle.load(std::memory_order_relaxed)};
}

void keep_aio() noexcept
{
    detail::aio_is_kept.store(true, std::memory_order_release);
}

void choose_aio(std::size_t inside_the_call, const spi::aio_limits& limits) noexcept
{
    detail::most_inside_the_call.store(inside_the_call, std::memory_order_relaxed);
    threads.store(limits.threads, std::memory_order_relaxed);
    idle.store(limits.idle_milliseconds, std::memory_order_relaxed);
}

} // namespace sigev::sources

#include "sources/aio_options.hpp"

#include <atomic>

namespace sigev::sources {

namespace {

std::atomic<std::size_t> inside{usual_limit_inside_the_call};
std::atomic<unsigned> threads{0};
std::atomic<unsigned> idle{0};
std::atomic<bool> kept{false};

} // namespace

std::size_t limit_of_reads_inside_the_call() noexcept
{
    return inside.load(std::memory_order_relaxed);
}

spi::aio_limits chosen_aio_limits() noexcept
{
    return {threads.load(std::memory_order_relaxed), idle.load(std::memory_order_relaxed)};
}

bool is_aio_kept() noexcept
{
    return kept.load(std::memory_order_acquire);
}

void keep_aio() noexcept
{
    kept.store(true, std::memory_order_release);
}

void choose_aio(std::size_t inside_the_call, const spi::aio_limits& limits) noexcept
{
    inside.store(inside_the_call, std::memory_order_relaxed);
    threads.store(limits.threads, std::memory_order_relaxed);
    idle.store(limits.idle_milliseconds, std::memory_order_relaxed);
}

} // namespace sigev::sources

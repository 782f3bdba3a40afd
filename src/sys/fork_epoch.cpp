#include "sys/fork_epoch.hpp"

#include "sys/force.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

namespace sigev::sys {

namespace detail {
std::atomic<std::atomic<std::uint32_t>*> epoch_page{nullptr};
}

namespace {

// Not in the page: a child inherits the value and so takes the next one.
std::atomic<std::uint32_t> last_epoch{0};
std::atomic<bool> wiped_by_kernel{false};

void clear_in_child()
{
    if (auto* page = detail::epoch_page.load(std::memory_order_acquire))
        page->store(0, std::memory_order_release);
}

std::atomic<std::uint32_t>* make_page() noexcept
{
    const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return nullptr;
    const bool wiped = !forced("nowipe") && ::madvise(memory, size, MADV_WIPEONFORK) == 0;
    if (!wiped && ::pthread_atfork(nullptr, nullptr, clear_in_child) != 0) {
        ::munmap(memory, size);
        return nullptr;
    }
    auto* page = new (memory) std::atomic<std::uint32_t>(0);
    std::atomic<std::uint32_t>* expected = nullptr;
    if (!detail::epoch_page.compare_exchange_strong(expected, page, std::memory_order_acq_rel)) {
        ::munmap(memory, size);
        return expected;
    }
    wiped_by_kernel.store(wiped, std::memory_order_relaxed);
    return page;
}

} // namespace

std::uint32_t ensure_epoch() noexcept
{
    auto* page = detail::epoch_page.load(std::memory_order_acquire);
    if (!page && !(page = make_page()))
        return 0;
    std::uint32_t epoch = page->load(std::memory_order_acquire);
    if (epoch != 0)
        return epoch;
    std::uint32_t fresh;
    do
        fresh = last_epoch.fetch_add(1, std::memory_order_relaxed) + 1;
    while (fresh == 0);
    return page->compare_exchange_strong(epoch, fresh, std::memory_order_acq_rel) ? fresh : epoch;
}

bool epoch_is_wiped_by_kernel() noexcept
{
    return wiped_by_kernel.load(std::memory_order_relaxed);
}

} // namespace sigev::sys

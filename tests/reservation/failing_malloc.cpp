#include "failing_malloc.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include <malloc.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool interposed = false;
#else
constexpr bool interposed = true;
#endif

namespace {

std::atomic<bool> empty{false};
std::atomic<unsigned long> left{0}; // of the granted
std::atomic<unsigned long> refused{0};

} // namespace

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

bool refuse() noexcept
{
    if (!empty.load(std::memory_order_relaxed))
        return false;
    for (unsigned long n = left.load(std::memory_order_relaxed); n != 0;)
        if (left.compare_exchange_weak(n, n - 1, std::memory_order_relaxed))
            return false;
    refused.fetch_add(1, std::memory_order_relaxed);
    errno = ENOMEM;
    return true;
}

} // namespace

// The executable's definitions come before libc's for everybody; what they call are the same functions under the names
// that libc keeps for this.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) { return refuse() ? nullptr : __libc_malloc(size); }
void* calloc(std::size_t n, std::size_t size) { return refuse() ? nullptr : __libc_calloc(n, size); }
void* realloc(void* old, std::size_t size) { return refuse() ? nullptr : __libc_realloc(old, size); }
void* memalign(std::size_t alignment, std::size_t size) { return refuse() ? nullptr : __libc_memalign(alignment, size); }
void* aligned_alloc(std::size_t alignment, std::size_t size)
{
    return refuse() ? nullptr : __libc_memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size)
{
    void* const found = refuse() ? nullptr : __libc_memalign(alignment, size);
    if (!found)
        return ENOMEM;
    *out = found;
    return 0;
}
}

#endif

namespace sigev_tests {

no_memory::no_memory(unsigned long granted) noexcept
{
    refused = 0;
    left = granted;
    empty = true;
}

no_memory::~no_memory()
{
    empty = false;
}

unsigned long no_memory::refusals() noexcept
{
    return refused;
}

bool no_memory::works() noexcept
{
    return interposed;
}

} // namespace sigev_tests

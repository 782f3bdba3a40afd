#include "sys/thread_environment.hpp"

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <cstring>
#include <limits>
#include <locale.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#    include <cpuid.h>
#    include <x86intrin.h>
#endif

namespace sigev::sys {

// ---- was there a system call? -------------------------------------------------------------------------------------------

#if defined(__x86_64__)

namespace {

bool has_counter() noexcept
{
    constexpr unsigned rdtscp = 1u << 27, invariant = 1u << 8;
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid(0x80000001, &a, &b, &c, &d) || !(d & rdtscp))
        return false;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & invariant);
}

const bool counter_is_there = has_counter();

// The shortest of a few dozen calls that do next to nothing: shorter than any that changes something. Measured while the
// processor may run faster or slower than later, hence only a quarter of it counts; and while somebody may trace the program,
// who makes a call take a hundred times as long and may leave, hence not more than it is where nobody does.
constexpr std::uint64_t most = 100;

std::uint64_t shortest_system_call() noexcept
{
    if (!counter_is_there)
        return 0;
    std::uint64_t shortest = std::numeric_limits<std::uint64_t>::max();
    for (int i = 0; i != 64; ++i) {
        const ticks before = ticks::now();
        ::syscall(SYS_getppid);
        const ticks after = ticks::now();
        if (before.processor == after.processor && after.count - before.count < shortest)
            shortest = after.count - before.count;
    }
    return shortest == std::numeric_limits<std::uint64_t>::max() ? 0 : std::min(shortest / 4, most);
}

} // namespace

ticks ticks::now() noexcept
{
    ticks t;
    if (counter_is_there)
        t.count = __rdtscp(&t.processor);
    return t;
}

bool ticks::are_there() noexcept
{
    return counter_is_there;
}

namespace {

constexpr std::uint64_t brief = 1000; // of what is less than any system call: some 25 ns

bool is_less(const ticks& from, const ticks& to, std::uint64_t times) noexcept
{
    // Not the language's own way to do it once: a child would wait for ever for the thread of its parent's that was doing it. Who
    // comes meanwhile measures too.
    constexpr std::uint64_t unknown = std::numeric_limits<std::uint64_t>::max();
    static constinit std::atomic<std::uint64_t> known{unknown};
    std::uint64_t limit = known.load(std::memory_order_relaxed);
    if (limit == unknown) [[unlikely]] {
        limit = shortest_system_call();
        known.store(limit, std::memory_order_relaxed);
    }
    return from.processor == to.processor && to.count - from.count < times * limit;
}

} // namespace

bool no_system_call_between(const ticks& from, const ticks& to) noexcept
{
    return is_less(from, to, 1);
}

bool is_brief(const ticks& from, const ticks& to) noexcept
{
    return is_less(from, to, brief);
}

#else

ticks ticks::now() noexcept
{
    return {};
}

bool ticks::are_there() noexcept
{
    return false;
}

bool no_system_call_between(const ticks&, const ticks&) noexcept
{
    return false;
}

bool is_brief(const ticks&, const ticks&) noexcept
{
    return false;
}

#endif

// ---- the user's part ------------------------------------------------------------------------------------------------------

namespace {

// Looking is cheaper than loading: the whole floating-point environment takes 40 ns and more.
bool floating_point_is_default() noexcept
{
#if defined(__x86_64__)
    std::uint16_t control = 0, status = 0;
    asm("fnstcw %0" : "=m"(control));
    asm("fnstsw %0" : "=am"(status));
    return _mm_getcsr() == 0x1f80 && control == 0x037f && (status & 0x00ff) == 0;
#else
    return false;
#endif
}

} // namespace

void thread_environment::restore_user_state() noexcept
{
    if (!floating_point_is_default())
        std::fesetenv(FE_DFL_ENV);
    if (::uselocale(nullptr) != LC_GLOBAL_LOCALE)
        ::uselocale(LC_GLOBAL_LOCALE);
}

// ---- the kernel's part ----------------------------------------------------------------------------------------------------

void thread_environment::learn(const char* name, const std::atomic<pid_t>* model, bool is_scheduled_alike) noexcept
{
    name_ = name;
    model_ = model;
    ::pthread_setname_np(::pthread_self(), name);
    ::sigaltstack(nullptr, &alternate_);
    ::pthread_sigmask(SIG_BLOCK, nullptr, &mask_);
    knows_scheduling_ = read_scheduling(scheduling_);
    if (is_scheduled_alike)
        models_ = scheduling_;
    knows_affinity_ = ::sched_getaffinity(0, sizeof affinity_, &affinity_) == 0;
}

bool thread_environment::restore_kernel_state() noexcept
{
    ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
    char name[16]; // to look takes less than to put back, and tells nobody who listens to names
    if (::prctl(PR_GET_NAME, name) != 0 || std::strncmp(name, name_, sizeof name) != 0)
        ::pthread_setname_np(::pthread_self(), name_);
    ::sigaltstack(&alternate_, nullptr); // to look takes longer. A new thread has none, unless a sanitizer has given it one
    return restore_scheduling() && restore_affinity();
}

// What differs may have been changed from outside, for all threads (renice of a process group): the model tells.
bool thread_environment::restore_scheduling() noexcept
{
    scheduling now;
    if (!knows_scheduling_ || !read_scheduling(now) || now == scheduling_)
        return true; // a filter that forbids asking will forbid changing as well
    scheduling wanted = scheduling_;
    scheduling models;
    const pid_t model = models_.size != 0 ? models_thread() : 0;
    if (model != 0 && read_scheduling(models, model) && !are_alike(models, models_))
        wanted = models_ = models;
    if (!(now == wanted) && !take_scheduling(wanted))
        return false;
    scheduling_ = wanted;
    return true;
}

pid_t thread_environment::models_thread() const noexcept
{
    return model_ ? model_->load(std::memory_order_relaxed) : 0;
}

bool thread_environment::restore_affinity() noexcept
{
    cpu_set_t now;
    if (!knows_affinity_ || ::sched_getaffinity(0, sizeof now, &now) != 0 || CPU_EQUAL(&now, &affinity_))
        return true;
    cpu_set_t wanted = affinity_;
    const pid_t model = models_thread();
    if (model != 0 && ::sched_getaffinity(model, sizeof wanted, &wanted) != 0)
        wanted = affinity_;
    if (!CPU_EQUAL(&now, &wanted) && ::sched_setaffinity(0, sizeof wanted, &wanted) != 0)
        return false;
    affinity_ = wanted;
    return true;
}

} // namespace sigev::sys

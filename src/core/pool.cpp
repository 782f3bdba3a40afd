#include "core/pool.hpp"

#include <cerrno>

namespace sigev::core {

int read_key(const pthread_attr_t& attributes, thread_key& out) noexcept
{
    out = {};
    sched_param priority{};
    void* stack = nullptr;
    std::size_t size = 0;
    for (const int error :
         {::pthread_attr_getstacksize(&attributes, &out.stack_size), ::pthread_attr_getguardsize(&attributes, &out.guard_size),
          ::pthread_attr_getschedpolicy(&attributes, &out.policy), ::pthread_attr_getschedparam(&attributes, &priority),
          ::pthread_attr_getinheritsched(&attributes, &out.inherit), ::pthread_attr_getscope(&attributes, &out.scope)})
        if (error)
            return error;
    out.priority = priority.sched_priority;
    // Without an explicit stack glibc keeps 0 as its end: there is no other way to ask.
    if (::pthread_attr_getstack(&attributes, &stack, &size) == 0 && reinterpret_cast<std::uintptr_t>(stack) + size != 0)
        out.stack = stack;
    cpu_set_t all;
    std::memset(&all, 0xff, sizeof all);
    if (::pthread_attr_getaffinity_np(&attributes, sizeof out.affinity, &out.affinity) != 0)
        return EINVAL;
    out.has_affinity = std::memcmp(&out.affinity, &all, sizeof all) != 0;
    sigset_t mask;
    out.has_mask = ::pthread_attr_getsigmask_np(&attributes, &mask) == 0;
    for (int signo = 1; out.has_mask && signo != _NSIG; ++signo) // the rest of a sigset_t is anything
        if (::sigismember(&mask, signo) == 1)
            ::sigaddset(&out.mask, signo);
    const bool explicitly = out.inherit == PTHREAD_EXPLICIT_SCHED;
    out.scheduling = sys::scheduling_of_a_new_thread(explicitly ? out.policy : -1, out.priority);
    return 0;
}

// Of what a fresh pthread_attr_t says only the stack's size is not the same at all times (pthread_setattr_default_np()).
bool is_plain_here(const thread_key& key) noexcept
{
    pthread_attr_t fresh;
    if (::pthread_attr_init(&fresh) != 0)
        return false;
    std::size_t size = 0;
    const bool same = ::pthread_attr_getstacksize(&fresh, &size) == 0 && size == key.stack_size;
    ::pthread_attr_destroy(&fresh);
    return same && key.scheduling == sys::scheduling_of_a_new_thread(-1, 0);
}

// The signal mask is not among it: between two callbacks all is blocked.
int write_key(const thread_key& key, pthread_attr_t& attributes) noexcept
{
    const sched_param priority{key.priority};
    int error = key.stack ? ::pthread_attr_setstack(&attributes, key.stack, key.stack_size)
                          : ::pthread_attr_setstacksize(&attributes, key.stack_size);
    if (!error && !key.stack)
        error = ::pthread_attr_setguardsize(&attributes, key.guard_size);
    if (!error)
        error = ::pthread_attr_setinheritsched(&attributes, key.inherit);
    if (!error)
        error = ::pthread_attr_setschedpolicy(&attributes, key.policy);
    if (!error)
        error = ::pthread_attr_setschedparam(&attributes, &priority);
    if (!error)
        error = ::pthread_attr_setscope(&attributes, key.scope);
    if (!error && key.has_affinity)
        error = ::pthread_attr_setaffinity_np(&attributes, sizeof key.affinity, &key.affinity);
    if (!error)
        error = ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    return error;
}

} // namespace sigev::core

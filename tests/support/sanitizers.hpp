// What the run time of a sanitizer cannot follow. Where that can be tried out it is, when the test runs, so that a newer
// one is not spared what an older one could not do. A case that cannot be run says so, by skip(), and is counted.
#pragma once

namespace sigev_tests {

/// With UndefinedBehaviorSanitizer beside it, as the preset has them.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool under_address_sanitizer = true;
#else
inline constexpr bool under_address_sanitizer = false;
#endif
#if defined(__SANITIZE_THREAD__)
inline constexpr bool under_thread_sanitizer = true;
#else
inline constexpr bool under_thread_sanitizer = false;
#endif

/// How much longer than usual everything may take.
inline constexpr int slowness = under_address_sanitizer || under_thread_sanitizer ? 3 : 1;

/// False where the child of a process with several threads cannot start one: g++ 12's ThreadSanitizer ends it, as the
/// new thread has the number of one of the parent's, which it believes to be running. Tried once in a process.
bool threads_start_in_a_child();

/// Skips the case where they do not.
void need_threads_in_a_child();

/// Skips the case where code cannot run while there is no descriptor to be had: UndefinedBehaviorSanitizer looks through a
/// pipe at the object that a virtual function is called for. Tried once in a process.
void need_no_descriptors();

/// Skips a case whose child allocates, although threads of its parent's are at work when it is forked: g++ 12's
/// AddressSanitizer leaves its allocator's locks to the child as they are. When they are held is chance (one child of 600
/// stood still), so it cannot be tried.
void need_the_allocator_in_a_child();

/// Before a fork: for the same reason AddressSanitizer is given the time to see the other threads asleep.
void settle_before_fork();

} // namespace sigev_tests

// Says to the processor that this is a loop that looks for another core's store.
#pragma once

namespace sigev::sys {

inline void cpu_relax() noexcept
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    asm volatile("yield" ::: "memory");
#endif
}

} // namespace sigev::sys

// How a function of ours gets the name of one of libc's.
//
// Each name is exported with no version, for who asks for none, and once more for each version that libc has of it on this
// architecture: the dynamic linker wants the very version for a program that was linked to one, and so does dlvsym(). (A
// definition with no version would do for the first of these if the library had no versions at all; for dlvsym() it never does.)
// tests/preload compares the list with that of the libc that is there.
//
// One version is left out on purpose: timer_*@GLIBC_2.2.5 of x86-64, whose timer_t is an int. Who asks for it gets libc's
// family, whole (and `sigev run` refuses the program, since its timers would not be served).
#pragma once

#define SIGEV_EXPORT(function, name) __asm__(".symver " #function "," #name "@")
#define SIGEV_EXPORT_AS(function, name, version) __asm__(".symver " #function "," #name "@" version)

#if defined(__x86_64__) && !defined(__ILP32__)
#    define SIGEV_EXPORT_TIMER(function, name)                                                                                   \
        SIGEV_EXPORT(function, name);                                                                                            \
        SIGEV_EXPORT_AS(function, name, "GLIBC_2.3.3");                                                                          \
        SIGEV_EXPORT_AS(function, name, "GLIBC_2.34")
#    define SIGEV_EXPORT_AIO(function, name)                                                                                     \
        SIGEV_EXPORT(function, name);                                                                                            \
        SIGEV_EXPORT_AS(function, name, "GLIBC_2.2.5");                                                                          \
        SIGEV_EXPORT_AS(function, name, "GLIBC_2.34")
#    define SIGEV_EXPORT_LIST(function, name)                                                                                    \
        SIGEV_EXPORT_AIO(function, name);                                                                                        \
        SIGEV_EXPORT_AS(function, name, "GLIBC_2.4")
#    define SIGEV_EXPORT_OLD(function, name)                                                                                     \
        SIGEV_EXPORT(function, name);                                                                                            \
        SIGEV_EXPORT_AS(function, name, "GLIBC_2.2.5")
#    define SIGEV_EXPORT_DUP3(function, name)                                                                                    \
        SIGEV_EXPORT(function, name);                                                                                            \
        SIGEV_EXPORT_AS(function, name, "GLIBC_2.9")
#else
#    define SIGEV_EXPORT_TIMER(function, name)                                                                                   \
        SIGEV_EXPORT(function, name);                                                                                            \
        SIGEV_EXPORT_AS(function, name, "GLIBC_2.17");                                                                           \
        SIGEV_EXPORT_AS(function, name, "GLIBC_2.34")
#    define SIGEV_EXPORT_AIO SIGEV_EXPORT_TIMER
#    define SIGEV_EXPORT_LIST SIGEV_EXPORT_TIMER
#    define SIGEV_EXPORT_OLD(function, name)                                                                                     \
        SIGEV_EXPORT(function, name);                                                                                            \
        SIGEV_EXPORT_AS(function, name, "GLIBC_2.17")
#    define SIGEV_EXPORT_DUP3 SIGEV_EXPORT_OLD
#endif
#define SIGEV_EXPORT_NEW(function, name)                                                                                         \
    SIGEV_EXPORT(function, name);                                                                                                \
    SIGEV_EXPORT_AS(function, name, "GLIBC_2.34")

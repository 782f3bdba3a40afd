// What a measurement checks, in C and in C++: if it is not as expected, there is no value, but a failure that says so.
#pragma once

#ifdef __cplusplus

#include <stdexcept>
#include <string>

namespace sigev_bench {

inline void unless(bool as_expected, const char* what)
{
    if (!as_expected)
        throw std::runtime_error(what);
}

inline void unless(bool as_expected, const std::string& what)
{
    unless(as_expected, what.c_str());
}

} // namespace sigev_bench

#else

#include <stdbool.h>

/// contestant.c: the answer is a failure, and the program ends.
_Noreturn void failed(const char *what);

static inline void unless(bool as_expected, const char *what)
{
    if (!as_expected)
        failed(what);
}

#endif

// A contestant in C, for a compiler that takes nothing else: what contestant.hpp says of those in C++.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Measures once. Where it cannot, it calls failed() of unless.h.
typedef double (*measurement)(uint64_t n);

struct offer {
    const char *measure;
    measurement take;
};

/// The whole of a contestant's main().
int compete(int argc, char **argv, const struct offer *offers, size_t n);

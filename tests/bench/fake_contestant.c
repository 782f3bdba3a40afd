// The same in C.
#include "support/contestant.h"
#include "support/unless.h"

#include <stdlib.h>

static double twice(uint64_t n) { return 2 * (double)n; }

static double fails(uint64_t n)
{
    unless(n == 1, "out of luck");
    return 1;
}

static double dies(uint64_t n) { _Exit((int)n); }

int main(int argc, char **argv)
{
    const struct offer offers[] = {{"twice", twice}, {"fails", fails}, {"dies", dies}};
    return compete(argc, argv, offers, sizeof offers / sizeof offers[0]);
}

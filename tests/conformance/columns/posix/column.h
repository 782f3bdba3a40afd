/* The column of <sigev/posix.h>: what a program has that includes it and names POSIX's functions. */
#include <sigev/posix.h>

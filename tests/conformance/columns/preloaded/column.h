/* The column of libsigev-posix.so: a program that knows nothing of it, with it preloaded. */
#include "columns/libc/column.h"

// What a C++ program of ivykis' own age does is what one in C does.
#include "iv_event_raw_h.c"

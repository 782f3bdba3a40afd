#include <sigev.h>

int main(void) { return SIGEV_KEVENT == 3 ? 0 : 1; }

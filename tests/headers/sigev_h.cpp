#include <sigev.h>

int main() { return SIGEV_KEVENT == 3 ? 0 : 1; }

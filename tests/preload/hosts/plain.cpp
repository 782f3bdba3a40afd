// A program in C++ that is what it is by how it was linked. Its runtime throws, before and after.
extern "C" {
#include "../workload.h"
}

#include <iostream>
#include <stdexcept>

namespace {

bool throws()
{
    try {
        throw std::runtime_error("as ever");
    } catch (const std::exception& e) {
        return std::string(e.what()) == "as ever";
    }
}

} // namespace

int main()
{
    for (int i = 0; i != 3; ++i) {
        const int timers = use_timers();
        const int aio = use_aio();
        if (!throws() || timers || aio) {
            std::cout << "timers: " << timers << ", requests: " << aio << std::endl;
            return 3;
        }
    }
    return 0;
}

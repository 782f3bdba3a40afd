// A program that has the C++ runtime in itself, beside that of the library: a frame of the library above a callback that
// caught, or forbade, would hide the program's terminate handler, and abort on pthread_exit(). (Measured, both.)
#include <sigev.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

namespace {

std::atomic<int> destroyed{0};
pthread_key_t key;

void leaves(sigval)
{
    pthread_setspecific(key, &key);
    pthread_exit(nullptr);
}

void throws(sigval)
{
    throw std::runtime_error("of the program's own");
}

bool call(void (*function)(sigval))
{
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = function;
    sigev_t subscription;
    return sigev_open(&event, 1, nullptr, &subscription) == 0 && sigev_submit(subscription, 0, 0) == 0;
}

} // namespace

int main()
{
    std::set_terminate([] {
        std::puts(std::current_exception() ? "the program's own handler" : "no exception");
        std::fflush(stdout);
        _exit(0);
    });
    if (pthread_key_create(&key, [](void*) { ++destroyed; }) != 0 || !call(leaves))
        return 1;
    while (destroyed == 0) // ctest ends it
        sched_yield();
    std::puts("left, and its destructors ran");
    if (!call(throws))
        return 1;
    for (;;)
        pause();
}

// What a callback may do to its thread, in a program that has a C++ runtime of its own: shared or static, neither is ours.
//   endings exit | cancel | throw
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <exception>
#include <pthread.h>
#include <semaphore.h>
#include <stdexcept>
#include <unistd.h>

namespace {

sem_t ended;
const char* way = "";
int rounds = 0;

struct destroyed {
    ~destroyed() { sem_post(&ended); }
};

void callback(sigval)
{
    const destroyed here; // is to be destroyed as the thread unwinds
    ++rounds;
    if (std::strcmp(way, "exit") == 0)
        pthread_exit(nullptr);
    if (std::strcmp(way, "cancel") == 0) {
        pthread_cancel(pthread_self());
        pause();
    }
    throw std::runtime_error("out of a callback");
}

[[noreturn]] void handler()
{
    try {
        if (const auto e = std::current_exception())
            std::rethrow_exception(e);
    } catch (const std::runtime_error& e) {
        if (std::strcmp(e.what(), "out of a callback") == 0)
            _exit(42); // the program's own handler, its own exception, whole
    }
    _exit(43);
}

} // namespace

int main(int, char** argv)
{
    way = argv[1];
    std::set_terminate(handler);
    sem_init(&ended, 0, 0);
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = callback;
    timer_t timer;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
        return 1;
    for (int i = 0; i != 5; ++i) {
        const itimerspec soon{{0, 0}, {0, 1'000'000}};
        if (timer_settime(timer, 0, &soon, nullptr) != 0)
            return 1;
        timespec end{};
        clock_gettime(CLOCK_REALTIME, &end);
        end.tv_sec += 30;
        int answer;
        while ((answer = sem_timedwait(&ended, &end)) != 0 && errno == EINTR)
            ;
        if (answer != 0)
            return 1;
    }
    return timer_delete(timer) == 0 ? 0 : 1;
}

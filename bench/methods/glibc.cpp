// Peer: sigqueue() and pthread_sigqueue(), which ask for the process and the user each time.
#include "methods/cases.hpp"
#include "support/contestant.hpp"

#include <pthread.h>
#include <unistd.h>

namespace {

using namespace sigev_bench;

class to_process {
public:
    explicit to_process(int signo)
        : signo_(signo)
    {
    }
    void queue(unsigned n)
    {
        sigval value{};
        value.sival_int = signal_value;
        for (unsigned i = 0; i != n; ++i)
            unless(::sigqueue(::getpid(), signo_, value) == 0, "sigqueue");
    }

private:
    int signo_;
};

class to_thread {
public:
    explicit to_thread(int signo)
        : signo_(signo)
    {
    }
    void queue(unsigned n)
    {
        sigval value{};
        value.sival_int = signal_value;
        for (unsigned i = 0; i != n; ++i)
            unless(::pthread_sigqueue(::pthread_self(), signo_, value) == 0, "pthread_sigqueue");
    }

private:
    int signo_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"signal", signals<to_process>}, {"thread_id", signals<to_thread>}});
}

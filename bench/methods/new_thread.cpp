// Peer: a new detached thread for each notification, by pthread_create() and nothing else: what glibc's SIGEV_THREAD comes to
// when whatever raises the notification costs nothing.
#include "methods/cases.hpp"
#include "support/contestant.hpp"

#include <pthread.h>

namespace {

using namespace sigev_bench;

class threads {
public:
    static constexpr std::uint64_t window = 64;

    explicit threads(void (*function)(sigval))
        : function_(function)
    {
        unless(::sched_getaffinity(0, sizeof there_, &there_) == 0, "sched_getaffinity");
        unless(
            ::pthread_attr_init(&attributes_) == 0 &&
                ::pthread_attr_setdetachstate(&attributes_, PTHREAD_CREATE_DETACHED) == 0 &&
                ::pthread_attr_setaffinity_np(&attributes_, sizeof there_, &there_) == 0,
            "pthread_attr");
    }
    threads(const threads&) = delete;
    threads& operator=(const threads&) = delete;
    ~threads() { ::pthread_attr_destroy(&attributes_); }

    void notify()
    {
        pthread_t thread;
        unless(::pthread_create(&thread, &attributes_, begin, reinterpret_cast<void*>(function_)) == 0, "pthread_create");
    }
    void finish(std::uint64_t) {}

private:
    static void* begin(void* function)
    {
        reinterpret_cast<void (*)(sigval)>(function)({});
        return nullptr;
    }

    void (*function_)(sigval);
    cpu_set_t there_;
    pthread_attr_t attributes_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv,
        {{"thread", bulk<threads>},
         {"thread.onecore", bulk_onecore<threads>},
         {"thread.calling", bulk_calling<threads>},
         {"cycle.onecore", cycle_onecore<threads>},
         {"cycle.across", cycle_across<threads>}});
}

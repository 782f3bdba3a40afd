// Peer: glibc's mq_notify() with SIGEV_THREAD: a message comes to an empty queue. A registration serves for one notification,
// so there is one for each; the function takes the message, so that the queue is empty again.
#include "methods/cases.hpp"
#include "support/contestant.hpp"

#include <fcntl.h>
#include <mqueue.h>
#include <unistd.h>

#include <string>

namespace {

using namespace sigev_bench;

class queue {
public:
    explicit queue(void (*function)(sigval))
        : function_(function)
    {
        const std::string name = "/sigev_bench_" + std::to_string(::getpid());
        mq_attr attributes{};
        attributes.mq_maxmsg = 1;
        attributes.mq_msgsize = 1;
        queue_ = ::mq_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
        unless(queue_ >= 0 && ::mq_unlink(name.c_str()) == 0, "mq_open");
        ask(); // glibc's own thread comes with the first one
        unless(::mq_notify(queue_, nullptr) == 0, "mq_notify");
    }
    queue(const queue&) = delete;
    queue& operator=(const queue&) = delete;
    ~queue() { ::mq_close(queue_); }

    void notify()
    {
        ask();
        unless(::mq_send(queue_, "", 1, 0) == 0, "mq_send");
    }
    void finish(std::uint64_t) {}

private:
    void ask()
    {
        sigevent event{};
        event.sigev_notify = SIGEV_THREAD;
        event.sigev_notify_function = &called;
        event.sigev_value.sival_ptr = this;
        unless(::mq_notify(queue_, &event) == 0, "mq_notify");
    }

    static void called(sigval value)
    {
        const auto& self = *static_cast<queue*>(value.sival_ptr);
        char message;
        if (::mq_receive(self.queue_, &message, 1, nullptr) == 1)
            self.function_({});
    }

    void (*function_)(sigval);
    mqd_t queue_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"cycle.onecore", cycle_onecore<queue>}, {"cycle.across", cycle_across<queue>}});
}

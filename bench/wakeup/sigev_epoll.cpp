// sigev_event_raw_*() in a loop of the caller's own: the public C API, through libsigev.so. The loop is the one that sigev.h
// shows: it says when it sleeps, and waits for edges. (Nobody posts from another process here.)
#include "wakeup/cases.hpp"

#include <sigev.h>

#include <sys/epoll.h>

namespace {

using namespace sigev_bench;

class loop {
public:
    loop(void (*handler)(void*), void* argument) : handler_(handler), argument_(argument)
    {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLET;
        unless(
            epoll_ >= 0 && ::sigev_event_raw_open(SIGEV_EVENT_RAW_DEFAULT, &event_) == 0 &&
                ::epoll_ctl(epoll_, EPOLL_CTL_ADD, ::sigev_event_raw_fd(event_), &event) == 0,
            "epoll and sigev_event_raw");
    }
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;
    ~loop()
    {
        ::sigev_event_raw_close(event_);
        ::close(epoll_);
    }

    static void before_thread() {}
    static void after_thread() {}

    void run()
    {
        while (!stopped_) {
            if (::sigev_event_raw_sleep(event_) == 1) {
                epoll_event event;
                ::epoll_wait(epoll_, &event, 1, -1);
                ::sigev_event_raw_awake(event_);
            }
            if (::sigev_event_raw_take(event_) == 1) // an edge without it comes of a write that was late
                handler_(argument_);
        }
    }

    void stop() { stopped_ = true; }
    void post() { ::sigev_event_raw_post(event_); }

private:
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    sigev_event_raw* event_ = nullptr;
    void (*handler_)(void*);
    void* argument_;
    bool stopped_ = false;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, all_of<loop>());
}

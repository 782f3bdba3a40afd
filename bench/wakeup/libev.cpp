// Peer: libev's ev_async_send().
#include "wakeup/cases.hpp"

#include <ev.h>

namespace {

using namespace sigev_bench;

class loop {
public:
    loop(void (*handler)(void*), void* argument) : handler_(handler), argument_(argument)
    {
        unless(loop_ != nullptr, "ev_loop_new");
        ev_async_init(&async_, on_wakeup);
        async_.data = this;
        ::ev_async_start(loop_, &async_);
    }
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;
    ~loop()
    {
        ::ev_async_stop(loop_, &async_);
        ::ev_loop_destroy(loop_);
    }

    static void before_thread() {}
    static void after_thread() {}

    void run() { ::ev_run(loop_, 0); }
    void stop() { ::ev_break(loop_, EVBREAK_ALL); }
    void post() { ::ev_async_send(loop_, &async_); }

private:
    static void on_wakeup(struct ev_loop*, ev_async* async, int)
    {
        auto& self = *static_cast<loop*>(async->data);
        self.handler_(self.argument_);
    }

    struct ev_loop* loop_ = ::ev_loop_new(EVBACKEND_EPOLL);
    ev_async async_;
    void (*handler_)(void*);
    void* argument_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, all_of<loop>());
}

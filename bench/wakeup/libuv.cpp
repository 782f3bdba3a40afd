// Peer: libuv's uv_async_send().
#include "wakeup/cases.hpp"

#include <uv.h>

namespace {

using namespace sigev_bench;

class loop {
public:
    loop(void (*handler)(void*), void* argument) : handler_(handler), argument_(argument)
    {
        const auto on_wakeup = [](uv_async_t* async) {
            auto& self = *static_cast<loop*>(async->data);
            self.handler_(self.argument_);
        };
        unless(::uv_loop_init(&loop_) == 0 && ::uv_async_init(&loop_, &async_, on_wakeup) == 0, "uv_async_init");
        async_.data = this;
    }
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;
    ~loop()
    {
        ::uv_close(reinterpret_cast<uv_handle_t*>(&async_), nullptr);
        ::uv_run(&loop_, UV_RUN_DEFAULT);
        ::uv_loop_close(&loop_);
    }

    static void before_thread() {}
    static void after_thread() {}

    void run() { ::uv_run(&loop_, UV_RUN_DEFAULT); }
    void stop() { ::uv_stop(&loop_); }
    void post() { ::uv_async_send(&async_); }

private:
    uv_loop_t loop_;
    uv_async_t async_;
    void (*handler_)(void*);
    void* argument_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, all_of<loop>());
}

// Peer: what a libuv program does: a vector behind a mutex, swapped whole by the consumer, and uv_async_send().
#include "dispatch/cases.hpp"
#include "support/contestant.hpp"

#include <uv.h>

#include <mutex>

namespace {

using namespace sigev_bench;

class carrier {
public:
    carrier(unsigned, std::size_t records, counters& c) : counters_(c)
    {
        queue_.reserve(records);
        taken_.reserve(records);
        const auto on_wakeup = [](uv_async_t* async) { static_cast<carrier*>(async->data)->drain(); };
        unless(::uv_loop_init(&loop_) == 0 && ::uv_async_init(&loop_, &async_, on_wakeup) == 0, "uv_async_init");
        async_.data = this;
    }
    carrier(const carrier&) = delete;
    carrier& operator=(const carrier&) = delete;
    ~carrier() { ::uv_loop_close(&loop_); }

    void run() { ::uv_run(&loop_, UV_RUN_DEFAULT); }

    void submit(unsigned producer)
    {
        {
            const std::lock_guard lock(mutex_);
            queue_.push_back({&called, this, static_cast<std::int64_t>(producer)});
        }
        ::uv_async_send(&async_);
    }

private:
    struct item {
        void (*call)(void*, std::int64_t);
        void* argument;
        std::int64_t data;
    };

    static void called(void* self, std::int64_t data)
    {
        static_cast<carrier*>(self)->counters_.count(static_cast<std::size_t>(data));
    }

    void drain()
    {
        {
            const std::lock_guard lock(mutex_);
            queue_.swap(taken_);
        }
        for (const item& i : taken_)
            i.call(i.argument, i.data);
        taken_.clear();
        auto* const handle = reinterpret_cast<uv_handle_t*>(&async_);
        if (counters_.complete() && !::uv_is_closing(handle))
            ::uv_close(handle, nullptr);
    }

    counters& counters_;
    uv_loop_t loop_;
    uv_async_t async_;
    alignas(64) std::mutex mutex_; // apart from the handle: what fares best of several ways to lay this out
    std::vector<item> queue_;
    std::vector<item> taken_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv, {{"one", throughput<carrier, 1>}, {"two", throughput<carrier, 2>}, {"four", throughput<carrier, 4>}});
}

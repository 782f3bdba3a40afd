// The loop of libsigev-iv, in the thread that forks. It is posted to by another thread, once it sleeps: awake, it would hear
// without a descriptor.
#include "subject.hpp"

#include "support/support.hpp"

#include <iv_event_raw.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <thread>

namespace sigev_tests {

namespace {

class ivykis final : public subject {
public:
    ivykis()
    {
        iv_init();
        enter();
    }
    ~ivykis() override
    {
        for (auto& object : objects_)
            iv_event_raw_unregister(&object);
        iv_deinit();
    }

    bool hears(const std::function<void()>& meanwhile) override
    {
        const unsigned before = heard_;
        std::thread poster([&] {
            const bool sleeps = wait_until(other_threads_sleep);
            meanwhile();
            iv_event_raw_post(current_);
            meanwhile();
            if (sleeps && wait_until([&] { return heard_ != before; }))
                return;
            std::fprintf(stderr, sleeps ? "iv_main() is deaf\n" : "iv_main() does not sleep\n");
            std::abort(); // nothing else ends it
        });
        iv_main();
        poster.join();
        return heard_ != before;
    }
    unsigned heard() const override { return heard_; }

    void close() override { iv_event_raw_unregister(current_); }
    void release() override { iv_deinit(); }
    void cancel() override { iv_quit(); }
    void start() override
    {
        iv_event_raw fresh;
        if (set_up(fresh) == 0)
            throw std::runtime_error("a loop of the parent's could be registered with");
    }
    void turn() override
    {
        if (current_ == objects_) // else the loop is the child's, and would wait for a post of its own
            iv_main();
    }
    void notify(fork_event event) override
    {
        if (event != boost::asio::execution_context::fork_child)
            return;
        iv_init();
        current_ = &objects_[1];
        enter();
    }

private:
    void enter()
    {
        if (set_up(*current_) != 0)
            throw std::runtime_error("iv_event_raw_register");
    }
    int set_up(iv_event_raw& object)
    {
        IV_EVENT_RAW_INIT(&object);
        object.cookie = this;
        object.handler = [](void* self) {
            ++static_cast<ivykis*>(self)->heard_;
            iv_quit();
        };
        return iv_event_raw_register(&object);
    }

    iv_event_raw objects_[2]{}; // the parent's, and the one of a child that goes on
    iv_event_raw* current_ = objects_;
    std::atomic<unsigned> heard_{0};
};

} // namespace

std::unique_ptr<subject> make_ivykis() { return std::make_unique<ivykis>(); }

} // namespace sigev_tests

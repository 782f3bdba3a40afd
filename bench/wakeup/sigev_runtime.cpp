// The runtime's own context, which the library shows to nobody: core/event_loop, two of them in one process, linked with the
// library's objects. What is measured is the wakeup itself: a post to the loop's reactor, and a source whose turn it is.
#include "wakeup/cases.hpp"

#include "core/event_loop.hpp"
#include "core/registry.hpp"

#include <time.h>

namespace {

using namespace sigev_bench;

class loop : sigev::core::reactor_source {
public:
    loop(void (*handler)(void*), void* argument) : handler_(handler), argument_(argument)
    {
        unless(loop_.reactor().attach(0, *this), "attach");
    }

    static void before_thread() {}
    static void after_thread() {}

    void run()
    {
        while (!stopped_)
            loop_.run_one();
    }

    void stop() { stopped_ = true; }

    void post()
    {
        posts_.store(true, std::memory_order_relaxed); // the post publishes it
        loop_.reactor().wake();
    }

private:
    // A source's turn also comes when there was no post: an edge that comes late.
    bool reap() noexcept override
    {
        if (posts_.load(std::memory_order_relaxed) && posts_.exchange(false, std::memory_order_relaxed))
            handler_(argument_);
        return false;
    }
    unsigned descriptors(int*) const noexcept override { return 0; }
    std::uint64_t remaining() const noexcept override { return never; }
    void detach() noexcept override {}

    sigev::core::event_loop loop_{*sigev::core::registry::ensure()};
    void (*handler_)(void*);
    void* argument_;
    std::atomic<bool> posts_{false};
    bool stopped_ = false;
};

constexpr std::uint64_t spin_nanoseconds = 50'000;

/// Two loops on two cores that look before they sleep.
double roundtrip_spinning(std::uint64_t n)
{
    sigev::core::event_loop::spin = spin_nanoseconds;
    const double result = roundtrip_across<loop>(n);
    sigev::core::event_loop::spin = 0;
    return result;
}

double cpu_seconds()
{
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// The share of a core that such a loop uses in n milliseconds without traffic, from its last post on.
double idle_spinning(std::uint64_t n)
{
    struct receiver {
        std::atomic<loop*> made{nullptr};
        unsigned handled = 0;
        double before = 0;
        double after = 0;
    } r;
    sigev::core::event_loop::spin = spin_nanoseconds;
    std::thread thread([&r] {
        pin_to(last_processor());
        loop l(
            [](void* p) {
                auto& self = *static_cast<receiver*>(p);
                (self.handled++ == 0 ? self.before : self.after) = cpu_seconds();
                if (self.handled == 2)
                    self.made.load()->stop();
            },
            &r);
        r.made = &l;
        l.run();
    });
    while (!r.made)
        ::sched_yield();
    const auto start = clock::now();
    r.made.load()->post();
    std::this_thread::sleep_for(std::chrono::milliseconds(n));
    const auto end = clock::now();
    r.made.load()->post();
    thread.join();
    sigev::core::event_loop::spin = 0;
    return (r.after - r.before) / (nanoseconds_between(start, end) / 1e9);
}

} // namespace

int main(int argc, char** argv)
{
    std::vector<offer> offers = all_of<loop>();
    offers.push_back({"roundtrip.spinning", roundtrip_spinning});
    offers.push_back({"idle.spinning", idle_spinning});
    return compete(argc, argv, offers);
}

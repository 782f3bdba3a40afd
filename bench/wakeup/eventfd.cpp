// The floor: an eventfd that is written to, and an edge-triggered epoll set in which it stands, without a read.
#include "wakeup/cases.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

namespace {

using namespace sigev_bench;

class loop {
public:
    loop(void (*handler)(void*), void* argument) : handler_(handler), argument_(argument)
    {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLET;
        unless(epoll_ >= 0 && event_ >= 0 && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &event) == 0, "epoll and eventfd");
    }
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;
    ~loop()
    {
        ::close(event_);
        ::close(epoll_);
    }

    static void before_thread() {}
    static void after_thread() {}

    void run()
    {
        while (!stopped_) {
            epoll_event event;
            if (::epoll_wait(epoll_, &event, 1, -1) == 1)
                handler_(argument_);
        }
    }

    void stop() { stopped_ = true; }

    void post()
    {
        const std::uint64_t one = 1;
        unless(::write(event_, &one, sizeof one) == sizeof one, "write");
    }

private:
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    int event_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    void (*handler_)(void*);
    void* argument_;
    bool stopped_ = false;
};

/// The floor of a post that finds the receiver signalled.
double exchange(std::uint64_t)
{
    struct alignas(64) line {
        std::atomic<std::uint64_t> word{0};
    };
    static line l;
    pin_to(last_processor());
    return each([] { l.word.exchange(1, std::memory_order_acq_rel); });
}

} // namespace

int main(int argc, char** argv)
{
    std::vector<offer> offers = all_of<loop>();
    offers.push_back({"exchange", exchange});
    return compete(argc, argv, offers);
}

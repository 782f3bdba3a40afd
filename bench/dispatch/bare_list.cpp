// The floor: a list and nothing else. A push on a stack, which the consumer takes whole and reverses; an eventfd, written by
// who pushes onto an empty stack, watched by Asio. No account, no end, no order between a full and an empty list, no signal
// handler that may be left in the middle, nothing reserved: what every dispatcher adds, this one does without.
#include "dispatch/cases.hpp"
#include "support/contestant.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

namespace {

using namespace sigev_bench;

class carrier {
public:
    carrier(unsigned producers, std::size_t records, counters& c) : counters_(c), share_(records / producers), own_(producers)
    {
        for (std::size_t p = 0; p != own_.size(); ++p) {
            own_[p].nodes.resize(share_);
            for (node& n : own_[p].nodes)
                n = {nullptr, &called, this, static_cast<std::int64_t>(p)};
        }
        event_.non_blocking(true);
        wait();
    }

    void run() { context_.run(); }

    void submit(unsigned producer)
    {
        stock& s = own_[producer];
        node& n = s.nodes[s.next];
        s.next = s.next + 1 == share_ ? 0 : s.next + 1;
        node* head = head_.load(std::memory_order_relaxed);
        do
            n.next = head;
        while (!head_.compare_exchange_weak(head, &n, std::memory_order_release, std::memory_order_relaxed));
        const std::uint64_t one = 1;
        if (!head)
            unless(::write(event_.native_handle(), &one, sizeof one) == sizeof one, "write");
    }

private:
    struct node {
        node* next;
        void (*call)(void*, std::int64_t);
        void* argument;
        std::int64_t data;
    };

    static void called(void* self, std::int64_t data)
    {
        static_cast<carrier*>(self)->counters_.count(static_cast<std::size_t>(data));
    }

    void wait()
    {
        event_.async_wait(boost::asio::posix::descriptor_base::wait_read, [this](const boost::system::error_code& ec) {
            std::uint64_t ignored;
            unless(!ec && ::read(event_.native_handle(), &ignored, sizeof ignored) == sizeof ignored, "read");
            drain();
            if (!counters_.complete())
                wait();
        });
    }

    void drain()
    {
        node* list = head_.exchange(nullptr, std::memory_order_acquire);
        node* in_order = nullptr;
        while (list) {
            node* const next = list->next;
            list->next = in_order;
            in_order = list;
            list = next;
        }
        while (in_order) {
            node& n = *in_order;
            in_order = n.next; // the node is its producer's again as soon as it has been counted
            n.call(n.argument, n.data);
        }
    }

    struct alignas(64) stock {
        std::vector<node> nodes;
        std::size_t next = 0;
    };

    counters& counters_;
    std::size_t share_;
    std::vector<stock> own_;
    boost::asio::io_context context_{1};
    boost::asio::posix::stream_descriptor event_{context_, ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    alignas(64) std::atomic<node*> head_{nullptr};
};

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv, {{"one", throughput<carrier, 1>}, {"two", throughput<carrier, 2>}, {"four", throughput<carrier, 4>}});
}

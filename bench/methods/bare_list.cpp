// The floor: a thread that waits on a futex, and a list. A push on a stack, which the thread takes whole and reverses; who
// pushes wakes it if it sleeps. Nothing is accounted for, merged, cancelled, held or put back.
#include "methods/cases.hpp"
#include "support/contestant.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

namespace {

using namespace sigev_bench;

class hand_over {
public:
    static constexpr std::uint64_t window = 4096;

    explicit hand_over(void (*function)(sigval))
        : nodes_(window + 1)
        , function_(function)
        , thread_([this] { serve(); })
    {
    }
    hand_over(const hand_over&) = delete;
    hand_over& operator=(const hand_over&) = delete;
    ~hand_over()
    {
        over_ = true;
        notify();
        thread_.join();
    }

    void notify()
    {
        node& n = nodes_[next_];
        next_ = next_ + 1 == nodes_.size() ? 0 : next_ + 1;
        n.function = function_;
        node* head = head_.load(std::memory_order_relaxed);
        do
            n.next = head;
        while (!head_.compare_exchange_weak(head, &n, std::memory_order_seq_cst, std::memory_order_relaxed));
        if (asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(0, std::memory_order_seq_cst))
            ::syscall(SYS_futex, &asleep_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    }
    void finish(std::uint64_t) {}

private:
    struct node {
        node* next;
        void (*function)(sigval);
    };

    void serve()
    {
        while (!over_.load(std::memory_order_relaxed)) {
            node* list = head_.exchange(nullptr, std::memory_order_seq_cst);
            if (!list) {
                asleep_.store(1, std::memory_order_seq_cst);
                if (!head_.load(std::memory_order_seq_cst))
                    ::syscall(SYS_futex, &asleep_, FUTEX_WAIT_PRIVATE, 1, nullptr, nullptr, 0);
                asleep_.store(0, std::memory_order_relaxed);
                continue;
            }
            node* in_order = nullptr;
            while (list) {
                node* const next = list->next;
                list->next = in_order;
                in_order = list;
                list = next;
            }
            while (in_order) {
                const node n = *in_order; // its place is free again as soon as the call has been counted
                in_order = n.next;
                n.function({});
            }
        }
    }

    std::vector<node> nodes_;
    std::size_t next_ = 0;
    void (*function_)(sigval);
    std::atomic<bool> over_{false};
    alignas(64) std::atomic<node*> head_{nullptr};
    alignas(64) std::atomic<std::uint32_t> asleep_{0};
    std::thread thread_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv,
        {{"thread", bulk<hand_over>},
         {"thread.onecore", bulk_onecore<hand_over>},
         {"cycle.onecore", cycle_onecore<hand_over>},
         {"cycle.across", cycle_across<hand_over>}});
}

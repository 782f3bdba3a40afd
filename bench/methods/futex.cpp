// The floor: a thread that waits, and a queue under a lock, both made of futexes and nothing else. Each call is taken alone, so
// that one that blocks would keep nobody else from the rest. No account, no end, no attributes; nothing is merged, held or put
// back.
#include "methods/cases.hpp"
#include "support/contestant.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace {

using namespace sigev_bench;

class hand_over {
public:
    static constexpr std::uint64_t window = 4096;

    explicit hand_over(void (*function)(sigval))
        : calls_(window + 1)
        , function_(function)
        , thread_([this] { serve(); })
    {
    }
    hand_over(const hand_over&) = delete;
    hand_over& operator=(const hand_over&) = delete;
    ~hand_over()
    {
        {
            const std::lock_guard lock(mutex_);
            over_ = true;
        }
        waiting_.notify_one();
        thread_.join();
    }

    void notify()
    {
        bool wake;
        {
            const std::lock_guard lock(mutex_);
            calls_[end_] = {function_, {}};
            end_ = end_ + 1 == calls_.size() ? 0 : end_ + 1;
            wake = idle_;
        }
        if (wake)
            waiting_.notify_one();
    }
    void finish(std::uint64_t) {}

private:
    struct call {
        void (*function)(sigval);
        sigval value;
    };

    void serve()
    {
        std::unique_lock lock(mutex_);
        for (;;) {
            while (begin_ == end_ && !over_) {
                idle_ = true;
                waiting_.wait(lock);
                idle_ = false;
            }
            if (begin_ == end_)
                return;
            const call c = calls_[begin_];
            begin_ = begin_ + 1 == calls_.size() ? 0 : begin_ + 1;
            lock.unlock();
            c.function(c.value);
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable waiting_;
    std::vector<call> calls_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    bool idle_ = false;
    bool over_ = false;
    void (*function_)(sigval);
    std::thread thread_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv,
        {{"thread", bulk<hand_over>},
         {"thread.onecore", bulk_onecore<hand_over>},
         {"thread.calling", bulk_calling<hand_over>},
         {"cycle.onecore", cycle_onecore<hand_over>},
         {"cycle.across", cycle_across<hand_over>}});
}

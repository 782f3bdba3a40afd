// Subjects on the runtime: its own threads run its context, and the process that has forked may not see them asleep. A post
// that finds the loop awake is heard without a descriptor; so each waits until they sleep.
#include "subject.hpp"

#include "support/support.hpp"

#include <sigev/posix_timer.hpp>
#include <sigev/subscription.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>

namespace sigev_tests {

namespace {

using namespace std::chrono_literals;

class on_runtime : public subject {
public:
    bool hears(const std::function<void()>& meanwhile) final
    {
        if (!wait_until(other_threads_sleep))
            throw std::runtime_error("the runtime does not sleep");
        const unsigned before = heard_;
        if (raise())
            return false;
        meanwhile();
        return wait_until([&] { return heard_ != before; });
    }
    unsigned heard() const final { return heard_; }
    void start() final
    {
        if (raise() != boost::system::errc::invalid_argument)
            throw std::runtime_error("what is the parent's could be used");
    }
    void turn() final
    {
        if (!is_childs_own_) // else its threads run it
            start();
    }
    void notify(fork_event event) final
    {
        if (event != boost::asio::execution_context::fork_child)
            return;
        is_childs_own_ = true;
        open(); // the child's own runtime comes with it
    }

protected:
    virtual sigev::error_code raise() = 0;
    virtual void open() = 0;

    sigev::target here() noexcept
    {
        return sigev::target::thread([](sigval v) { ++*static_cast<std::atomic<unsigned>*>(v.sival_ptr); }, &heard_);
    }

private:
    std::atomic<unsigned> heard_{0};
    bool is_childs_own_ = false;
};

class runtime_subscription final : public on_runtime {
public:
    runtime_subscription() { open(); }

    void close() override { told_->close(); }
    void release() override { told_.reset(); }
    void cancel() override { told_->cancel_and_wait(); }

private:
    sigev::error_code raise() override { return told_->submit(); }
    void open() override { told_.emplace(here(), 4); }

    std::optional<sigev::subscription> told_;
};

class runtime_timer final : public on_runtime {
public:
    runtime_timer() { open(); }

    void close() override { sigev_timer_delete(tick_->native_handle()); }
    void release() override { tick_.reset(); }
    void cancel() override { set({}); }

private:
    // Far enough off that the loop sleeps for it, on its timerfd.
    sigev::error_code raise() override { return set(sigev::posix_timer::due(300us, 0s)); }
    void open() override { tick_.emplace(CLOCK_MONOTONIC, here()); }
    sigev::error_code set(const itimerspec& value)
    {
        sigev::error_code ec;
        tick_->settime(0, value, ec);
        return ec;
    }

    std::optional<sigev::posix_timer> tick_;
};

} // namespace

std::unique_ptr<subject> make_runtime_subscription() { return std::make_unique<runtime_subscription>(); }
std::unique_ptr<subject> make_runtime_timer() { return std::make_unique<runtime_timer>(); }

} // namespace sigev_tests

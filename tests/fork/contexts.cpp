// Subjects on an io_context of the program's, which the case's one thread runs. What is ready is heard in one poll(), so
// nobody waits for what does not come.
//
// Asio's own descriptor has a read under way, as a program has it that uses an eventfd for its wakeup. (With async_wait() in
// its place it would hear of its deafness at the next one: ENOENT from epoll_ctl().)
#include "subject.hpp"

#include "include/context.hpp"

#include <sigev/dispatcher.hpp>
#include <sigev/event_raw.hpp>
#include <sigev/subscription.hpp>
#include <sigev/timer.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>

#include <sys/eventfd.h>
#include <unistd.h>

namespace sigev_tests {

namespace {

class on_context : public subject {
public:
    unsigned heard() const override { return heard_; }
    void turn() override { poll(io_); }
    void notify(fork_event event) override { io_.notify_fork(event); }

protected:
    bool looks(unsigned before)
    {
        poll(io_);
        return heard_ != before;
    }

    asio::io_context io_; // destroyed after what the others have on it
    unsigned heard_ = 0;
};

class asio_descriptor final : public on_context {
public:
    asio_descriptor() : descriptor_(io_, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { read_one(); }

    bool hears(const std::function<void()>& meanwhile) override
    {
        const unsigned before = heard_;
        const std::uint64_t one = 1;
        if (write(descriptor_.native_handle(), &one, sizeof one) != sizeof one)
            return false;
        meanwhile();
        return looks(before);
    }
    void close() override { descriptor_.close(); }
    void release() override { descriptor_.release(); }
    void cancel() override { descriptor_.cancel(); }
    void start() override { descriptor_.async_wait(asio::posix::descriptor_base::wait_read, [](const error_code&) {}); }

private:
    void read_one()
    {
        descriptor_.async_read_some(asio::buffer(&count_, sizeof count_), [this](const error_code& ec, std::size_t) {
            if (ec)
                return;
            ++heard_;
            read_one();
        });
    }

    asio::posix::stream_descriptor descriptor_;
    std::uint64_t count_ = 0;
};

class event_raw_object final : public on_context {
public:
    event_raw_object() : wake_(std::in_place, io_) { wait(); }

    bool hears(const std::function<void()>& meanwhile) override
    {
        const unsigned before = heard_;
        if (!waits_) // the parent's was ended by notify()
            wait();
        wake_->post();
        meanwhile();
        return looks(before);
    }
    void close() override { wake_->close(); }
    void release() override { wake_.reset(); }
    void cancel() override { wake_->cancel(); }
    void start() override { wait(); }

private:
    void wait()
    {
        waits_ = true;
        wake_->async_wait([this](const error_code& ec) {
            waits_ = false;
            if (ec)
                return;
            ++heard_;
            wait();
        });
    }

    std::optional<sigev::event_raw> wake_;
    bool waits_ = false;
};

class dispatcher_object final : public on_context {
public:
    dispatcher_object() : here_(std::in_place, io_) { open(); }

    bool hears(const std::function<void()>& meanwhile) override
    {
        const unsigned before = heard_;
        if (told_->submit())
            return false;
        meanwhile();
        return looks(before);
    }
    void close() override
    {
        told_->close();
        here_->close();
    }
    void release() override
    {
        told_.reset();
        here_.reset();
    }
    void cancel() override { told_->cancel_and_wait(); }
    void start() override
    {
        here_->close();
        try {
            here_->open();
        } catch (const boost::system::system_error& e) {
            if (e.code() == asio::error::bad_descriptor)
                return;
        }
        throw std::runtime_error("a dispatcher of the parent's could be opened");
    }
    void notify(fork_event event) override
    {
        on_context::notify(event);
        if (event == asio::execution_context::fork_child)
            open();
    }

private:
    void open()
    {
        const auto count = [](sigval v) { ++*static_cast<unsigned*>(v.sival_ptr); };
        told_.emplace(*here_, sigev::target::callback(count, &heard_), 4);
    }

    std::optional<sigev::dispatcher> here_;
    std::optional<sigev::subscription> told_;
};

/// Far enough off that the context sleeps for it, on its timerfd. A second one, that is not due, keeps the context watching.
class timer_object final : public on_context {
public:
    timer_object() : tick_(std::in_place, io_), later_(std::in_place, io_) { wait_for_later(); }

    bool hears(const std::function<void()>& meanwhile) override
    {
        const unsigned before = heard_;
        tick_->expires_after(delay);
        tick_->async_wait([this](const error_code& ec) { heard_ += !ec; });
        poll(io_); // now the timerfd is set
        const auto due = std::chrono::steady_clock::now() + delay;
        do
            meanwhile();
        while (std::chrono::steady_clock::now() < due);
        return wait_until([&] { return looks(before); }, slowness * seconds(2)); // the kernel may be late, and this thread
    }
    void close() override
    {
        tick_.reset();
        later_.reset();
    }
    void release() override { close(); }
    void cancel() override { tick_->cancel(); }
    void start() override
    {
        error_code ec;
        tick_->settime(0, sigev::posix_timer::due(delay, delay), ec);
        if (ec != asio::error::bad_descriptor)
            throw std::runtime_error("a timer of the parent's could be set");
    }
    void notify(fork_event event) override
    {
        on_context::notify(event);
        if (event == asio::execution_context::fork_child)
            wait_for_later();
    }

private:
    static constexpr auto delay = std::chrono::microseconds(300);

    void wait_for_later()
    {
        later_->expires_after(std::chrono::hours(1));
        later_->async_wait([](const error_code&) {});
    }

    std::optional<sigev::timer> tick_, later_;
};

template <class T>
std::unique_ptr<subject> make()
{
    return std::make_unique<T>();
}

} // namespace

std::unique_ptr<subject> make_asio_descriptor() { return make<asio_descriptor>(); }
std::unique_ptr<subject> make_event_raw() { return make<event_raw_object>(); }
std::unique_ptr<subject> make_dispatcher() { return make<dispatcher_object>(); }
std::unique_ptr<subject> make_timer() { return make<timer_object>(); }

} // namespace sigev_tests

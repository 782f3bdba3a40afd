// What stands behind a sigev::timer: the timer of the C API, whose target is a callback of ours, and the waits for it.
//
// The callback comes on a thread that runs the context, inside the reactor's drain. There it only takes the waits out of their
// list and posts their handlers. While nobody waits the context need not watch the reactor: an expiry is then found by
// the next wait, which makes it watch.
//
// Lock order: mutex_, then the reactor_service's. The callback takes it, so nothing that waits for the callback may be called under it.
//
// Fork: as in event_raw_block.hpp. The child's timer is made anew by the first settime() after notify_fork().
#pragma once

#include <sigev/detail/pending.hpp>
#include <sigev/detail/reactor_service.hpp>
#include <sigev/detail/timer_expiries.hpp>
#include <sigev/notification.hpp>
#include <sigev/posix_timer.hpp>

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <pthread.h>

namespace sigev::detail {

class timer_state : public std::enable_shared_from_this<timer_state>, private fork_hook {
public:
    using wait = pending<error_code>;
    using wait_ptr = pending_ptr<error_code>;

    /// Throws as sigev_timer_create_on().
    template <class Executor>
    timer_state(const Executor& executor, clockid_t clock, const timer_options& how)
        : timer_state(clock, boost::asio::query(executor, boost::asio::execution::context))
    {
        how_ = how;
        service_.prepare(executor);
        create(target::callback(&on_expiry, this));
        hear_of_forks();
    }

    /// With a target of the program's own: expiries do not come here, and the context watches as long as this lives.
    template <class Executor>
    timer_state(const Executor& executor, clockid_t clock, const target& to, const timer_options& how)
        : timer_state(clock, boost::asio::query(executor, boost::asio::execution::context))
    {
        how_ = how;
        foreign_ = true;
        service_.prepare(executor);
        create(to);
        service_.acquire(executor);
        hear_of_forks();
    }

    itimerspec settime(int flags, const itimerspec& value, error_code& ec)
    {
        ec = {};
        if (inherited()) {
            ec = boost::asio::error::bad_descriptor;
            return {};
        }
        std::unique_lock lock(mutex_);
        if (!timer_ && !recreate(ec))
            return {};
        const std::int64_t first = due(flags, value);
        const itimerspec old = timer_->settime(flags, value, ec);
        if (ec || foreign_)
            return old;
        expiries_.set(!is_zero(value.it_value), !is_zero(value.it_interval), first);
        auto ended = take_all();
        lock.unlock();
        end(ended, boost::asio::error::operation_aborted);
        return old;
    }

    itimerspec gettime(error_code& ec) const noexcept
    {
        itimerspec left{};
        ec = sigev_timer_gettime(native_, &left) == 0 ? error_code() : last_error();
        return left;
    }

    template <class Executor>
    void start(wait_ptr op, std::uint64_t id, const Executor& executor)
    {
        if (foreign_)
            return op.release()->complete(boost::asio::error::operation_not_supported);
        try {
            service_.acquire(executor);
        } catch (const boost::system::system_error& e) {
            return op.release()->complete(e.code());
        }
        {
            const std::lock_guard lock(mutex_);
            op->id = id;
            if (!expiries_.take()) {
                waits_.push(*op.release());
                return;
            }
        }
        op.release()->complete({});
        service_.release();
    }

    /// The number of the next wait: what start() is given.
    std::uint64_t next_id() noexcept { return ++last_id_; }

    void cancel()
    {
        if (!inherited())
            abort_all();
    }

    void cancel(std::uint64_t id)
    {
        if (inherited())
            return;
        std::unique_lock lock(mutex_);
        wait* const op = waits_.take(id);
        lock.unlock();
        if (!op)
            return; // its handler is on its way
        op->complete(boost::asio::error::operation_aborted);
        service_.release();
    }

    /// The object is destroyed. The callback runs no more when this returns.
    void close()
    {
        if (inherited()) { // before any lock
            left_by_parent_ = shared_from_this();
            leave_to_parent(this); // the timer's value leads to it, but where that stands a leak checker does not look
            return;
        }
        fork_service_->remove(*this);
        timer_.reset();
        abort_all();
        if (foreign_)
            service_.release();
    }

    timer_t native_handle() const noexcept { return native_; }

    int overrun() const
    {
        const std::lock_guard lock(mutex_);
        return expiries_.overrun();
    }

private:
    timer_state(clockid_t clock, boost::asio::execution_context& context)
        : fork_hook(&on_fork_child, &on_shutdown), context_(context),
          service_(boost::asio::use_service<reactor_service>(context)), clock_(readable(clock))
    {}

    // A thread's own clock by the number that other threads can read it by.
    static clockid_t readable(clockid_t clock) noexcept
    {
        if (clock == CLOCK_THREAD_CPUTIME_ID)
            pthread_getcpuclockid(pthread_self(), &clock); // cannot fail: the thread is there
        return clock;
    }

    /// True in a forked child that has not called notify_fork().
    bool inherited() const noexcept { return epoch_ != sigev_epoch(); }

    static bool is_zero(const timespec& t) noexcept { return t.tv_sec == 0 && t.tv_nsec == 0; }

    void create(const target& to)
    {
        timer_.emplace(service_.reactor(), clock_, to, how_);
        native_ = timer_->native_handle();
    }

    // A target of the program's own may point to what the child does not have: it must say it again.
    bool recreate(error_code& ec)
    {
        if (foreign_) {
            ec = boost::asio::error::invalid_argument;
            return false;
        }
        try {
            create(target::callback(&on_expiry, this));
        } catch (const boost::system::system_error& e) {
            ec = e.code();
        }
        return !ec;
    }

    void hear_of_forks()
    {
        fork_service_ = &boost::asio::use_service<fork_service>(context_);
        fork_service_->add(*this);
    }

    // When a periodic timer is due first, on the clock that its notifications are scheduled on.
    std::int64_t due(int flags, const itimerspec& value) const noexcept
    {
        constexpr auto at_any_time = timer_expiries::any_time;
        if (is_zero(value.it_value) || is_zero(value.it_interval))
            return at_any_time;
        constexpr std::int64_t century = 3'155'760'000; // later than that none is due, and the sum would not fit
        timespec now{};
        const clockid_t kept_on = clock_ == CLOCK_REALTIME ? CLOCK_MONOTONIC : clock_;
        if (!(flags & TIMER_ABSTIME) && how_.clock != 0)
            sigev_manual_clock_gettime(how_.clock, kept_on, &now);
        else if (!(flags & TIMER_ABSTIME))
            clock_gettime(kept_on, &now);
        if (value.it_value.tv_sec > century)
            return at_any_time;
        return (to_duration(now) + to_duration(value.it_value)).count();
    }

    bool is_armed() const noexcept
    {
        error_code gone; // then it is being deleted, and the waits are about to be ended
        return !is_zero(gettime(gone).it_value);
    }

    static void on_expiry(sigval value)
    {
        auto& self = *static_cast<timer_state*>(value.sival_ptr);
        const notification n = *current();
        std::unique_lock lock(self.mutex_); // so that settime() is whole
        if (!self.expiries_.add(n.data(), n.scheduled().count(), self.is_armed()) || self.waits_.empty() ||
            !self.expiries_.take())
            return;
        auto ended = self.take_all();
        lock.unlock();
        self.end(ended, {});
    }

    pending_queue<error_code> take_all() noexcept { return std::move(waits_); }

    void end(pending_queue<error_code>& ended, const error_code& ec)
    {
        while (wait* const op = ended.pop()) {
            op->complete(ec);
            service_.release();
        }
    }

    void abort_all()
    {
        std::unique_lock lock(mutex_);
        auto ended = take_all();
        lock.unlock();
        end(ended, boost::asio::error::operation_aborted);
    }

    static void on_fork_child(fork_hook& hook)
    {
        auto& self = static_cast<timer_state&>(hook);
        if (!self.inherited())
            return;
        self.epoch_ = sigev_epoch();
        const auto keep = self.shared_from_this();
        self.timer_.reset(); // the child has no such timer: says EINVAL
        self.expiries_.set(false, false, 0);
        self.abort_all();
        if (const auto left = std::move(self.left_by_parent_))
            self.close();
    }

    static void on_shutdown(fork_hook& hook)
    {
        auto& self = static_cast<timer_state&>(hook);
        if (self.inherited())
            return;
        const auto keep = self.shared_from_this(); // a handler may own the object
        auto ended = self.take_all();
        while (wait* const op = ended.pop())
            op->discard();
    }

    boost::asio::execution_context& context_;
    reactor_service& service_;
    fork_service* fork_service_ = nullptr;
    const clockid_t clock_;
    timer_options how_;
    std::uint32_t epoch_ = sigev_epoch();
    std::atomic<std::uint64_t> last_id_{0};
    bool foreign_ = false;
    timer_t native_{};
    std::optional<posix_timer> timer_;
    std::shared_ptr<timer_state> left_by_parent_;

    mutable std::mutex mutex_;
    pending_queue<error_code> waits_;
    timer_expiries expiries_;
};

/// Stands in a wait's cancellation slot.
struct timer_wait_cancellation {
    std::weak_ptr<timer_state> state;
    std::uint64_t id;

    void operator()(boost::asio::cancellation_type type) const
    {
        using boost::asio::cancellation_type;
        // Nothing is lost by any kind of cancellation, so all are honoured.
        if ((type & (cancellation_type::terminal | cancellation_type::partial | cancellation_type::total)) !=
            cancellation_type::none)
            if (const auto s = state.lock())
                s->cancel(id);
    }
};

} // namespace sigev::detail

// What stands behind a sigev::event_raw: a block on the heap, shared by the object and by the waits that it has started,
// because a handler may destroy the object.
//
// In a forked child the block is inherited (see fork_service.hpp): until notify_fork() it is not touched, whoever closes
// or destroys the object; the object's reference is leaked with it.
#pragma once

#include <sigev.h>
#include <sigev/detail/fork_service.hpp>
#include <sigev/error.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/query.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace sigev::detail {

template <class Executor>
class event_raw_block : private fork_hook {
public:
    using descriptor_type = boost::asio::posix::basic_stream_descriptor<Executor>;

    // The descriptor comes first: it brings the reactor, which must be older than the fork_service.
    explicit event_raw_block(const Executor& executor)
        : fork_hook(&event_raw_block::on_fork_child), descriptor_(executor)
        , service_(boost::asio::use_service<fork_service>(context_of(executor))), epoch_(sigev_epoch())
    {
        service_.add(*this);
    }

    void open(int kind, error_code& ec)
    {
        if (event()) {
            ec = boost::asio::error::already_open;
            return;
        }
        if (inherited()) { // the context is not this process's own
            ec = boost::asio::error::bad_descriptor;
            return;
        }
        sigev_event_raw* fresh = nullptr;
        if (sigev_event_raw_open(kind, &fresh) != 0) {
            ec = last_error();
            return;
        }
        descriptor_.assign(sigev_event_raw_fd(fresh), ec);
        // It is non-blocking; said here, no wait has to write the descriptor's state later, on whatever thread.
        if (!ec)
            descriptor_.non_blocking(true, ec);
        if (ec) {
            descriptor_.release();
            sigev_event_raw_close(fresh);
            return;
        }
        kind_ = kind;
        event_.store(fresh, std::memory_order_release);
    }

    /// What to post to; null when closed. A post that got it just before a close finds CLOSING in its word.
    sigev_event_raw* event() const noexcept { return event_.load(std::memory_order_acquire); }

    descriptor_type& descriptor() noexcept { return descriptor_; }

    /// True in a forked child that has not called notify_fork().
    bool inherited() const noexcept { return epoch_ != sigev_epoch(); }

    /// Goes up with each cancel and close: a wait whose readiness is on its way is ended by that, too.
    std::uint32_t turn() const noexcept { return turn_; }

    void cancel()
    {
        if (!event() || inherited())
            return;
        ++turn_;
        error_code ignored; // a descriptor that is open can be cancelled
        descriptor_.cancel(ignored);
    }

    void close()
    {
        sigev_event_raw* const old = event_.exchange(nullptr, std::memory_order_acq_rel);
        if (!old)
            return;
        ++turn_;
        if (inherited()) {
            // Still open: notify_fork() will register again what Asio knows of.
            left_by_parent_ = old;
            return;
        }
        let_go(old);
    }

    /// The object is destroyed: its reference ends here.
    void end()
    {
        close();
        if (inherited()) { // before any lock
            leaked_ = true;
            leave_to_parent(this);
            return;
        }
        service_.remove(*this);
        drop();
    }

    void keep() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }

    void drop() noexcept
    {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }

private:
    static boost::asio::execution_context& context_of(const Executor& executor)
    {
        return boost::asio::query(executor, boost::asio::execution::context);
    }

    // release() and not close(): the number is the C object's to close. Waits end with operation_aborted.
    void let_go(sigev_event_raw* old)
    {
        descriptor_.release();
        sigev_event_raw_close(old);
    }

    static void on_fork_child(fork_hook& hook)
    {
        auto& self = static_cast<event_raw_block&>(hook);
        if (!self.inherited())
            return;
        self.epoch_ = sigev_epoch();
        if (sigev_event_raw* const old = std::exchange(self.left_by_parent_, nullptr))
            self.let_go(old);
        if (self.leaked_)
            return self.end();
        if (self.event()) {
            self.close();
            error_code ec; // no descriptor to be had: the object is closed, and waits say so
            self.open(self.kind_, ec);
        }
    }

    std::atomic<std::uint32_t> references_{1};
    descriptor_type descriptor_;
    fork_service& service_;
    std::atomic<sigev_event_raw*> event_{nullptr};
    sigev_event_raw* left_by_parent_ = nullptr;
    std::uint32_t epoch_;
    std::uint32_t turn_ = 0;
    int kind_ = 0;
    bool leaked_ = false;
};

/// A counted reference to a block, held by a wait.
template <class Executor>
class event_raw_reference {
public:
    explicit event_raw_reference(event_raw_block<Executor>* block) noexcept : block_(block)
    {
        if (block_)
            block_->keep();
    }
    event_raw_reference(const event_raw_reference& other) noexcept : event_raw_reference(other.block_) {}
    event_raw_reference(event_raw_reference&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
    event_raw_reference& operator=(event_raw_reference other) noexcept
    {
        std::swap(block_, other.block_);
        return *this;
    }
    ~event_raw_reference() { reset(); }

    void reset() noexcept
    {
        if (block_)
            std::exchange(block_, nullptr)->drop();
    }
    event_raw_block<Executor>* operator->() const noexcept { return block_; }
    explicit operator bool() const noexcept { return block_ != nullptr; }

private:
    event_raw_block<Executor>* block_;
};

} // namespace sigev::detail

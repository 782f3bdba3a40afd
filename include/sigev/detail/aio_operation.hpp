// One asynchronous read, write or fsync: a block on the heap with the struct aiocb, told by a callback of ours.
//
// The callback comes on a thread that runs the context, inside the reactor's drain. It posts the handler and frees the block:
// the engine does not touch an aiocb whose status is final, and the notification comes after that.
//
// The engine writes into the program's buffer until the request has ended. So when the context is destroyed first, its requests
// are cancelled, and those that cannot be are waited for, before their handlers, which may own the buffers, are destroyed.
//
// Cancellation slots: what stands in one finds the operation through a shared block, which the end empties under its mutex; so
// a signal that is emitted while the request ends, or after, on whatever thread, touches nothing that is gone.
//
// Fork: the child has no such request. After notify_fork() the handler is told operation_aborted.
#pragma once

#include <sigev/aio_request.hpp>
#include <sigev/detail/pending.hpp>
#include <sigev/detail/reactor_service.hpp>
#include <sigev/notification.hpp>

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace sigev::detail {

template <class... Results> // error_code, and the bytes where there are any
class aio_operation : private fork_hook {
public:
    using handler = pending_ptr<Results...>;

    /// submit(reactor, aiocb) is one of sigev_aio_*(). What fails is told to the handler.
    template <class Executor, class Slot, class Submit>
    static void start(handler told, const Executor& executor, Slot slot, const aiocb& what, Submit submit)
    {
        auto& context = boost::asio::query(executor, boost::asio::execution::context);
        auto& service = boost::asio::use_service<reactor_service>(context);
        sigev_reactor_t on = 0;
        try {
            service.acquire(executor);
            on = service.reactor();
        } catch (const boost::system::system_error& e) {
            return tell(*told.release(), e.code());
        }
        std::unique_ptr<aio_operation> op;
        try {
            op.reset(new aio_operation(service, boost::asio::use_service<fork_service>(context), what));
        } catch (...) {
            service.release();
            throw;
        }
        // Before the request starts: it may end, and free all this, while the call returns.
        op->told_ = std::move(told);
        if (slot.is_connected()) {
            op->way_ = std::make_shared<way>();
            op->way_->to = op.get();
            slot.assign(cancellation{op->way_});
        }
        op->hooks_.add(*op);
        if (submit(on, &op->block_) == 0) {
            op.release();
            return;
        }
        op->finish(last_error());
    }

private:
    struct way {
        std::mutex mutex;
        aio_operation* to = nullptr;
    };

    /// Stands in the slot. Nothing is lost by any kind of cancellation, so all are honoured.
    struct cancellation {
        std::shared_ptr<way> towards;

        void operator()(boost::asio::cancellation_type type) const
        {
            using boost::asio::cancellation_type;
            if ((type & (cancellation_type::terminal | cancellation_type::partial | cancellation_type::total)) ==
                cancellation_type::none)
                return;
            const std::lock_guard lock(towards->mutex);
            if (aio_operation* const op = towards->to; op && op->epoch_ == sigev_epoch())
                sigev_aio_cancel(op->block_.aio_fildes, &op->block_);
        }
    };

    void leave_slot()
    {
        if (!way_)
            return;
        const std::lock_guard lock(way_->mutex);
        way_->to = nullptr;
    }

    aio_operation(reactor_service& service, fork_service& hooks, const aiocb& what)
        : fork_hook(&on_fork_child, &on_shutdown), service_(service), hooks_(hooks), block_{what}
    {
        block_.aio_sigevent = target::callback(&on_end, this).native();
    }

    // Results is error_code, or error_code and std::size_t.
    static void tell(pending<Results...>& told, const error_code& ec, std::size_t n = 0)
    {
        if constexpr (sizeof...(Results) == 1)
            told.complete(ec);
        else
            told.complete(ec, n);
    }

    void finish(const error_code& ec, std::size_t n = 0)
    {
        hooks_.remove(*this);
        leave_slot();
        tell(*told_.release(), ec, n);
        service_.release();
    }

    static void on_end(sigval value)
    {
        const std::unique_ptr<aio_operation> self(static_cast<aio_operation*>(value.sival_ptr));
        const error_code ec(sigev_aio_error(&self->block_), boost::system::system_category());
        const ssize_t n = sigev_aio_return(&self->block_);
        self->finish(ec, ec || n < 0 ? 0 : static_cast<std::size_t>(n));
    }

    static void on_fork_child(fork_hook& hook)
    {
        auto& self = static_cast<aio_operation&>(hook);
        if (self.epoch_ == sigev_epoch())
            return;
        self.finish(boost::asio::error::operation_aborted);
        delete &self;
    }

    static void on_shutdown(fork_hook& hook)
    {
        auto* const self = static_cast<aio_operation*>(&hook);
        if (self->epoch_ != sigev_epoch())
            return; // the parent's
        end_now(self->block_);
        self->leave_slot();
        delete self; // its callback does not come any more: nobody runs the context
    }

    reactor_service& service_;
    fork_service& hooks_;
    const std::uint32_t epoch_ = sigev_epoch();
    handler told_;
    std::shared_ptr<way> way_; ///< only with a cancellation slot
    aio_block block_;
};

} // namespace sigev::detail

// One asynchronous read, write or fsync: a block on the heap with the struct aiocb, told by a callback of ours.
//
// The callback comes on a thread that runs the context, inside the reactor's drain. It posts the handler and frees the block:
// the engine does not touch an aiocb whose status is final, and the notification comes after that.
//
// The engine writes into the program's buffer until the request has ended, and cannot be stopped. So when the context is
// destroyed first, its requests are waited for before their handlers, which may own the buffers, are destroyed.
//
// Fork: the child has no such request. After notify_fork() the handler is told operation_aborted.
#pragma once

#include <sigev/aio_request.hpp>
#include <sigev/detail/pending.hpp>
#include <sigev/detail/reactor_service.hpp>
#include <sigev/notification.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace sigev::detail {

template <class... Results> // error_code, and the bytes where there are any
class aio_operation : private fork_hook {
public:
    using handler = pending_ptr<Results...>;

    /// submit(reactor, aiocb) is one of sigev_aio_*(). What fails is told to the handler.
    template <class Executor, class Submit>
    static void start(handler told, const Executor& executor, const aiocb& what, Submit submit)
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
        op->hooks_.add(*op);
        if (submit(on, &op->block_) == 0) {
            op.release();
            return;
        }
        op->finish(last_error());
    }

private:
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
        wait_for(self->block_);
        delete self; // its callback does not come any more: nobody runs the context
    }

    reactor_service& service_;
    fork_service& hooks_;
    const std::uint32_t epoch_ = sigev_epoch();
    handler told_;
    aio_block block_;
};

} // namespace sigev::detail

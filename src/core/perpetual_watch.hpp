// A watch on a descriptor that is never armed again: an operation on Asio's reactor that never completes, as Asio's own
// signal_set has one. It hears of every edge, without an epoll_ctl() and without a read: a round trip of two threads then
// costs 4 system calls instead of the 8 that async_wait() and a read cost (bench/README.md).
//
// This is the only file that uses what stands in boost::asio::detail. Who includes it compiles it for an io_context of its
// own, out of sight of the program; SIGEV_FORCE=noperpetual sends its users to the public API. Header-only, and without any
// compiled function of core: src/ivykis has loops of its own.
//
// Edges, not levels: what has become readable is told once. Whoever hears of it must look at everything that it could
// mean, and empty a descriptor that would fill up (spi::wakeup_kind::fills_up), or no edge comes again.
//
// In a forked child nothing of it may be touched before notify_fork(): the epoll set is the parent's too, and the
// destructor would make the parent deaf.
#pragma once

#include <boost/asio/io_context.hpp> // before the details, which do not stand alone

#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#include <boost/system/error_code.hpp>

#include <memory>

namespace sigev::core {

class perpetual_watch {
public:
    /// Called for each edge, in the thread that runs the context, before the run_one() that found it returns. Under a lock
    /// of Asio's: it may note that it was called, and nothing else.
    using hook = void (*)(void* owner) noexcept;

    explicit perpetual_watch(boost::asio::io_context& context)
        : reactor_(boost::asio::use_service<boost::asio::detail::reactor>(context))
    {
        reactor_.init_task();
    }
    perpetual_watch(const perpetual_watch&) = delete;
    perpetual_watch& operator=(const perpetual_watch&) = delete;
    /// Before the context is destroyed, and while the descriptor is open. An edge that is on its way is dropped.
    ~perpetual_watch() { stop(); }

    /// What is readable already counts as an edge. Throws std::bad_alloc.
    boost::system::error_code start(int descriptor, void* owner, hook on_edge)
    {
        auto fresh = std::make_unique<operation>(owner, on_edge);
        descriptor_ = descriptor;
        const int error = reactor_.register_internal_descriptor(boost::asio::detail::reactor::read_op, descriptor, data_,
                                                                fresh.get());
        static_cast<void>(fresh.release()); // the reactor's, also when it has refused the descriptor
        if (error != 0)
            stop();
        return {error, boost::system::system_category()};
    }

    int descriptor() const noexcept { return descriptor_; }

private:
    struct operation final : boost::asio::detail::reactor_op {
        operation(void* o, hook h) : reactor_op({}, &perform, &complete), owner(o), on_edge(h) {}

        static status perform(reactor_op* base)
        {
            const auto& self = *static_cast<operation*>(base);
            self.on_edge(self.owner);
            return not_done;
        }

        // It never completes: this is called when the registration ends.
        static void complete(void*, boost::asio::detail::operation* base, const boost::system::error_code&, std::size_t)
        {
            delete static_cast<operation*>(base);
        }

        void* owner;
        hook on_edge;
    };

    void stop()
    {
        if (!data_)
            return;
        reactor_.deregister_internal_descriptor(descriptor_, data_);
        reactor_.cleanup_descriptor_data(data_);
        data_ = nullptr;
        descriptor_ = -1;
    }

    boost::asio::detail::reactor& reactor_;
    boost::asio::detail::reactor::per_descriptor_data data_ = nullptr;
    int descriptor_ = -1;
};

} // namespace sigev::core

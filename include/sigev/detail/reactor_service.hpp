// The shell: watches a reactor's descriptors on an execution context. Header-only, so that it is compiled with the program's
// own Asio and the program's own settings; libsigev.so never sees an io_context (it uses this same file, hidden, for its own).
//
// An Asio wait is outstanding work: it keeps io_context::run() from returning. So the descriptors are watched only while there
// are users: operations that have not completed, and dispatchers that are open. When the last user goes, the watching is
// given up, but not at once: by a handler that queues up behind those of the operations that have just completed, since what
// these do next is usually to start again.
//
// Fork: see fork_service.hpp. In a child whose context was not told, what is registered here is leaked and never touched, and
// no lock is taken: another thread of the parent may have held it. After notify_fork() a reactor of the child's own is opened
// when it is next needed.
#pragma once

#include <sigev.h>
#include <sigev/detail/fork_service.hpp>
#include <sigev/detail/wait_memory.hpp>
#include <sigev/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/system_executor.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace sigev::detail {

class reactor_service : public boost::asio::execution_context::service {
public:
    using key_type = reactor_service;
    inline static boost::asio::execution_context::id id;

    explicit reactor_service(boost::asio::execution_context& context)
        : boost::asio::execution_context::service(context), state_(std::make_shared<state>(context))
    {}

    /// Before anything else: an executor of the context. Throws std::bad_alloc.
    template <class Executor>
    void prepare(const Executor& executor)
    {
        if (state_->inherited())
            return;
        const std::lock_guard lock(state_->mutex);
        state_->adopt(executor);
    }

    /// The context's reactor, opened with the first use. Throws boost::system::system_error: bad_descriptor (a forked child
    /// that has not called notify_fork()), and those of sigev_reactor_open().
    sigev_reactor_t reactor()
    {
        throw_error(refusal(), "sigev");
        const std::lock_guard lock(state_->mutex);
        if (state_->open() && state_->users != 0)
            state_->watch_all(); // a dispatcher that has lived through a fork
        return state_->handle;
    }

    /// One more user: the descriptors are watched until as many release() have come. Throws as reactor().
    template <class Executor>
    void acquire(const Executor& executor)
    {
        throw_error(refusal(), "sigev");
        const std::lock_guard lock(state_->mutex);
        state_->adopt(executor);
        if (state_->open() || state_->users == 0) // else they are watched, and a new one is announced by the wakeup
            state_->watch_all();
        ++state_->users;
    }

    /// For a loop that finds posts without the wakeup's descriptor: a source may have come, or a watch may have failed. Throws
    /// as acquire().
    void look_again()
    {
        throw_error(refusal(), "sigev");
        const std::lock_guard lock(state_->mutex);
        if (state_->handle != 0 && state_->users != 0)
            state_->watch_all();
    }

    /// May be called after the context's services were shut down, by what is destroyed then.
    void release()
    {
        if (--state_->users != 0 || state_->inherited())
            return;
        const std::lock_guard lock(state_->mutex);
        state_->linger();
    }

    /// True in a forked child that has not called notify_fork() on the context.
    bool inherited() const noexcept { return state_->inherited(); }

private:
    error_code refusal() const noexcept
    {
        return inherited() ? error_code(boost::asio::error::bad_descriptor) : error_code();
    }

    struct watch {
        watch(const boost::asio::any_io_executor& e, unsigned number) : descriptor(e), which(number) {}

        boost::asio::posix::basic_stream_descriptor<boost::asio::any_io_executor> descriptor;
        unsigned which; // 0: the wakeup
        bool armed = false;
        wait_memory memory;
    };

    struct state : std::enable_shared_from_this<state>, fork_hook {
        explicit state(boost::asio::execution_context& c) : fork_hook(&on_fork_child), context(c) {}

        bool inherited() const noexcept { return epoch.load(std::memory_order_relaxed) != sigev_epoch(); }

        template <class Executor>
        void adopt(const Executor& of)
        {
            if (executor)
                return;
            boost::asio::any_io_executor e(
                boost::asio::prefer(of, boost::asio::execution::outstanding_work.untracked));
            // The fork service must be younger than Asio's reactor, which comes with the first descriptor.
            const boost::asio::posix::basic_stream_descriptor<boost::asio::any_io_executor> first(e);
            boost::asio::use_service<fork_service>(context).add(*this);
            executor = std::move(e);
        }

        /// True when it was opened now.
        bool open()
        {
            if (handle != 0)
                return false;
            sigev_reactor_t fresh = 0;
            if (sigev_reactor_open(&fresh) != 0)
                throw_error(last_error(), "sigev_reactor_open");
            handle = fresh;
            return true;
        }

        void watch_all()
        {
            for (auto& w : watches)
                arm(w);
            try {
                watch_new();
            } catch (...) {
                linger(); // those that are armed, if nobody else needs them
                throw;
            }
        }

        void watch_new()
        {
            std::array<int, 16> fds{};
            const int n = sigev_reactor_descriptors(handle, fds.data(), static_cast<unsigned>(fds.size()));
            for (int i = 0; i < n; ++i) {
                const int fd = fds[static_cast<std::size_t>(i)];
                if (std::any_of(watches.begin(), watches.end(),
                                [fd](const auto& w) { return w->descriptor.native_handle() == fd; }))
                    continue;
                auto fresh = std::make_shared<watch>(executor, static_cast<unsigned>(i));
                watches.reserve(watches.size() + 1);
                error_code ec;
                fresh->descriptor.assign(fd, ec); // last of what can fail: a watch that is thrown away would close it
                throw_error(ec, "sigev: watching a descriptor");
                watches.push_back(std::move(fresh));
                arm(watches.back());
            }
        }

        struct wait_handler {
            // Not on the first user's executor, which may be a strand that is busy for long: in the thread that found the
            // descriptor ready, which is one that runs the context.
            using executor_type = boost::asio::system_executor;
            using allocator_type = wait_allocator<>;

            executor_type get_executor() const noexcept { return {}; }
            allocator_type get_allocator() const noexcept { return allocator_type(w->memory); }
            void operator()(const error_code& ec) const { self->on_wait(*w, ec); }

            std::shared_ptr<state> self;
            std::shared_ptr<watch> w;
        };

        // Needs no memory: it is also called where nobody can be told that there is none.
        void arm(const std::shared_ptr<watch>& w)
        {
            if (w->armed)
                return;
            w->descriptor.async_wait(boost::asio::posix::descriptor_base::wait_read,
                                     wait_handler{this->shared_from_this(), w});
            w->armed = true;
        }

        void on_wait(watch& w, const error_code& ec)
        {
            if (inherited())
                return;
            if (!ec)
                sigev_reactor_ready(handle, w.which);
            if (inherited()) // a callback has forked in there, and this is the child
                return;
            const std::lock_guard lock(mutex);
            w.armed = false;
            // Armed last, after all that was due has been done: before, two threads of the context could be inside for one
            // descriptor. Asio's wait looks at the descriptor afresh, so what came meanwhile is reported.
            if (handle == 0)
                return; // forked, or shut down, meanwhile
            if (users == 0)
                return linger();
            try {
                watch_all();
            } catch (const boost::system::system_error&) {
                sigev_reactor_wake(handle); // there is nobody to tell: try again in the context's next turn
            } catch (const std::bad_alloc&) {
                sigev_reactor_wake(handle);
            }
        }

        void linger()
        {
            if (users != 0 || lingering ||
                std::none_of(watches.begin(), watches.end(), [](const auto& w) { return w->armed; }))
                return;
            lingering = true;
            try {
                boost::asio::post(executor, [self = this->shared_from_this()] {
                    if (self->inherited())
                        return;
                    const std::lock_guard lock(self->mutex);
                    self->give_up_if_unused();
                });
            } catch (const std::bad_alloc&) {
                give_up_if_unused(); // at once, then: what follows arms again
            }
        }

        void give_up_if_unused()
        {
            lingering = false;
            if (users == 0)
                for (auto& w : watches)
                    if (error_code ignored; w->armed)
                        w->descriptor.cancel(ignored); // the only error is a closed descriptor, and then none waits
        }

        // Asio has registered the inherited descriptors in the child's own epoll set: from there they may go. The parent's
        // reactor stays as it is.
        static void on_fork_child(fork_hook& hook)
        {
            auto& self = static_cast<state&>(hook);
            if (!self.inherited())
                return;
            self.epoch = sigev_epoch();
            for (auto& w : self.watches)
                ::close(w->descriptor.release());
            self.watches.clear(); // the handler of a wait has its own reference
            self.lingering = false;
            self.handle = 0;
        }

        boost::asio::execution_context& context;
        std::mutex mutex;
        boost::asio::any_io_executor executor;
        sigev_reactor_t handle = 0;
        std::vector<std::shared_ptr<watch>> watches;
        std::atomic<unsigned> users{0};
        std::atomic<std::uint32_t> epoch{sigev_epoch()};
        bool lingering = false;
    };

    void shutdown() override
    {
        if (state_->inherited()) {
            leave_to_parent(new std::shared_ptr<state>(state_)); // see above: leaked on purpose
            return;
        }
        if (state_->executor)
            boost::asio::use_service<fork_service>(context()).remove(*state_);
        for (auto& w : state_->watches)
            w->descriptor.release();
        state_->watches.clear();
        if (state_->handle != 0)
            sigev_reactor_close(state_->handle); // EINVAL after sigev_shutdown(), which has closed it
        state_->handle = 0;
        state_->executor = {};
    }

    std::shared_ptr<state> state_;
};

} // namespace sigev::detail

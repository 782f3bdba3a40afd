// What of ours is registered with an execution context hears here that the process was forked, and that the context ends.
//
// A forked child shares the context's epoll set with its parent. A descriptor that the child closes, releases, cancels or
// waits on changes the set under the parent, which never hears of that descriptor again. So until the child has called
// context.notify_fork(fork_child), our objects leave what they have registered alone, and leak it if they are destroyed.
// In that call Asio makes an epoll set of the child's own, and registers there what it knows; from then on the child
// may release what it has inherited and put descriptors of its own in its place. That is done by on_fork_child().
//
// notify_fork() goes through the services from the oldest to the youngest. The reactor must have had its turn before
// on_fork_child() releases anything, so it must be older than this service: whoever adds a hook constructs the
// descriptor first.
#pragma once

#include <boost/asio/execution_context.hpp>

#include <atomic>
#include <mutex>
#include <new>

namespace sigev::detail {

/// What a child has leaked, so that a leak checker finds it in the child and says nothing of it.
struct left_by_parent {
    const void* what;
    left_by_parent* next;

    inline static std::atomic<left_by_parent*> all{nullptr};
};

/// Takes no lock: another thread of the parent may have held it. Without memory for the note the checker will say what is true.
inline void leave_to_parent(const void* what) noexcept
{
    auto* const note = new (std::nothrow) left_by_parent{what, left_by_parent::all.load(std::memory_order_relaxed)};
    while (note && !left_by_parent::all.compare_exchange_weak(note->next, note))
        ;
}

/// Base of what hangs in the list.
class fork_hook {
public:
    /// Called in the child, in notify_fork(); may remove its own hook, but no other.
    using function = void (*)(fork_hook& self);

    /// on_shutdown: called when the context is destroyed, after the hook has been removed: to destroy handlers that have not
    /// been called, which may destroy, and so remove, any other hook.
    explicit fork_hook(function on_fork_child, function on_shutdown = nullptr) noexcept
        : on_fork_child_(on_fork_child), on_shutdown_(on_shutdown)
    {}
    fork_hook(const fork_hook&) = delete;
    fork_hook& operator=(const fork_hook&) = delete;

private:
    friend class fork_service;

    function on_fork_child_;
    function on_shutdown_;
    fork_hook* next_ = nullptr;
    fork_hook** link_ = nullptr; // what points to this hook; null: in no list
};

class fork_service : public boost::asio::execution_context::service {
public:
    using key_type = fork_service;
    inline static boost::asio::execution_context::id id;

    explicit fork_service(boost::asio::execution_context& context)
        : boost::asio::execution_context::service(context)
    {}

    void add(fork_hook& hook)
    {
        const std::lock_guard lock(mutex_);
        hook.next_ = first_;
        hook.link_ = &first_;
        if (first_)
            first_->link_ = &hook.next_;
        first_ = &hook;
    }

    void remove(fork_hook& hook)
    {
        const std::lock_guard lock(mutex_);
        if (!hook.link_)
            return;
        *hook.link_ = hook.next_;
        if (hook.next_)
            hook.next_->link_ = hook.link_;
        hook.link_ = nullptr;
    }

private:
    // The hooks belong to objects that may outlive this call, and remove themselves if they want to hear nothing of it.
    void shutdown() override
    {
        fork_hook** link = &first_;
        while (*link)
            if (fork_hook& hook = **link; hook.on_shutdown_) {
                remove(hook);
                hook.on_shutdown_(hook);
                link = &first_; // the list may be another now
            } else {
                link = &hook.next_;
            }
    }

    void notify_fork(boost::asio::execution_context::fork_event event) override
    {
        if (event != boost::asio::execution_context::fork_child)
            return;
        // No lock around the walk: the hooks take it, and Asio wants nobody else to use the context during this call.
        for (fork_hook* hook = first_; hook;) {
            fork_hook& current = *hook;
            hook = current.next_;
            current.on_fork_child_(current);
        }
    }

    std::mutex mutex_;
    fork_hook* first_ = nullptr;
};

} // namespace sigev::detail

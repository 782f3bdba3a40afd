// An operation that waits for its end: the handler with its type erased, in one allocation of the handler's own allocator.
//
// Whoever takes it out of the list where it waits ends it, once: by complete(), which posts the handler, so that no code of the
// program runs where the end was noticed (inside the reactor's drain, under a caller's lock); or by discard(), when the
// context is destroyed.
#pragma once

#include <boost/asio/append.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/recycling_allocator.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace sigev::detail {

template <class... Results>
class pending {
public:
    pending(const pending&) = delete;
    pending& operator=(const pending&) = delete;

    virtual void complete(Results... results) = 0;
    virtual void discard() noexcept = 0;

    // The list's, whichever it stands in.
    pending* next = nullptr;
    std::uint64_t id = 0;

protected:
    pending() = default;
    ~pending() = default;
};

/// Holds one that is in no list yet.
struct discarder {
    template <class... Results>
    void operator()(pending<Results...>* op) const noexcept
    {
        op->discard();
    }
};
template <class... Results>
using pending_ptr = std::unique_ptr<pending<Results...>, discarder>;

template <class Handler, class Executor, class... Results>
class pending_handler final : public pending<Results...> {
    using associated = boost::asio::associated_allocator<Handler, boost::asio::recycling_allocator<void>>;
    using allocator = typename std::allocator_traits<typename associated::type>::template rebind_alloc<pending_handler>;
    using traits = std::allocator_traits<allocator>;

public:
    static pending_ptr<Results...> make(Handler&& handler, const Executor& executor)
    {
        allocator memory(associated::get(handler, {}));
        auto* const place = traits::allocate(memory, 1);
        try {
            return pending_ptr<Results...>(new (place) pending_handler(std::move(handler), executor));
        } catch (...) {
            traits::deallocate(memory, place, 1);
            throw;
        }
    }

    void complete(Results... results) override
    {
        // The work must last until the handler has been posted, and the memory must not: the handler may start the next.
        const Executor executor(std::move(executor_));
        const auto work = std::move(work_);
        boost::asio::post(executor, boost::asio::append(take(), std::move(results)...));
    }

    void discard() noexcept override
    {
        const auto work = std::move(work_);
        take();
    }

private:
    pending_handler(Handler&& handler, const Executor& executor)
        : executor_(executor), work_(boost::asio::get_associated_executor(handler, executor)), handler_(std::move(handler))
    {}
    ~pending_handler() = default;

    Handler take()
    {
        allocator memory(associated::get(handler_, {}));
        Handler handler(std::move(handler_));
        this->~pending_handler();
        traits::deallocate(memory, this, 1);
        return handler;
    }

    Executor executor_;
    boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler, Executor>> work_;
    Handler handler_;
};

/// Takes over the handler of an initiation.
template <class... Results, class Handler, class Executor>
pending_ptr<Results...> make_pending(Handler&& handler, const Executor& executor)
{
    return pending_handler<std::decay_t<Handler>, Executor, Results...>::make(
        std::decay_t<Handler>(std::forward<Handler>(handler)), executor);
}

/// A FIFO of them.
template <class... Results>
class pending_queue {
public:
    using operation = pending<Results...>;

    pending_queue() = default;
    pending_queue(pending_queue&& other) noexcept
        : first_(std::exchange(other.first_, nullptr)), last_(std::exchange(other.last_, &other.first_))
    {
        if (!first_)
            last_ = &first_;
    }
    pending_queue& operator=(pending_queue&&) = delete;

    bool empty() const noexcept { return first_ == nullptr; }

    void push(operation& op) noexcept
    {
        op.next = nullptr;
        *last_ = &op;
        last_ = &op.next;
    }

    operation* pop() noexcept
    {
        operation* const op = first_;
        if (op && !(first_ = op->next))
            last_ = &first_;
        return op;
    }

    /// Takes the operation of that number out; null when it is not here any more.
    operation* take(std::uint64_t id) noexcept
    {
        for (operation** link = &first_; *link; link = &(*link)->next)
            if (operation* const op = *link; op->id == id) {
                if (!(*link = op->next))
                    last_ = link;
                return op;
            }
        return nullptr;
    }

private:
    operation* first_ = nullptr;
    operation** last_ = &first_;
};

} // namespace sigev::detail

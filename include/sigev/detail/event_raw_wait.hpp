// One async_wait() of a sigev::event_raw.
//
// A wait is Asio's own wait for readability, which reports a descriptor that is readable already: registering it again
// asks epoll again. So a post that came when nobody waited, or while the last handler ran, completes the next wait. The
// order when it is reported is: drain, clear the word, run the handler, and only then, in the handler, wait anew. An
// earlier wait would let two threads of one context run handlers of the same object at once.
#pragma once

#include <sigev/detail/event_raw_block.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/posix/descriptor_base.hpp>

#include <cstdint>
#include <utility>

namespace sigev::detail {

/// As async_compose() wants it.
template <class Executor>
class event_raw_wait {
public:
    event_raw_wait(event_raw_block<Executor>* block, const Executor& executor) noexcept
        : block_(block), executor_(executor)
    {}

    template <class Self>
    void operator()(Self& self, error_code ec = {})
    {
        switch (state_) {
        case state::starting:
            // Nothing is lost by any kind of cancellation, so all are honoured.
            self.reset_cancellation_state(boost::asio::enable_total_cancellation());
            if (!block_ || !block_->event() || block_->inherited()) {
                state_ = state::refused;
                boost::asio::post(Executor(executor_), std::move(self)); // never from inside async_wait()
                return;
            }
            turn_ = block_->turn();
            state_ = state::waiting;
            return wait(self);
        case state::refused:
            ec = boost::asio::error::bad_descriptor;
            break;
        case state::waiting:
            if (ec)
                break;
            // Closed, cancelled or forked since: what was posted stays for the next wait.
            if (block_->inherited() || block_->turn() != turn_)
                ec = boost::asio::error::operation_aborted;
            else if (!sigev_event_raw_consume(block_->event())) {
                // Somebody else has taken it, or an interrupted post wrote late: not a post, go on.
                if (self.cancelled() == boost::asio::cancellation_type::none)
                    return wait(self);
                ec = boost::asio::error::operation_aborted;
            }
            break;
        }
        block_.reset(); // the handler may destroy the object, and then all of it is to go
        self.complete(ec);
    }

private:
    enum class state : unsigned char { starting, refused, waiting };

    template <class Self>
    void wait(Self& self)
    {
        const auto block = block_; // this operation may complete on another thread before the call returns
        block->descriptor().async_wait(boost::asio::posix::descriptor_base::wait_read, std::move(self));
    }

    event_raw_reference<Executor> block_;
    Executor executor_;
    std::uint32_t turn_ = 0;
    state state_ = state::starting;
};

} // namespace sigev::detail

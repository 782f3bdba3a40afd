#include "core/event_loop.hpp"

#include <sigev/detail/reactor_service.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace sigev::core {

// One thread at a time runs it, and which one changes: a hint of 1 lets Asio leave out what only several at once need.
struct event_loop::state {
    boost::asio::io_context context{1};
    detail::reactor_service& service = boost::asio::use_service<detail::reactor_service>(context);
};

event_loop::event_loop() : state_(std::make_unique<state>())
{
    state_->service.acquire(state_->context.get_executor()); // for as long as the loop lives
}

event_loop::~event_loop() = default;

sigev_reactor_t event_loop::reactor() const noexcept
{
    return state_->service.reactor();
}

void event_loop::run_one() noexcept
{
    state_->context.run_one();
}

void event_loop::run_one_for(std::chrono::nanoseconds limit) noexcept
{
    state_->context.run_one_for(limit);
}

void event_loop::interrupt() noexcept
{
    boost::asio::post(state_->context, [] {});
}

} // namespace sigev::core

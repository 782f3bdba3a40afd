#include "ivykis/registration.hpp"

#include <boost/system/system_error.hpp>

#include <cerrno>
#include <utility>

namespace sigev::ivykis {

namespace {

sigev_event_raw* open_event()
{
    sigev_event_raw* event = nullptr;
    if (sigev_event_raw_open(SIGEV_EVENT_RAW_DEFAULT, &event) != 0)
        throw boost::system::system_error(errno, boost::system::system_category(), "sigev_event_raw_open");
    return event;
}

} // namespace

registration::registration(iv_event_raw& of, boost::asio::io_context& context, void* in, watch::hook on_readable)
    : object(of), loop(in), event_(open_event())
    , watch_(make_watch(context, sigev_event_raw_fd(event_.get()), this, on_readable))
{}

void registration::wake() noexcept
{
    if (!std::exchange(awake_, true))
        sigev_event_raw_awake(event_.get());
}

bool registration::try_sleep() noexcept
{
    if (!sigev_event_raw_sleep(event_.get()))
        return false;
    awake_ = false;
    watch_->arm();
    return true;
}

// A report without a post of this process is a post of another one, or a write that comes after its post was handled for
// another's sake, or a mistake of Asio's: what it had found for a descriptor that was unregistered since is told to the next
// one that is registered. The content of the descriptor tells the mistake from the rest.
bool registration::take() noexcept
{
    const bool was_reported = std::exchange(reported, false);
    if (was_reported && watch_->sees_levels())
        return sigev_event_raw_consume(event_.get()) != 0;
    return sigev_event_raw_take(event_.get()) != 0 || (was_reported && sigev_event_raw_consume(event_.get()) != 0);
}

} // namespace sigev::ivykis

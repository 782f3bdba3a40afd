#include "ivykis/watch.hpp"

#include "core/perpetual_watch.hpp"

#include <sigev.h>
#include <sigev/detail/wait_memory.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace sigev::ivykis {

using boost::system::error_code;

namespace {

class edge_watch final : public watch {
public:
    edge_watch(boost::asio::io_context& context, int descriptor, void* owner, hook on_readable) : watch_(context)
    {
        if (const error_code ec = watch_.start(descriptor, owner, on_readable))
            throw boost::system::system_error(ec, "watching a descriptor");
    }

    void arm() noexcept override {}
    bool sees_levels() const noexcept override { return false; }

private:
    core::perpetual_watch watch_;
};

class level_watch final : public watch {
public:
    level_watch(boost::asio::io_context& context, int descriptor, void* owner, hook on_readable)
        : state_(std::make_shared<state>(context, owner, on_readable))
    {
        state_->descriptor.assign(descriptor);
        arm();
    }

    // Its wait, which ends with operation_aborted or may have ended well already, has the state until its handler has run.
    ~level_watch() override
    {
        state_->on_readable = nullptr;
        if (state_->descriptor.is_open())
            state_->descriptor.release(); // the number is not ours to close
    }

    void arm() noexcept override
    {
        if (std::exchange(state_->armed, true))
            return;
        state_->descriptor.async_wait(boost::asio::posix::descriptor_base::wait_read, handler{state_});
    }

    bool sees_levels() const noexcept override { return true; }

private:
    struct state {
        state(boost::asio::io_context& context, void* o, hook h) : descriptor(context), owner(o), on_readable(h) {}

        detail::wait_memory memory;
        boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> descriptor;
        void* owner;
        hook on_readable;
        bool armed = false;
    };

    struct handler {
        using allocator_type = detail::wait_allocator<>;

        allocator_type get_allocator() const noexcept { return allocator_type(of->memory); }

        // A wait that has failed, but for one that was ended, is looked at as one that has not: nothing is lost, and the next
        // one may do better.
        void operator()(const error_code&) const noexcept
        {
            of->armed = false;
            if (of->on_readable)
                of->on_readable(of->owner);
        }

        std::shared_ptr<state> of;
    };

    std::shared_ptr<state> state_;
};

} // namespace

std::unique_ptr<watch> make_watch(boost::asio::io_context& context, int descriptor, void* owner, watch::hook on_readable)
{
    if (sigev_probe("perpetual_read") == 1)
        return std::make_unique<edge_watch>(context, descriptor, owner, on_readable);
    return std::make_unique<level_watch>(context, descriptor, owner, on_readable);
}

} // namespace sigev::ivykis

// One registered iv_event_raw: what stands behind the program's struct while a loop knows it. The struct is only read when the
// handler is called; in between the program may do with its memory what it likes.
#pragma once

#include "ivykis/watch.hpp"

#include <iv_event_raw.h>
#include <sigev.h>

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/list_hook.hpp>

#include <memory>

namespace sigev::ivykis {

class registration {
    using hook = boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

    struct close {
        void operator()(sigev_event_raw* event) const noexcept { sigev_event_raw_close(event); }
    };

public:
    /// on_readable(this) is called as a watch's hook. Throws std::bad_alloc, boost::system::system_error.
    registration(iv_event_raw& of, boost::asio::io_context& context, void* loop, watch::hook on_readable);
    registration(const registration&) = delete;
    registration& operator=(const registration&) = delete;
    /// Out of all lists; a post finds the object closed.
    ~registration() = default;

    sigev_event_raw* event() const noexcept { return event_.get(); }

    /// Posts need not write from here on. Nothing if that is so already.
    void wake() noexcept;

    /// The loop is about to sleep. False: somebody has posted without a write; the object stays awake.
    bool try_sleep() noexcept;

    /// Whether to call the handler; what has been posted until now is what that call is for.
    bool take() noexcept;

    iv_event_raw& object;
    void* const loop;
    bool reported = false; ///< the watch's hook was called, and the handler has not been since

    // A hook is linked while the registration is in that list of its loop.
    hook in_all, in_ready, in_awake;

    template <hook registration::* Member>
    using list = boost::intrusive::list<
        registration, boost::intrusive::member_hook<registration, hook, Member>,
        boost::intrusive::constant_time_size<false>>;

private:
    // The watch goes before the descriptor is closed.
    std::unique_ptr<sigev_event_raw, close> event_;
    std::unique_ptr<watch> watch_;
    bool awake_ = false;
};

} // namespace sigev::ivykis

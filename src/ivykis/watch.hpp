// How a loop hears that the descriptor of an object is readable, in one of two ways:
//
//   edges   an operation on Asio's reactor that never completes (core/perpetual_watch.hpp). It is armed once; a round costs no
//           epoll_ctl() and no read.
//   levels  Asio's public API, a wait that is started anew each time. It asks epoll again, which reports a descriptor that is
//           readable already: nothing that comes while nobody waits is missed. Chosen by SIGEV_FORCE=noperpetual.
//
// Either way the hook is called in the thread that runs the context, inside one of its run functions, and only makes a note.
// The program's handlers are called by the loop, later, outside of Asio: they may register and unregister what they like.
#pragma once

#include <boost/asio/io_context.hpp>

#include <memory>

namespace sigev::ivykis {

class watch {
public:
    using hook = void (*)(void* owner) noexcept;

    watch() = default;
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;
    /// The descriptor must be open still. The hook is not called any more.
    virtual ~watch() = default;

    /// Before the loop sleeps, when the hook has been called since the last time. Cannot fail.
    virtual void arm() noexcept = 0;

    /// Whether the descriptor must be emptied when it was reported: else it would be reported for ever.
    virtual bool sees_levels() const noexcept = 0;
};

/// Armed. Throws std::bad_alloc, boost::system::system_error.
std::unique_ptr<watch> make_watch(boost::asio::io_context& context, int descriptor, void* owner, watch::hook on_readable);

} // namespace sigev::ivykis

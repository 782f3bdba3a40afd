// What a parent hears by, and what its child can do to the copy that it has of it.
//
// Each kind is one road from a post to a handler. The first is Asio's own, with nothing of this library in it: it shows
// which of a child's actions are dangerous at all, and that these tests see a deaf parent when there is one.
//
//   in the child  asio_descriptor       event_raw  dispatcher          timer       the runtime's    ivykis (iv_...)
//   close()       descriptor.close()    close()    both close()        destroyed   closed, deleted  event_raw_unregister()
//   release()     descriptor.release()  destroyed  both destroyed      destroyed   destroyed        deinit()
//   cancel()      descriptor.cancel()   cancel()   cancel()            cancel()    cancel, disarm   quit()
//   start()       async_wait()          the same   close(), open()     settime()   submit, settime  event_raw_register()
//   notify()      notify_fork()         the same   and a subscription  and settime anew, instead    init(), a new object
//   turn()        io_context::poll()    the same   the same            the same    submit, settime  main()
//
// The destructor destroys all of it, and its io_context.
#pragma once

#include <boost/asio/execution_context.hpp>

#include <functional>
#include <memory>

namespace sigev_tests {

class subject {
public:
    using fork_event = boost::asio::execution_context::fork_event;

    subject() = default;
    subject(const subject&) = delete;
    virtual ~subject() = default;

    /// Posts once, to a loop that sleeps where the loop is another thread's, and looks whether that was heard. `meanwhile`
    /// runs after the post and before the look, at least once. Not of one that the child has done something to, but for
    /// notify(): then it is the child's own.
    virtual bool hears(const std::function<void()>& meanwhile) = 0;

    /// How often a handler was called.
    virtual unsigned heard() const = 0;

    virtual void close() = 0;
    virtual void release() = 0;
    virtual void cancel() = 0;
    virtual void start() = 0;
    virtual void turn() = 0;
    /// Each of Asio's three calls, in the parent too.
    virtual void notify(fork_event event) = 0;
};

enum kind_traits : unsigned {
    asio_alone = 1,          ///< nothing of this library is in it
    on_a_context = 2,        ///< the program's
    has_threads = 4,         ///< the library's, in a process that uses it
    posts_from_a_thread = 8, ///< in hears()
};

struct kind {
    const char* name;
    std::unique_ptr<subject> (*make)();
    unsigned traits = 0;

    bool is_ours() const noexcept { return !(traits & asio_alone); }
};

std::unique_ptr<subject> make_asio_descriptor();
std::unique_ptr<subject> make_event_raw();
std::unique_ptr<subject> make_dispatcher();
std::unique_ptr<subject> make_timer();
std::unique_ptr<subject> make_runtime_subscription();
std::unique_ptr<subject> make_runtime_timer();
std::unique_ptr<subject> make_ivykis();

inline constexpr kind kinds_of_subject[] = {
    {"asio_descriptor", make_asio_descriptor, asio_alone | on_a_context},
    {"event_raw", make_event_raw, on_a_context},
    {"dispatcher", make_dispatcher, on_a_context},
    {"timer", make_timer, on_a_context},
    {"runtime_subscription", make_runtime_subscription, has_threads},
    {"runtime_timer", make_runtime_timer, has_threads},
    {"ivykis", make_ivykis, posts_from_a_thread},
};

} // namespace sigev_tests

// The event loop of one thread: an io_context that nobody else sees, and what is registered with it.
//
// A TURN. The context is run until a watch has reported something; the report puts the registration into `ready`. Then the
// handlers of what is ready are called, outside of Asio, the first first. A handler is the last that is done for its
// registration: it may unregister that one or any other, which takes them out of all lists, and free their memory; it may
// call iv_main(), iv_quit() and iv_deinit() too. Then everything that is awake is asked whether it may sleep, and the context
// is run again.
//
// AWAKE. A post to an object that is awake is one exchange and no system call (sigev_event_raw_sleep() in sigev.h has the
// protocol). An object is awake from the call of its handler until the loop wants to sleep. Not every object is awake as soon
// as the loop is, for two reasons. The price of a turn is then that of the objects that were handled in it, however many are
// registered. And somebody who has posted to an object that sleeps will write, late perhaps: were the object woken for
// another's sake, and its post found by the question whether it may sleep, then the late write would call the handler a
// second time for one post. This way each call answers to a post of its own: a write that was reported, or a post that will
// never write. So there are at most as many calls as posts.
//
// A post that is found by that question is handled without running the context. Under posts that never pause the context has
// its turn all the same, without sleeping, so that no object starves another.
//
// FORK. A child's copy of a loop shares the epoll set with the parent's loop: the child must not touch it, neither closing nor
// destroying what is in it. Every function that is called for a loop is called for one of this process (thread_loop.hpp sees
// to that) but for run(), which comes back from a handler that may have forked, and then returns.
#pragma once

#include "ivykis/registration.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>

namespace sigev::ivykis {

class loop {
public:
    /// No descriptor is opened before the first registration, whose failure can be told. Throws std::bad_alloc.
    loop();
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;
    /// Unregisters everything.
    ~loop();

    /// Another number for each loop of a family of processes; never 0.
    unsigned long number() const noexcept { return number_; }

    /// The process was forked, and this is the child's copy. Asked before anything else is done with the loop.
    bool inherited() const noexcept { return epoch_ != sigev_epoch(); }

    std::uint32_t epoch() const noexcept { return epoch_; }

    /// Throws std::bad_alloc, boost::system::system_error.
    registration& add(iv_event_raw& object);
    void remove(registration& r) noexcept { delete &r; }

    /// Until quit(), or until nothing is registered. Not noexcept: handlers may leave it by pthread_exit().
    void run();
    void quit() noexcept { quit_ = true; }

    /// The program gives the loop up. Also from a handler: then it lives until the outermost run() returns.
    static void end(loop* l) noexcept;

private:
    static void on_readable(void* owner) noexcept;

    class running;

    void call_first();
    bool may_sleep() noexcept;
    bool over() const noexcept { return inherited() || quit_ || all_.empty(); }

    const unsigned long number_;
    const std::uint32_t epoch_ = sigev_epoch();
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
    registration::list<&registration::in_all> all_;
    registration::list<&registration::in_ready> ready_;
    registration::list<&registration::in_awake> awake_;
    unsigned runs_ = 0; ///< how deep handlers are that call iv_main()
    bool quit_ = false;
    bool ended_ = false;
};

} // namespace sigev::ivykis

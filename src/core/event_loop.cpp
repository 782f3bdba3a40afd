#include "core/event_loop.hpp"

#include "core/perpetual_watch.hpp"
#include "core/registry.hpp"
#include "sys/clock.hpp"
#include "sys/cpu_relax.hpp"
#include "sys/force.hpp"

#include <sigev/detail/reactor_service.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <utility>

namespace sigev::core {

namespace {

constexpr unsigned looks_between_polls = 128;      // of the word, at some 20 ns each: what is not a post is seen that late
constexpr unsigned turns_between_polls = 16;       // that found a post and did not sleep
constexpr auto try_again = std::chrono::milliseconds(20); // to watch a descriptor that could not be watched

} // namespace

std::atomic<std::uint64_t> event_loop::spin{0};

/// Who watches the reactor's descriptors.
class event_loop::watcher {
public:
    virtual ~watcher() = default;
    virtual core::reactor& reactor() const noexcept = 0;
    /// After the context has run: does what was found ready. False: something could not be watched, so do not sleep long.
    virtual bool settle() noexcept = 0;
};

class event_loop::shell_watcher final : public watcher {
public:
    shell_watcher(registry& all, boost::asio::io_context& context)
        : service_(boost::asio::use_service<sigev::detail::reactor_service>(context))
    {
        service_.acquire(context.get_executor()); // for as long as the loop lives
        if (const int error = all.find_reactor(service_.reactor(), reactor_))
            throw boost::system::system_error(error, boost::system::generic_category());
        reactor_->generation.unpin();
    }

    core::reactor& reactor() const noexcept override { return *reactor_; }
    // What was found ready, the shell's handlers have done; but a source announces itself by a post, which they may not see.
    bool settle() noexcept override
    {
        const unsigned n = reactor_->descriptors(nullptr, 0);
        if (n == watched_)
            return true;
        try {
            service_.look_again();
            watched_ = n;
            return true;
        } catch (const boost::system::system_error&) {
        } catch (const std::bad_alloc&) {
        }
        return false; // it is tried again
    }

private:
    sigev::detail::reactor_service& service_;
    core::reactor* reactor_ = nullptr;
    unsigned watched_ = 0;
};

class event_loop::edge_watcher final : public watcher {
public:
    edge_watcher(registry& all, boost::asio::io_context& context)
        : all_(all), context_(context), work_(context.get_executor())
    {
        if (const int error = all.open_reactor(reactor_))
            throw boost::system::system_error(error, boost::system::generic_category());
        if (const boost::system::error_code ec = watch_new()) {
            end();
            throw boost::system::system_error(ec);
        }
    }

    ~edge_watcher() override { end(); }

    core::reactor& reactor() const noexcept override { return *reactor_; }

    bool settle() noexcept override
    {
        for (unsigned i = 0; i != count_; ++i)
            if (std::exchange(slots_[i].ready, false))
                reactor_->edge(i);
        return !watch_new(); // a source may have come; it has announced itself by a post
    }

private:
    struct slot {
        std::unique_ptr<perpetual_watch> watch;
        bool ready = false;
    };

    // The reactor's descriptors in the order in which they were met: only the first, the wakeup, has to keep its number.
    boost::system::error_code watch_new() noexcept
    {
        std::array<int, core::reactor::max_descriptors> fds;
        const unsigned n = reactor_->descriptors(fds.data(), static_cast<unsigned>(fds.size()));
        if (n == count_)
            return {};
        for (unsigned i = 0; i != n; ++i)
            if (!is_watched(fds[i]))
                if (const boost::system::error_code ec = watch(fds[i]))
                    return ec;
        return {};
    }

    bool is_watched(int fd) const noexcept
    {
        for (unsigned i = 0; i != count_; ++i)
            if (slots_[i].watch->descriptor() == fd)
                return true;
        return false;
    }

    boost::system::error_code watch(int fd) noexcept
    {
        const auto note = [](void* ready) noexcept { *static_cast<bool*>(ready) = true; };
        slot& s = slots_[count_];
        try {
            s.watch = std::make_unique<perpetual_watch>(context_);
            const boost::system::error_code ec = s.watch->start(fd, &s.ready, note);
            if (!ec)
                ++count_;
            return ec;
        } catch (const boost::system::system_error& e) { // the first one brings Asio's own descriptors
            return e.code();
        } catch (const std::bad_alloc&) {
            return make_error_code(boost::system::errc::not_enough_memory);
        }
    }

    void end() noexcept
    {
        for (slot& s : slots_)
            s.watch.reset(); // before the descriptors are closed
        if (reactor_->shut())
            all_.close_reactor(*reactor_);
    }

    registry& all_;
    boost::asio::io_context& context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_; // an internal operation is no work
    core::reactor* reactor_ = nullptr;
    std::array<slot, core::reactor::max_descriptors> slots_;
    unsigned count_ = 0;
};

// One thread at a time runs it, and which one changes: a hint of 1 lets Asio leave out what only several at once need.
struct event_loop::state {
    boost::asio::io_context context{1};
    std::unique_ptr<event_loop::watcher> watcher; // goes before the context
    std::int64_t request = 0; ///< the last one that another was awaited after
    unsigned turns = 0;      ///< that found a post, since the context last ran
    bool all_watched = true;
};

event_loop::event_loop(registry& all) : state_(std::make_unique<state>())
{
    if (sys::forced("noperpetual"))
        state_->watcher = std::make_unique<shell_watcher>(all, state_->context);
    else
        state_->watcher = std::make_unique<edge_watcher>(all, state_->context);
    reactor().announces_sleep();
}

event_loop::~event_loop() = default;

reactor& event_loop::reactor() const noexcept
{
    return state_->watcher->reactor();
}

void event_loop::run_one() noexcept
{
    turn(std::chrono::nanoseconds::max(), [this] {
        if (state_->all_watched)
            state_->context.run_one();
        else
            state_->context.run_one_for(try_again);
    });
}

void event_loop::run_one_for(std::chrono::nanoseconds limit) noexcept
{
    turn(limit, [this, limit] { state_->context.run_one_for(limit); });
}

template <class Wait>
void event_loop::turn(std::chrono::nanoseconds longest_look, Wait wait) noexcept
{
    core::reactor& home = reactor();
    const std::uint64_t patience = std::min(std::max(spin.load(std::memory_order_relaxed), rest_of_burst()),
                                            static_cast<std::uint64_t>(longest_look.count()));
    if (patience != 0 && look_for_a_while(patience)) {
        // The context has run something.
    } else if (home.try_sleep()) {
        wait();
        state_->turns = 0;
    } else {
        home.run_posted();
        // Under posts that never pause, what is no post has its turn all the same.
        if (++state_->turns == turns_between_polls) {
            state_->context.poll_one();
            state_->turns = 0;
        }
    }
    home.awake();
    state_->all_watched = state_->watcher->settle();
}

// How long the next request of a burst may be awaited still. Who sleeps meanwhile is woken for each, and to wake takes who asks for
// them longer than the requests do. Each is waited for once, from when it was raised: that may long be over.
std::uint64_t event_loop::rest_of_burst() noexcept
{
    const std::int64_t last = reactor().dispatcher().last_request();
    if (last == state_->request || reactor().is_posted())
        return 0;
    state_->request = last;
    const std::int64_t left = last + dispatcher::burst_gap - static_cast<std::int64_t>(sys::now(CLOCK_MONOTONIC));
    return left > 0 ? static_cast<std::uint64_t>(left) : 0;
}

// True when the context has run something; false when it is time to sleep, or something has been posted.
bool event_loop::look_for_a_while(std::uint64_t nanoseconds) noexcept
{
    const std::uint64_t end = sys::now(CLOCK_MONOTONIC) + nanoseconds;
    do {
        for (unsigned i = 0; i != looks_between_polls; ++i) {
            if (reactor().is_posted())
                return false;
            sys::cpu_relax();
        }
        if (state_->context.poll_one() != 0)
            return true;
    } while (sys::now(CLOCK_MONOTONIC) < end);
    return false;
}

} // namespace sigev::core

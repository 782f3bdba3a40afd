// The C API in a test: the runtime's reactor or one that the test runs by poll(), sigevents, subscriptions that close
// themselves, and signals that are waited for.
#pragma once

#include <sigev.h>

#include "support/support.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <optional>
#include <vector>

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sigev_tests {

inline pid_t this_thread() {
    return static_cast<pid_t>(syscall(SYS_gettid));
}

/// Where subscriptions live: on the runtime, or on a reactor of the test's own.
class place {
public:
    enum kind { runtime, borrowed };

    explicit place(kind k) {
        if (k == borrowed)
            BOOST_REQUIRE(sigev_reactor_open(&reactor_) == 0);
    }
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    ~place() {
        if (reactor_)
            sigev_reactor_close(reactor_);
    }

    sigev_reactor_t reactor() const { return reactor_; }
    bool is_borrowed() const { return reactor_ != 0; }

    /// One turn of the loop: waits at most so long, and does what is due.
    void turn(int milliseconds) const {
        std::array<int, 16> fds{};
        const int n = sigev_reactor_descriptors(reactor_, fds.data(), fds.size());
        std::array<pollfd, 16> watched{};
        for (int i = 0; i < n; ++i)
            watched[static_cast<std::size_t>(i)] = {fds[static_cast<std::size_t>(i)], POLLIN, 0};
        if (poll(watched.data(), static_cast<nfds_t>(n), milliseconds) > 0)
            for (int i = 0; i < n; ++i)
                if (watched[static_cast<std::size_t>(i)].revents)
                    sigev_reactor_ready(reactor_, static_cast<unsigned>(i));
    }

    /// Until the predicate is true; the loop runs meanwhile.
    bool until(const std::function<bool()>& predicate, milliseconds limit = patience) const {
        return wait_until(
            [&] {
                if (is_borrowed())
                    turn(1);
                return predicate();
            },
            limit);
    }

private:
    sigev_reactor_t reactor_ = 0;
};

/// A case on the runtime and on a borrowed reactor: void name(const place& on).
#define SIGEV_TEST_ON_BOTH(name)                                                                                               \
    static void name(const sigev_tests::place& on);                                                                            \
    BOOST_AUTO_TEST_CASE(name##_on_the_runtime) {                                                                              \
        name(sigev_tests::place(sigev_tests::place::runtime));                                                                 \
    }                                                                                                                          \
    BOOST_AUTO_TEST_CASE(name##_on_a_borrowed_reactor) {                                                                       \
        name(sigev_tests::place(sigev_tests::place::borrowed));                                                                \
    }                                                                                                                          \
    static void name(const sigev_tests::place& on)

inline sigval value_of(void* pointer) {
    sigval v{};
    v.sival_ptr = pointer;
    return v;
}

inline sigevent make_event(int notify, int signo = 0, int value = 0) {
    sigevent e{};
    e.sigev_notify = notify;
    e.sigev_signo = signo;
    e.sigev_value.sival_int = value;
    return e;
}

inline sigevent make_event(int notify, void (*function)(sigval), void* value, pthread_attr_t* attributes = nullptr) {
    sigevent e{};
    e.sigev_notify = notify;
    e.sigev_value.sival_ptr = value;
    e.sigev_notify_function = function;
    e.sigev_notify_attributes = attributes;
    return e;
}

inline sigevent make_thread_id_event(pid_t tid, int signo, int value = 0) {
    sigevent e = make_event(SIGEV_THREAD_ID, signo, value);
    e.sigev_notify_thread_id = tid;
    return e;
}

inline sigev_options make_options(const place& on, std::uint32_t concurrency = 1, int code = 0) {
    sigev_options o{};
    o.size = sizeof o;
    o.reactor = on.reactor();
    o.concurrency = concurrency;
    o.code = code;
    return o;
}

/// 0 or the errno of sigev_open(); the handle is closed again.
inline int open_error(const sigevent& e, std::uint32_t capacity = 1, const sigev_options* o = nullptr) {
    sigev_t s = 0;
    errno = 0;
    if (sigev_open(&e, capacity, o, &s) != 0)
        return errno;
    sigev_close(s);
    return 0;
}

class subscription {
public:
    subscription(const place& on, const sigevent& e, std::uint32_t capacity = 1, std::uint32_t concurrency = 1) {
        const auto options = make_options(on, concurrency);
        errno = 4711;
        BOOST_REQUIRE_MESSAGE(sigev_open(&e, capacity, &options, &handle_) == 0, "sigev_open: errno " << errno);
        BOOST_TEST(errno == 4711);
    }
    subscription(const subscription&) = delete;
    subscription& operator=(const subscription&) = delete;
    ~subscription() { close(); }

    sigev_t handle() const { return handle_; }
    void submit(std::int64_t data = 0, int error = 0) const { BOOST_REQUIRE(sigev_submit(handle_, data, error) == 0); }
    sigev_ledger ledger() const {
        sigev_ledger l{};
        BOOST_REQUIRE(sigev_ledger_read(handle_, &l) == 0);
        return l;
    }
    std::uint64_t delivered() const { return ledger().delivered; }
    void close() {
        if (handle_)
            sigev_close(handle_);
        handle_ = 0;
    }

private:
    sigev_t handle_ = 0;
};

inline sigev_ledger make_ledger(
    std::uint64_t raised, std::uint64_t delivered, std::uint64_t merged = 0, std::uint64_t pending = 0,
    std::uint64_t discarded = 0) {
    return {raised, delivered, merged, pending, discarded, 0, 0};
}
inline bool same(const sigev_ledger& a, const sigev_ledger& b) {
    return a.raised == b.raised && a.delivered == b.delivered && a.merged == b.merged && a.pending == b.pending &&
           a.discarded == b.discarded && a.kernel_timers == b.kernel_timers && a.kernel_raised == b.kernel_raised;
}
inline std::string text(const sigev_ledger& l) {
    return "raised " + std::to_string(l.raised) + " delivered " + std::to_string(l.delivered) + " merged " +
           std::to_string(l.merged) + " pending " + std::to_string(l.pending) + " discarded " + std::to_string(l.discarded);
}
inline bool adds_up(const sigev_ledger& l) {
    return l.raised == l.delivered + l.merged + l.pending + l.discarded;
}
/// An account that a thread is in the middle of moving is looked at again: it may have lost its processor there.
template <class Read>
sigev_ledger whole_ledger(const Read& read, const sigev_ledger& expected) {
    sigev_ledger found{};
    wait_until([&] {
        found = read();
        return adds_up(found) || same(found, expected);
    });
    return found;
}
#define SIGEV_CHECK_LEDGER(actual, ...)                                                                                        \
    do {                                                                                                                       \
        const sigev_ledger expected = sigev_tests::make_ledger(__VA_ARGS__);                                                   \
        const sigev_ledger found = sigev_tests::whole_ledger([&] { return actual; }, expected);                                \
        BOOST_CHECK_MESSAGE(                                                                                                   \
            sigev_tests::same(found, expected), "ledger: " << sigev_tests::text(found) << "; expected " #__VA_ARGS__);         \
    } while (false)

/// Signals blocked in this thread and in those it makes from now on, until the end of the case; what is left is taken.
class blocked_signals {
public:
    blocked_signals(std::initializer_list<int> signals) {
        sigemptyset(&set_);
        for (const int s : signals)
            sigaddset(&set_, s);
        BOOST_REQUIRE(pthread_sigmask(SIG_BLOCK, &set_, &before_) == 0);
    }
    blocked_signals(const blocked_signals&) = delete;
    blocked_signals& operator=(const blocked_signals&) = delete;
    ~blocked_signals() {
        while (take(0))
            ;
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

    /// The next of them; waits at most so long.
    std::optional<siginfo_t> take(int milliseconds = 0) const {
        siginfo_t info{};
        const timespec limit{milliseconds / 1000, milliseconds % 1000 * 1000000L};
        int got = 0;
        do
            got = sigtimedwait(&set_, &info, &limit);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return std::nullopt;
        return info;
    }

    /// The next of them, which is due.
    std::optional<siginfo_t> take_in_time() const { return take(static_cast<int>(patience.count())); }

    /// The next of them, while the loop runs.
    std::optional<siginfo_t> take(const place& on) const {
        std::optional<siginfo_t> info;
        on.until([&] { return (info = take(0)).has_value(); });
        return info;
    }

private:
    sigset_t set_{};
    sigset_t before_{};
};

/// What a callback leaves for the test. Its address is the sigevent's value.
struct mailbox {
    std::atomic<int> calls{0};
    std::atomic<std::int64_t> last_data{0};
    std::atomic<pid_t> thread{0};
    std::function<void()> inside;

    static void receive(sigval v) {
        auto& self = *static_cast<mailbox*>(v.sival_ptr);
        const auto* n = sigev_current();
        self.thread = this_thread();
        if (n)
            self.last_data = n->data;
        if (self.inside)
            self.inside();
        ++self.calls; // last: then the test may look
    }
};

} // namespace sigev_tests

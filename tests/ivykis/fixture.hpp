// What the tests of iv_event_raw share.
#pragma once

#include "support/support.hpp"

#include <iv_event_raw.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace sigev_tests {

/// For threads other than the case's own, where Boost.Test's assertions race with those of the case.
inline void must(bool condition, const char* what)
{
    if (condition)
        return;
    std::fprintf(stderr, "failed in a thread: %s: %s\n", what, std::strerror(errno));
    std::abort();
}

/// The calling thread's event loop for a scope.
class own_loop {
public:
    own_loop()
    {
        iv_init();
        must(iv_inited() == 1, "iv_init");
    }
    own_loop(const own_loop&) = delete;
    ~own_loop() { iv_deinit(); }
};

/// An object with a callable as its handler; unregistered at the end unless that was done before.
class event {
public:
    explicit event(std::function<void()> handler) : handler_(std::move(handler))
    {
        IV_EVENT_RAW_INIT(&raw);
        raw.cookie = this;
        raw.handler = &call;
        enter();
    }
    event(const event&) = delete;
    ~event() { leave(); }

    void enter()
    {
        must(iv_event_raw_register(&raw) == 0, "iv_event_raw_register");
        registered_ = true;
    }
    void leave()
    {
        if (std::exchange(registered_, false))
            iv_event_raw_unregister(&raw);
    }
    void post() const { iv_event_raw_post(&raw); }

    iv_event_raw raw;
    std::atomic<int> calls{0};

private:
    static void call(void* cookie)
    {
        auto& self = *static_cast<event*>(cookie);
        ++self.calls;
        const auto handler = self.handler_; // it may destroy the event
        handler();
    }

    std::function<void()> handler_;
    bool registered_ = false;
};

/// Runs the thread's loop until everything that was posted up to now has been handled: until its own post has, which comes last
/// among objects that are as old, and once more for those that were told of later.
inline void settle()
{
    event last([] { iv_quit(); });
    for (int i = 0; i != 3; ++i) {
        last.post();
        iv_main();
    }
}

/// A thread that runs a loop, in which `begin` has registered something, until nothing is registered any more.
class loop_thread {
public:
    explicit loop_thread(std::function<void()> begin)
        : thread_([this, begin = std::move(begin)] {
              const own_loop loop;
              begin();
              begun_.open();
              iv_main();
              ended_.open();
          })
    {
        BOOST_REQUIRE(begun_.wait());
    }
    ~loop_thread() { thread_.join(); }

    [[nodiscard]] bool ended() { return ended_.wait(); }
    std::thread::id id() const { return thread_.get_id(); }
    pthread_t native_handle() { return thread_.native_handle(); }

private:
    gate begun_, ended_;
    std::thread thread_;
};

using descriptor_table = std::map<int, std::string>;

/// Every descriptor of the process, and what it is.
inline descriptor_table descriptors()
{
    descriptor_table all;
    DIR* const folder = opendir("/proc/self/fd");
    must(folder, "opendir");
    while (const dirent* const entry = readdir(folder)) {
        char target[256];
        const auto length = readlinkat(dirfd(folder), entry->d_name, target, sizeof target);
        if (length > 0 && std::stoi(entry->d_name) != dirfd(folder))
            all.emplace(std::stoi(entry->d_name), std::string(target, static_cast<std::size_t>(length)));
    }
    closedir(folder);
    return all;
}

/// Those that `function` has opened.
inline descriptor_table opened_by(const std::function<void()>& function)
{
    const auto before = descriptors();
    function();
    descriptor_table fresh;
    for (const auto& [fd, what] : descriptors())
        if (!before.contains(fd))
            fresh.emplace(fd, what);
    return fresh;
}

inline bool is_readable(int fd)
{
    pollfd watched{fd, POLLIN, 0};
    return poll(&watched, 1, 0) == 1;
}

inline bool is_eventfd(const std::string& what) { return what.find("eventfd") != std::string::npos; }
inline bool is_pipe(const std::string& what) { return what.starts_with("pipe:"); }

/// SIGEV_FORCE as this run of the program has it.
inline bool is_forced(const std::string& name)
{
    const char* const forced = std::getenv("SIGEV_FORCE");
    return forced && ("," + std::string(forced) + ",").find("," + name + ",") != std::string::npos;
}

/// A signal handler for a scope.
class handled {
public:
    handled(int number, void (*handler)(int)) : number_(number)
    {
        struct sigaction action = {};
        action.sa_handler = handler;
        sigaction(number, &action, &before_);
    }
    handled(const handled&) = delete;
    ~handled() { sigaction(number_, &before_, nullptr); }

private:
    int number_;
    struct sigaction before_ = {};
};

/// How long a stress runs; SIGEV_STRESS_SECONDS makes it longer.
inline std::chrono::milliseconds stress_time()
{
    const char* const wanted = std::getenv("SIGEV_STRESS_SECONDS");
    return wanted ? seconds(std::stol(wanted)) : milliseconds(500);
}

} // namespace sigev_tests

// A sink that remembers, and descriptors of every kind.
#pragma once

#include "support/support.hpp"

#include "backends/aio/threads/engine.hpp"
#include "sys/unique_fd.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

namespace aio_tests {

using namespace sigev_tests;
using sigev::aio_threads::engine;
using sigev::spi::aio_operation;
using sigev::spi::aio_work;
using sigev::sys::unique_fd;

/// Remembers what is done, in order; may be told to hold the thread that tells it.
class recorder final : public sigev::spi::aio_sink {
public:
    void done(aio_work* list) noexcept override {
        if (hold)
            (void)hold->wait();
        const std::lock_guard lock(mutex_);
        for (; list; list = list->next)
            done_.push_back(list);
    }

    bool has(const aio_work& work) const {
        const std::lock_guard lock(mutex_);
        return std::find(done_.begin(), done_.end(), &work) != done_.end();
    }

    std::size_t count() const {
        const std::lock_guard lock(mutex_);
        return done_.size();
    }

    gate* hold = nullptr;

private:
    mutable std::mutex mutex_;
    std::vector<aio_work*> done_;
};

struct pair_of_fds {
    unique_fd read, write;
};

inline pair_of_fds make_pipe() {
    int ends[2];
    BOOST_REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    return {unique_fd(ends[0]), unique_fd(ends[1])};
}

inline pair_of_fds make_sockets(int type) {
    int ends[2];
    BOOST_REQUIRE(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) == 0);
    return {unique_fd(ends[0]), unique_fd(ends[1])};
}

/// A terminal and its master side, raw: the one kind that knows no reading without waiting.
inline pair_of_fds make_terminal() {
    unique_fd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!master || grantpt(master.get()) != 0 || unlockpt(master.get()) != 0)
        skip("no pseudo terminals here");
    unique_fd slave(open(ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!slave)
        skip("no pseudo terminals here");
    termios raw;
    BOOST_REQUIRE(tcgetattr(slave.get(), &raw) == 0);
    cfmakeraw(&raw);
    BOOST_REQUIRE(tcsetattr(slave.get(), TCSANOW, &raw) == 0);
    return {std::move(slave), std::move(master)};
}

inline unique_fd make_file(const char* content) {
    unique_fd file(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    BOOST_REQUIRE(file.get() >= 0);
    BOOST_REQUIRE(write(file.get(), content, strlen(content)) == static_cast<ssize_t>(strlen(content)));
    return file;
}

/// Channels stay where they are; each case is a process.
inline sigev::spi::aio_channel& make_channel(int descriptor, bool may_wait) {
    static std::deque<sigev::spi::aio_channel> all;
    auto& channel = all.emplace_back();
    channel.descriptor = descriptor;
    channel.may_wait = may_wait;
    return channel;
}

inline aio_work make_work(aio_operation operation, sigev::spi::aio_channel& channel, void* buffer, std::size_t length) {
    aio_work work;
    work.operation = operation;
    work.channel = &channel;
    work.buffer = buffer;
    work.length = length;
    work.positioned = !channel.may_wait;
    return work;
}

/// On a channel of its own.
inline aio_work make_work(aio_operation operation, int descriptor, void* buffer, std::size_t length, bool may_wait) {
    return make_work(operation, make_channel(descriptor, may_wait), buffer, length);
}

/// The first work on its channel.
inline void start(engine& e, aio_work& work) {
    BOOST_REQUIRE(e.open(*work.channel) == 0);
    e.start(work);
}

} // namespace aio_tests

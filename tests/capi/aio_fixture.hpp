// What the tests of asynchronous I/O have in common: descriptors, an aiocb, and waiting for its end.
#pragma once

#include "support/support.hpp"

#include <sigev.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <memory>
#include <string>

#include <aio.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace aio_tests {

using namespace sigev_tests;

class descriptor {
public:
    explicit descriptor(int number) : number_(number) { BOOST_REQUIRE(number >= 0); }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() { close_now(); }

    operator int() const { return number_; }
    void close_now() {
        if (number_ >= 0)
            close(number_);
        number_ = -1;
    }

private:
    int number_;
};

struct pipe_pair {
    explicit pipe_pair(std::array<int, 2> ends = make()) : read(ends[0]), write(ends[1]) {}
    static std::array<int, 2> make() {
        std::array<int, 2> ends;
        BOOST_REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
        return ends;
    }
    descriptor read, write;
};

inline int temporary_file(int flags = 0) { return open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC | flags, 0600); }

inline std::string content_of(int file) {
    struct stat about;
    BOOST_REQUIRE(fstat(file, &about) == 0);
    std::string content(static_cast<std::size_t>(about.st_size), '\0');
    BOOST_REQUIRE(pread(file, content.data(), content.size(), 0) == about.st_size);
    return content;
}

/// An aiocb, SIGEV_NONE unless the test says otherwise.
inline aiocb make(int file, void* buffer, std::size_t length, off_t offset = 0) {
    aiocb cb{};
    cb.aio_fildes = file;
    cb.aio_buf = buffer;
    cb.aio_nbytes = length;
    cb.aio_offset = offset;
    cb.aio_sigevent.sigev_notify = SIGEV_NONE;
    return cb;
}

inline bool finished(const aiocb& cb) {
    return wait_until([&] { return sigev_aio_error(&cb) != EINPROGRESS; });
}

/// The same, where there are thousands.
inline bool waited_for(const aiocb& cb) {
    const aiocb* const list[] = {&cb};
    const timespec limit{patience.count() / 1000, 0};
    return sigev_aio_suspend(list, 1, &limit) == 0;
}

inline void until_readable(int file) {
    pollfd look{file, POLLIN, 0};
    BOOST_REQUIRE(poll(&look, 1, static_cast<int>(patience.count())) == 1);
}

inline sigev_ledger total() {
    sigev_ledger l{};
    BOOST_REQUIRE(sigev_ledger_total(SIGEV_SOURCE_AIO, -1, &l) == 0);
    return l;
}

/// So many were raised, and all have arrived.
inline bool all_delivered(std::uint64_t n) {
    return wait_until([&] {
        const sigev_ledger l = total();
        return l.raised == n && l.delivered == n;
    });
}

struct told {
    std::atomic<int> calls = 0;
    std::atomic<void*> value = nullptr;
    std::atomic<std::int64_t> data = -1;
    std::atomic<std::uint64_t> ident = 0;
    std::atomic<int> error = -1, code = 0, source = -1;
    std::atomic<int> cause = -1;
    std::atomic<bool> has_time = false;
};
inline told heard;

inline void hear(sigval value) {
    if (const sigev_notification* const n = sigev_current()) {
        heard.data = n->data;
        heard.ident = n->ident;
        heard.error = n->error;
        heard.code = n->code;
        heard.source = n->source;
        heard.cause = n->cause;
        heard.has_time = n->clock == CLOCK_MONOTONIC && n->scheduled > 0 && n->actual >= n->scheduled;
    }
    heard.value = value.sival_ptr;
    ++heard.calls;
}

/// Reads "content" from a file by this event.
struct one_read {
    one_read() : file(temporary_file()), owned(std::make_unique<aiocb>()), cb(*owned) {
        BOOST_REQUIRE(write(file, "content", 7) == 7);
        cb = make(file, buffer.data(), buffer.size());
        cb.aio_sigevent.sigev_value.sival_ptr = &buffer;
    }
    void start() { BOOST_REQUIRE(sigev_aio_read(&cb) == 0); }
    void check() {
        BOOST_TEST(finished(cb));
        BOOST_TEST(sigev_aio_error(&cb) == 0);
        BOOST_TEST(sigev_aio_return(&cb) == 7);
        BOOST_TEST(std::string(buffer.data(), 7) == "content");
        BOOST_TEST(all_delivered(1));
    }
    descriptor file;
    std::array<char, 32> buffer{};
    std::unique_ptr<aiocb> owned; // glibc's aiocb ends in an array of size 0, which -Wpedantic wants in no other struct
    aiocb& cb;
};

/// SIGEV_AIO_* for all requests from now on.
inline void choose(std::uint32_t flags) {
    sigev_aio_options options{};
    options.size = sizeof options;
    options.flags = flags;
    BOOST_REQUIRE(sigev_aio_init(&options) == 0);
}

/// Bytes of libc's heap.
inline std::size_t in_use() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
inline void need_libcs_heap() {
    if (under_address_sanitizer || under_thread_sanitizer)
        skip("the sanitizer's heap does not say what is in use");
}

class blocked_signal {
public:
    explicit blocked_signal(int number) : number_(number) {
        sigemptyset(&set_);
        sigaddset(&set_, number);
        pthread_sigmask(SIG_BLOCK, &set_, &old_);
    }
    ~blocked_signal() { pthread_sigmask(SIG_SETMASK, &old_, nullptr); }

    bool take(siginfo_t& info, milliseconds limit = patience) {
        const timespec time{limit.count() / 1000, 0};
        return sigtimedwait(&set_, &info, &time) == number_;
    }

private:
    int number_;
    sigset_t set_, old_;
};

} // namespace aio_tests
